"""The step Captions in a real browser, on photographs: captioned by a small model, edited, saved, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import draw_images
from tests.prep.photographs import photograph
from tests.small_blip import make_blip
from tests.ui.browser import By, Keys, Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model

CAPTIONS = {
    "astronaut": "a woman in an orange space suit, portrait, soft light",
    "chelsea": "a ginger cat, close-up, soft light",
    "coffee": "a cup of coffee, from above, warm light",
    "flower": "a pink dahlia, close-up, dark background",
    "rocket": "a rocket at night" + ", floodlights and drifting smoke" * 15,
    "moon": None,
}
EVIL = "<img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the found photographs and a captioner."""
    folder = tmp_path_factory.mktemp("captions")
    (folder / "found").mkdir()
    for name, caption in CAPTIONS.items():
        photograph(name).save(folder / "found" / f"{name}.jpg", quality=92)
        if caption is not None:
            (folder / "found" / f"{name}.txt").write_text(caption)
    make_blip(folder / "models" / "BLIP")
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(folder) as found:
        yield found


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    made = Page(address)
    yield made
    made.driver.quit()


@pytest.fixture
def prepared(folder: Path) -> Path:
    return folder / "found-prepared"


def step(page: Page, title: str) -> None:
    page.tab(title, "#ti_dataset_tabs")


def rows(page: Page) -> list[str]:
    found = page.driver.find_elements(By.CSS_SELECTOR, "#ti_captions_list [data-name]")
    return [str(row.get_attribute("data-name")) for row in found]


def press_in(page: Page, css: str) -> None:
    """A click of the mouse, as a person's."""
    element = page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, css))
    page.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def clear(page: Page, name: str) -> None:
    page.find(name, ":is(textarea, input)").send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE, Keys.TAB)


def is_open(page: Page, name: str) -> None:
    page.until(lambda: page.text("ti_captions_image") == name)


def text_of(page: Page, text: str) -> None:
    page.until(lambda: page.value("ti_captions_text") == text)


def test_the_step_says_what_comes_first(page: Page) -> None:
    step(page, "Captions")
    page.says("ti_about_captions", "Choose the folder with your images first")
    assert not page.find("ti_captions_text").is_displayed()
    page.unfold("Advanced")
    page.fill("ti_captions_folder", "nowhere")
    page.press("ti_captions_open")
    page.says("ti_captions_message", "does not exist")
    clear(page, "ti_captions_folder")
    page.unfold("Advanced")
    page.shot("captions-nothing")


def test_the_prepared_folder_is_open_when_the_step_is(page: Page, folder: Path, prepared: Path) -> None:
    step(page, "Inspect")
    page.fill("ti_dataset_folder", str(folder / "found"))
    page.until(lambda: page.value("ti_prepare_output") == str(prepared))
    page.unfold("Prepared folder and image size")
    page.fill("ti_prepare_width", "256")
    page.fill("ti_prepare_height", "256")
    step(page, "Prepare")
    page.press("ti_prepare_run")
    page.says("ti_prepare_message", "is ready to train on")
    step(page, "Captions")
    page.until(lambda: len(rows(page)) == 6)
    assert page.text("ti_captions_message") == ""
    is_open(page, "image_001.png")
    text_of(page, CAPTIONS["astronaut"] or "")
    page.until(lambda: page.driver.execute_script("return document.querySelector('.ti-captioned img').naturalWidth"))
    page.shot("captions-open")
    assert len(list(prepared.glob("*.txt"))) == 6


def test_captions_are_written_by_a_model(page: Page, prepared: Path) -> None:
    (prepared / "image_005.txt").unlink()
    page.unfold("Generate captions with a model")
    page.fill("ti_caption_prefix", "photo of")
    page.press("ti_captions_generate")
    page.says("ti_captions_result", "1 captioned, 5 with an existing caption that was kept")
    assert (prepared / "image_005.txt").read_text().startswith("photo of ")
    page.says("ti_captions_list", "photo of")
    page.shot("captions-written")
    page.unfold("Generate captions with a model")


def test_one_image_after_the_other_by_keys(page: Page, prepared: Path) -> None:
    field = page.find("ti_captions_text", "textarea")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("an astronaut, ", EVIL)
    # Without leaving the field.
    page.says("ti_captions_state", "1 caption is not saved")
    page.says("ti_captions_length", "of 75 tokens")
    field.send_keys(Keys.CONTROL, Keys.ENTER)
    is_open(page, "image_002.png")
    text_of(page, CAPTIONS["chelsea"] or "")
    assert page.driver.switch_to.active_element == field
    field.send_keys(Keys.ALT, Keys.ARROW_UP)
    is_open(page, "image_001.png")
    text_of(page, f"an astronaut, {EVIL}")
    assert EVIL in page.text("ti_captions_list")
    field.send_keys(Keys.ALT, Keys.ARROW_UP)
    page.says("ti_captions_notice", "This is the first listed image")
    for _ in range(2):
        field.send_keys(Keys.ALT, Keys.ARROW_DOWN)
        page.until(lambda: page.value("ti_captions_position") != "1")
    assert page.driver.title != "broken"
    assert (prepared / "image_001.txt").read_text() == CAPTIONS["astronaut"]


def test_what_is_not_saved_outlives_the_page_which_warns(page: Page, prepared: Path) -> None:
    asked = "const one = new Event('beforeunload', {cancelable: true}); return !window.dispatchEvent(one)"
    assert page.driver.execute_script(asked)
    page.open()
    page.until(lambda: page.value("ti_prepare_output") == str(prepared))
    step(page, "Captions")
    page.says("ti_captions_state", "1 caption is not saved")
    assert page.driver.execute_script(asked)  # the new page knows of it, and asks as well


def test_a_new_page_has_them_and_clicks_open_images(page: Page, prepared: Path) -> None:
    page.unfold("Advanced")
    page.fill("ti_captions_folder", str(prepared))
    page.press("ti_captions_open")
    page.says("ti_captions_state", "1 caption is not saved")
    text_of(page, f"an astronaut, {EVIL}")
    press_in(page, "#ti_captions_list [data-name='image_006.png']")
    is_open(page, "image_006.png")
    page.says("ti_captions_length", "does not fit into one context")
    assert page.driver.find_element(By.CSS_SELECTOR, "#ti_captions_length mark").text.endswith("drifting smoke")
    page.until(lambda: page.driver.switch_to.active_element.get_attribute("data-name") == "image_006.png")
    page.shot("captions-long")
    page.fill("ti_captions_position", "3")
    is_open(page, "image_003.png")
    page.press("ti_captions_next")
    is_open(page, "image_004.png")


def test_captions_are_found_by_words_and_by_what_they_lack(page: Page) -> None:
    field = page.find("ti_captions_find", "input")
    field.send_keys("light")
    page.until(lambda: rows(page) == ["image_002.png", "image_003.png", "image_006.png"])
    press_in(page, "#ti_captions_options label:nth-of-type(2)")  # whole words, without "floodlights"
    page.until(lambda: rows(page) == ["image_002.png", "image_003.png"])
    press_in(page, "#ti_captions_options label:nth-of-type(4)")
    page.until(lambda: len(rows(page)) == 4)
    page.says("ti_captions_list", "4 of 6 images")
    page.unfold("Frequency of tags and words")
    page.shot("captions-lacking")
    press_in(page, "#ti_captions_counts [data-find='close-up']")
    page.until(lambda: page.value("ti_captions_find") == "close-up")
    page.until(lambda: rows(page) == ["image_002.png", "image_004.png"])
    page.press("ti_captions_previous")
    is_open(page, "image_002.png")


def test_changes_to_all_listed_captions_are_previewed_then_applied(page: Page, prepared: Path) -> None:
    page.unfold("Change all listed captions at once")
    page.fill("ti_captions_replacement", "macro")
    page.press("ti_captions_replace")
    page.says("ti_captions_changes", "2 captions would change")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_captions_changes ins")) == 2
    text_of(page, CAPTIONS["chelsea"] or "")
    page.shot("captions-changes")
    page.press("ti_captions_apply")
    page.says("ti_captions_changes", "Changed: 2")
    text_of(page, "a ginger cat, macro, soft light")
    page.says("ti_captions_list", "0 of 6 images")
    page.says("ti_captions_state", "3 captions are not saved")
    clear(page, "ti_captions_find")
    page.until(lambda: len(rows(page)) == 6)
    page.fill("ti_captions_tags", "photograph")
    page.press("ti_captions_tag_changes")
    page.says("ti_captions_changes", "6 captions would change")
    page.press("ti_captions_apply")
    page.says("ti_captions_state", "6 captions are not saved")
    page.says("ti_captions_undo", "Undo: add at the end: photograph (6 captions)")
    page.press("ti_captions_undo")
    page.says("ti_captions_redo", "Redo: add at the end: photograph (6 captions)")
    text_of(page, "a ginger cat, macro, soft light")
    assert (prepared / "image_002.txt").read_text() == CAPTIONS["chelsea"]


def test_saving_skips_what_others_changed_until_it_is_confirmed(page: Page, prepared: Path) -> None:
    (prepared / "image_004.txt").write_text("a flower of someone else")
    page.find("ti_captions_text", "textarea").send_keys(Keys.CONTROL, "s")
    page.says("ti_captions_notice", "2 captions are saved")
    page.says("ti_captions_state", "1 caption was changed on disk by another program")
    page.says("ti_captions_state", "a flower of someone else")
    page.shot("captions-conflict")
    assert (prepared / "image_002.txt").read_text() == "a ginger cat, macro, soft light"
    assert (prepared / "image_001.txt").read_text() == f"an astronaut, {EVIL}"
    page.press("ti_captions_use_disk")
    page.says("ti_captions_state", "Everything is saved")
    page.until(lambda: not page.find("ti_captions_keep_mine").is_displayed())
    page.press("ti_captions_undo")
    is_open(page, "image_004.png")
    text_of(page, "a pink dahlia, macro, dark background")
    page.press("ti_captions_save")
    page.says("ti_captions_state", "Everything is saved")
    assert (prepared / "image_004.txt").read_text() == "a pink dahlia, macro, dark background"
    assert any(path.read_text() == "a flower of someone else" for path in prepared.glob(".captions-before/*/*.txt"))


def test_a_thousand_captions_are_listed_within_two_seconds(page: Page, folder: Path) -> None:
    many = draw_images(folder / "many", count=1000, size=16)
    opened = """
        const done = arguments[0], began = performance.now();
        const list = document.querySelector("#ti_captions_list");
        new MutationObserver((_, observer) => {
            if (list.querySelectorAll("[data-name]").length === 1000) {
                observer.disconnect();
                requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
            }
        }).observe(list, {childList: true, subtree: true});
        document.querySelector("#ti_captions_open").click();
    """
    page.fill("ti_captions_folder", str(many))
    milliseconds = [page.driver.execute_async_script(opened) for _ in range(2)]
    assert min(milliseconds) < 2000
    press_in(page, "#ti_captions_list [data-name='700.png']")
    is_open(page, "700.png")
    scrolled = "return [...document.querySelectorAll('#ti_captions_list')].pop().scrollTop"
    page.until(lambda: page.driver.execute_script(scrolled) > 10_000)
    before = page.driver.execute_script(scrolled)
    page.press("ti_captions_next")
    is_open(page, "701.png")
    assert abs(page.driver.execute_script(scrolled) - before) < 500
