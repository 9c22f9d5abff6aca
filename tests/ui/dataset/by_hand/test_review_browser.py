"""Text removed from all images, reviewed in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prep.photographs import letter, photograph
from tests.ui.browser import By, Keys, Page, needs_browser_and_model, serving
from tests.ui.dataset.by_hand.conftest import decided

pytestmark = needs_browser_and_model

WORDS = letter("SAMPLE IMAGE", height=0.1, place=(0.5, 0.5), font="DejaVuSans-Bold")
NAMES = ("camera", "chelsea", "coffee", "rocket")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs with text over them, and one without."""
    found = tmp_path_factory.mktemp("review") / "found"
    found.mkdir()
    for name in NAMES:
        WORDS(photograph(name)).save(found / f"{name}.png")
    photograph("astronaut").save(found / "astronaut.png")
    return found


@pytest.fixture(scope="module")
def page(found: Path) -> Iterator[Page]:
    with serving(found.parent) as address:
        made = Page(address)
        try:
            yield made
        finally:
            made.driver.quit()


def removed(found: Path) -> set[str]:
    return {name for name, one in decided(found).items() if one.removed_regions}


def switch(page: Page, name: str) -> None:
    page.click(page.find("ti_review_pairs", f'.ti-pair[data-name="{name}"] .ti-switch'))


def test_an_untouched_page_says_what_the_step_is_for_and_shows_no_error(page: Page) -> None:
    page.tab("Remove")
    page.until(lambda: "Choose the folder with your images first." in page.text("ti_step_remove"))
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#ti_step_remove .ti-error")
    assert [one.text for one in page.driver.find_elements(By.CSS_SELECTOR, "#ti_step_remove button") if one.text] == [
        "Choose a folder"
    ]
    page.shot("remove-empty")
    page.press("ti_remove_go")
    page.until(lambda: not page.find("ti_step_remove").is_displayed())


def test_one_press_proposes_all_images_with_text(page: Page, found: Path) -> None:
    before = {path.name: path.read_bytes() for path in found.iterdir()}
    page.fill("ti_dataset_folder", str(found))
    page.tab("Remove")
    page.press("ti_review_start")
    page.says("ti_review_message", "4 images have text that can be removed; 1 without text", 180)
    page.until(lambda: page.text("ti_review_keep") == "Keep 4")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_review_pairs .ti-pair")) == 4
    image = page.shown(page.find("ti_review_pairs", ".ti-pair img"))
    page.until(lambda: image.size["width"] > 300 and image.get_property("naturalWidth") > 300)
    page.shot("review")
    assert removed(found) == set()
    page.says("ti_todo_remove", "To do: 4 proposed removals wait for your review.")
    assert {path.name: path.read_bytes() for path in found.iterdir()} == before


def test_a_fill_is_compared_large_by_the_keys(page: Page) -> None:
    page.click(page.find("ti_review_pairs", '.ti-pair[data-name="coffee.png"] a'))
    large = page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, "dialog[open].ti-large-image"))
    assert large.text.startswith("coffee.png\nBefore\n")
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    page.until(lambda: large.text.startswith("coffee.png\nAfter\n"))
    assert "6 of 8" in large.text
    page.shot("review-large")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"))


def test_rejected_images_are_not_kept(page: Page, found: Path) -> None:
    switch(page, "coffee.png")
    page.until(lambda: page.text("ti_review_keep") == "Keep 3")
    switch(page, "camera.png")
    switch(page, "camera.png")
    page.until(lambda: page.text("ti_review_keep") == "Keep 3")
    page.says("ti_todo_remove", "To do: 3 proposed removals wait for your review.")
    page.press("ti_review_keep")
    page.says("ti_review_message", "Removed the text of 3 images")
    page.until(lambda: "wait" not in page.text("ti_todo_remove"))
    assert removed(found) == {"camera.png", "chelsea.png", "rocket.png"}
    page.until(lambda: page.find("ti_remove_row", '[data-name="rocket.png"] b').get_attribute("textContent"))
    assert "Rejected: 1 image" in page.text("ti_review")
    page.shot("review-kept")


def test_keeping_is_undone_by_a_button_that_says_so(page: Page, found: Path) -> None:
    assert page.text("ti_review_undo") == "Undo: keep 3 images"
    page.press("ti_review_undo")
    page.says("ti_review_message", "Undone: the text of 3 images is there again")
    assert removed(found) == set()
    page.until(lambda: page.text("ti_review_keep") == "Keep 3")


def test_a_new_page_has_the_review_as_it_was_left(page: Page, found: Path) -> None:
    page.open()
    page.until(lambda: page.value("ti_dataset_folder") == str(found))
    page.tab("Remove")
    page.until(lambda: page.text("ti_review_keep") == "Keep 3")
    page.press("ti_review_accept")
    page.until(lambda: page.text("ti_review_keep") == "Keep 4")


def test_a_list_of_names_does_the_same_without_the_script(page: Page, found: Path) -> None:
    page.unfold("Images to keep as text")
    page.fill("ti_review_names", "rocket.png")
    page.press("ti_review_save_names")
    page.until(lambda: page.text("ti_review_keep") == "Keep 1")
    off = page.driver.find_elements(By.CSS_SELECTOR, "#ti_review_pairs [aria-checked=false]")
    assert len(off) == 3


def test_an_image_is_opened_to_paint_by_hand(page: Page) -> None:
    page.click(page.find("ti_review_pairs", '[data-open="coffee.png"]'))
    page.until(lambda: "coffee.png" in page.text("ti_remove_stage"))
