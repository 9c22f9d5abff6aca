"""The tab in a genuine Forge or reForge and a real browser: what the reader of a tutorial does, word by word.

The fork runs with the options that guard it from its visitors. One page is opened for all tests, which follow one
another, and once more where that is tested.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.snapshot import ACTIVE
from tests.forge.instance import fork, small_page
from tests.ui.browser import By, Page, needs_browser
from tests.webui.instance import Instance

pytestmark = needs_browser
OUTER = "#tabs > .tab-nav"
NAME = "zqtest-style"
TXT2IMG = {"prompt": f"a red circle by {NAME}", "steps": "2", "width": "64", "height": "64", "seed": "7"}
_SECONDS = 400
"""What the page has for an answer, and a run for its end, on a busy processor."""
_LOADED = """
return [...document.querySelectorAll("#ti_tabs img")].filter(one => one.complete && one.naturalWidth > 0).length;
"""
"""How many images the page has loaded."""


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    guarded = ("--api-auth", "someone:secret", "--hide-ui-dir-config")
    with fork(tmp_path_factory.mktemp("fork"), *guarded, settings=small_page()) as instance:
        yield instance


@pytest.fixture(scope="module")
def pictures(webui: Instance) -> Path:
    folder = webui.folder / "datasets" / "pictures"  # one of the folders that are allowed then
    sample_set(folder, "striped", count=12)
    return folder


@pytest.fixture(scope="module")
def browser(webui: Instance) -> Iterator[Page]:
    made = Page(webui.address, patience=_SECONDS)
    yield made
    made.driver.quit()


@pytest.fixture
def page(webui: Instance, browser: Page) -> Iterator[Page]:
    """The page, at our tab; a run that a failed test leaves is ended."""
    outer(browser, "Textual Inversion")
    yield browser
    webui.call("stop")
    while webui.call("watched")["state"] in ACTIVE:
        time.sleep(0.2)


def outer(page: Page, title: str) -> None:
    """Open a tab of the fork, again where a page that is still being built took no notice.

    Forge writes txt2img with a capital.
    """

    def titled(one: Any) -> bool:
        return str(one.text).strip().casefold() == title.casefold()

    def opened() -> bool:
        page.click_first(f"{OUTER} button", titled, f"a tab {title!r}")
        return titled(page.driver.find_element(By.CSS_SELECTOR, f"{OUTER} button.selected"))

    page.until(opened, wanted=f"the tab {title!r} open")


def choose(page: Page, name: str, text: str) -> None:
    field = page.find(name, "input")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text, Keys.ENTER)
    page.until(lambda: page.value(name) == text, wanted=f"{text} in #{name}")


def open_train(page: Page, name: str, pictures: Path, max_steps: int) -> None:
    page.tab("Train")
    page.until(lambda: page.find("ti_train_name").is_displayed(), wanted="the Train tab")
    page.fill("ti_train_name", name)
    page.fill("ti_train_dataset", str(pictures))
    page.fill("ti_train_max_steps", str(max_steps))
    page.fill("ti_train_width", "64")
    page.fill("ti_train_height", "64")


def test_start_and_dataset_are_shown(page: Page, pictures: Path) -> None:
    page.tab("Start")
    page.until(lambda: page.find("ti_make_it").is_displayed(), wanted="the button Make it")
    page.shot("fork-start")
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(pictures))
    page.says("ti_dataset_overview", "12 images")
    page.press("ti_inspect_start")
    page.says("ti_inspect_summary", "of 12 images are in use")
    page.until(lambda: page.driver.execute_script(_LOADED) > 0, wanted="images")
    page.shot("fork-dataset")
    page.fill("ti_dataset_folder", str(pictures.parents[1] / "embeddings"))
    page.says("ti_dataset_overview", "outside the folders")
    page.fill("ti_dataset_folder", str(pictures))


def test_an_embedding_is_created(page: Page) -> None:
    page.tab("Create")
    page.fill("ti_create_name", NAME)
    page.says("ti_create_name_remarks", "is free")
    page.fill("ti_create_text", "striped drawing")
    page.fill("ti_create_vectors", "8")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {NAME} with 8 vectors")
    page.shot("fork-create")


def test_it_is_checked_and_trained_with_the_parameters_of_txt2img(webui: Instance, page: Page, pictures: Path) -> None:
    outer(page, "txt2img")
    for field, value in TXT2IMG.items():
        page.fill(f"txt2img_{field}", value)
    choose(page, "txt2img_sampling", "Restart")
    outer(page, "Textual Inversion")
    open_train(page, NAME, pictures, 6)
    page.fill("ti_train_save_image_every", "3")
    page.fill("ti_train_save_embedding_every", "3")
    said = page.check()
    assert "Model small" in said
    assert "The model was not loaded for this check" in said
    page.shot("fork-check")
    page.tick("ti_from_txt2img")
    page.press("ti_start")
    page.says("ti_status", "is finished: 6 steps")
    assert "Sampler Restart of txt2img is not available here: previews use Heun" in page.text("ti_check_result")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_previews img")) == 3
    page.shot("fork-finished")
    assert files.load(webui.embeddings / f"{NAME}.safetensors").model_name == "small"


def test_its_result_is_sent_to_txt2img_and_used_there(page: Page) -> None:
    page.tab("Results")
    page.until(lambda: page.value("ti_results_name") == NAME, wanted="the embedding that was trained")
    page.press("ti_results_show")
    page.says("ti_results_preview", "step 6")
    page.shot("fork-results")
    page.fill("ti_results_step", "3")
    page.says("ti_results_preview", "step 3")
    page.press("ti_send_txt2img")
    page.until(lambda: page.find("txt2img_prompt").is_displayed(), wanted="the tab txt2img")
    sent = {field: page.value(f"txt2img_{field}") for field in TXT2IMG}
    assert sent == TXT2IMG
    assert page.value("txt2img_sampling") == "Heun"
    page.press("txt2img_generate")
    page.until(lambda: page.find("txt2img_gallery", "img"), wanted="the image")
    page.until(lambda: "TI" in page.text("html_info_txt2img"), wanted="the embedding's name among the parameters")
    page.shot("fork-txt2img")


def test_train_more_continues_the_run(page: Page) -> None:
    page.tab("Results")
    page.press("ti_train_more")
    page.until(lambda: page.value("ti_train_max_steps") == "12", wanted="more steps in the Train tab")
    page.fill("ti_train_max_steps", "8")
    page.press("ti_start")
    page.says("ti_status", "is finished: 8 steps")


def test_a_run_continues_through_a_reload_of_the_page_and_is_interrupted(
    webui: Instance, page: Page, pictures: Path
) -> None:
    webui.call("create", name=f"{NAME}-2", text="striped", vectors=2, overwrite=True)
    page.open()
    outer(page, "Textual Inversion")
    open_train(page, f"{NAME}-2", pictures, 100000)
    page.fill("ti_train_save_image_every", "0")
    page.press("ti_start")
    page.says("ti_status", "of 100000")
    page.open()
    outer(page, "Textual Inversion")
    page.tab("Train")
    before = page.says("ti_status", "of 100000")
    page.until(lambda: page.text("ti_status") != before, wanted="another step, without a hand")
    page.shot("fork-training")
    page.press("ti_stop")
    page.says("ti_status", "was stopped by Interrupt after step")
