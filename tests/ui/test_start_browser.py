"""Start in a real browser, with the pocket model: three inputs, one press, and a keyword that is used."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import By, Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model
STEPS = "4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("start")
    sample_set(made / "found", "outlined+glowing", count=10)
    shutil.make_archive(str(made / "photos"), "zip", made / "found")
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        made.open("Start")
        yield made
        made.driver.quit()


def test_an_untouched_page_says_what_it_is_for_and_shows_no_error(page: Page) -> None:
    assert "Make a keyword" in page.text("ti_make_first_sight")
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#ti_tab_start :is(.ti-error, .ti-warning)")
    assert page.find("ti_make_it").is_enabled() and not page.find("ti_make_stop").is_enabled()
    page.shot("start")


def test_a_press_without_images_says_what_is_missing(page: Page) -> None:
    page.press("ti_make_it")
    page.says("ti_make_message", "There are no images yet")


def test_the_keyword_is_checked_while_it_is_typed(page: Page) -> None:
    page.fill("ti_make_keyword", "circle")
    page.says("ti_make_keyword_remarks", "circle")
    page.fill("ti_make_keyword", "glow-style")
    page.says("ti_make_keyword_remarks", "The keyword is free. It takes 4 of 75")


def test_one_press_goes_from_a_zip_to_a_finished_keyword(page: Page, folder: Path) -> None:
    page.find("ti_make_files", "input[type=file]").send_keys(str(folder / "photos.zip"))
    page.says("ti_make_files", "1 file,")  # it is uploaded
    page.fill("ti_make_keyword", "glow-style")
    page.fill("ti_make_what", "drawing")  # comparing words takes its time on a processor
    page.unfold("More settings")
    page.fill("ti_make_max_steps", STEPS)
    page.press("ti_make_it")
    page.says("ti_make_status", "Inspect images", 60)
    page.says("ti_make_result", "glow-style is trained, but has not learned the images yet", 300)
    page.until(lambda: page.find("ti_make_result", "figure img"), wanted="the images before and after")
    page.until(lambda: page.find("ti_make_more").is_displayed(), wanted="Train some more")
    page.shot("start-finished")
    assert (folder / "embeddings" / "glow-style.safetensors").is_file()
    assert len(list((folder / "datasets" / "glow-style-prepared").glob("*.png"))) == 10
    assert page.value("ti_dataset_folder") == str(Path("datasets") / "glow-style")  # where Dataset continues
    page.press("ti_make_export")
    page.until(lambda: page.find("ti_make_download").is_displayed(), wanted="the download")
    page.press("ti_make_more")
    page.until(lambda: page.value("ti_train_name") == "glow-style", wanted="the Train tab, filled in")
    assert page.value("ti_train_max_steps") == str(2 * int(STEPS))


def test_a_new_page_shows_what_was_made(page: Page) -> None:
    page.open("Start")
    page.says("ti_make_result", "glow-style is trained")
    assert page.value("ti_make_keyword") == "glow-style"
