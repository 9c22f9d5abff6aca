"""The step Remove in a real browser, by mouse and keys."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import ActionChains

from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import ImageEdits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.inpaint import plain_methods
from tests.prep.photographs import photograph
from tests.ui.browser import By, Keys, Page, needs_browser_and_model
from tests.ui.dataset.by_hand.conftest import (
    config,
    decided,
    keys,
    left_half,
    painted,
    undo,
)

pytestmark = needs_browser_and_model


def crop_by_hand(found: Path, name: str) -> tuple[CropBox, ...]:
    """Write crop boxes into the manifest, as the step Crop does."""
    boxes = (CropBox(0, 0, 0.5, 0.5), CropBox(0.5, 0.5, 0.5, 0.5))
    digest = hashlib.sha256((found / name).read_bytes()).hexdigest()
    folder = PreparedFolder(Path(config(found).output), found)
    update_edits(folder, lambda edits: edits.with_image(digest, ImageEdits(name, crop_boxes=boxes)))
    return boxes


def choose_fill(page: Page, method: str) -> None:
    page.driver.find_element(By.CSS_SELECTOR, f"#ti_prepare_fill input[value={method}]").click()


def drag(page: Page, step: str, slider: str, value: int) -> None:
    script = (
        "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
        "s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.driver.execute_script(script, f"#ti_{step}_stage [data-paint={slider}]", value)


def history(page: Page, step: str = "remove") -> tuple[str, str]:
    """What is written on Undo and Redo."""
    undo, redo = page.driver.find_elements(By.CSS_SELECTOR, f"#ti_{step}_stage [data-act$=do]")
    return undo.text, redo.text


def test_found_text_is_corrected_and_removed(page: Page, found: Path) -> None:
    page.tab("Remove")
    page.open_image("remove", "coffee.png")
    page.press("ti_remove_find_text")
    page.says("ti_remove_message", "Possible text is painted over")
    page.until(lambda: painted(page, "remove").any())
    before = painted(page, "remove")
    page.driver.execute_script("document.querySelector('#ti_remove_stage [data-tool=eraser]').click()")
    rows, columns = np.nonzero(before)
    place = (columns[0] / before.shape[1], rows[0] / before.shape[0])
    page.paint("remove", [place, (place[0] + 0.02, place[1])])
    assert painted(page, "remove").sum() < before.sum()
    assert history(page) == ("Undo: eraser", "Redo")
    page.driver.execute_script("document.querySelector('#ti_remove_stage [data-act=undo]').click()")
    assert np.array_equal(painted(page, "remove"), before)
    assert history(page) == ("Undo: found text", "Redo: eraser")
    page.shot("remove-proposed")
    page.press("ti_remove_compare")
    # The area as it is, PatchMatch's fill where it is installed, both of OpenCV's, and the model's.
    fills = 2 + len(plain_methods())
    page.until(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_remove_fills img")) == fills, 180)
    page.shot("remove-compared")
    page.click(page.find("ti_remove_fills", "[data-method=telea]"))
    page.says("ti_remove_message", "Removed in coffee.png, by telea")
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "#ti_remove_fills img"))
    (region,) = decided(found)["coffee.png"].removed_regions
    assert region.method == "telea"
    page.until(lambda: page.find("ti_remove_stage", ".ti-before"))
    page.until(lambda: not painted(page, "remove").any())
    drag(page, "remove", "before", 60)
    assert page.find("ti_remove_row", "b:not(:empty)").get_attribute("textContent") == "1 removed"
    page.shot("remove-before-and-after")


def test_undoing_gives_the_paint_back_for_another_method(page: Page, found: Path) -> None:
    page.until(lambda: history(page) == ("Undo: fill", "Redo"))
    page.driver.find_element(By.CSS_SELECTOR, "#ti_remove_stage [data-act=undo]").click()
    page.says("ti_remove_message", "Undone in coffee.png")
    page.until(lambda: "coffee.png" not in decided(found))
    page.until(lambda: history(page) == ("Undo", "Redo: fill"))
    page.until(lambda: painted(page, "remove").any())
    choose_fill(page, "ns")
    page.press("ti_remove_start")
    page.says("ti_remove_message", "by ns")
    assert decided(found)["coffee.png"].removed_regions[0].method == "ns"
    page.press("ti_remove_undo")
    page.says("ti_remove_message", "Undone")
    page.press("ti_remove_redo")
    page.says("ti_remove_message", "Redone in coffee.png")
    assert decided(found)["coffee.png"].removed_regions[0].method == "ns"


def test_what_was_just_painted_is_removed_without_waiting(page: Page, found: Path) -> None:
    boxes = crop_by_hand(found, "motorcycle.png")
    page.press("ti_remove_next")
    page.until(lambda: "motorcycle.png" in page.text("ti_remove_stage"))
    page.until(lambda: page.find("ti_remove_stage", ".ti-paint.ti-ready"))
    page.driver.execute_script("document.querySelector('#ti_remove_stage [data-tool=brush]').click()")
    page.paint("remove", [(0.3, 0.5), (0.4, 0.5), (0.4, 0.6)])
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in motorcycle.png")
    (region,) = decided(found)["motorcycle.png"].removed_regions
    width, height = photograph("motorcycle").size
    assert region.box[0] / width == pytest.approx(0.3, abs=0.05)
    assert region.box[3] / height == pytest.approx(0.6, abs=0.07)
    assert decided(found)["motorcycle.png"].crop_boxes == boxes


def test_keys_paint_too(page: Page, found: Path) -> None:
    page.open_image("remove", "chelsea.png")
    canvas = page.shown(page.find("ti_remove_stage", "canvas"))
    page.driver.execute_script("arguments[0].focus()", canvas)
    chain = ActionChains(page.driver).key_down(" ").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).key_up(" ")
    chain.perform()
    layer = painted(page, "remove")
    rows, columns = np.nonzero(layer > 127)
    assert columns.min() < layer.shape[1] / 2 < columns.max()
    assert columns.max() - columns.min() > rows.max() - rows.min()
    undo(page)
    assert not painted(page, "remove").any()
    keys(page, Keys.PAGE_DOWN)
    page.until(lambda: "china.png" in page.text("ti_remove_stage"))


def test_keys_act_in_the_whole_step_but_not_in_a_field(page: Page, found: Path) -> None:
    page.driver.execute_script("document.activeElement.blur()")
    size = page.find("ti_remove_stage", "[data-paint=size]")
    before = int(size.get_attribute("value"))
    keys(page, "]")
    assert int(size.get_attribute("value")) > before
    keys(page, "e")
    assert page.find("ti_remove_stage", "[data-tool=eraser]").get_attribute("aria-pressed") == "true"
    keys(page, "b", "[")
    page.find("ti_remove_seed", "input").send_keys("]", "e", "n")
    assert int(size.get_attribute("value")) in range(before - 1, before + 2)
    assert page.find("ti_remove_stage", "[data-tool=brush]").get_attribute("aria-pressed") == "true"
    assert "china.png" in page.text("ti_remove_stage")
    page.driver.execute_script("document.activeElement.blur()")
    keys(page, "p")
    page.until(lambda: "chelsea.png" in page.text("ti_remove_stage"))
    keys(page, "n")
    page.until(lambda: "china.png" in page.text("ti_remove_stage"))
    page.unfold("Keys", "summary")
    assert "Previous or next image" in page.text("ti_remove_keys")


def test_paint_is_still_there_after_a_look_at_another_image(page: Page) -> None:
    page.paint("remove", [(0.2, 0.2), (0.4, 0.2)])
    before = painted(page, "remove")
    keys(page, "n")
    page.until(lambda: "coffee.png" in page.text("ti_remove_stage"))
    assert not painted(page, "remove").any()
    keys(page, "p")
    page.until(lambda: "china.png" in page.text("ti_remove_stage"))
    page.until(lambda: page.find("ti_remove_stage", ".ti-paint.ti-ready"))
    assert before.any()
    # A stroke is drawn in one go then, and its soft edge differs a little.
    assert np.mean((painted(page, "remove") > 127) != (before > 127)) < 0.001
    assert history(page) == ("Undo: stroke", "Redo")
    undo(page)
    assert not painted(page, "remove").any()


def test_a_mask_from_a_file_is_painted(page: Page, folder: Path) -> None:
    mask = left_half(folder / "wide.png", photograph("china").size)
    page.unfold("Load a mask from a file")
    page.until(lambda: page.find("ti_remove_file", "input[type=file]")).send_keys(mask)
    page.says("ti_remove_message", "The mask is painted")
    page.until(lambda: painted(page, "remove")[:, :300].min() > 127)
    assert not painted(page, "remove")[:, 340:].any()


def test_a_model_fills_as_work_that_the_page_follows(page: Page, found: Path) -> None:
    page.open_image("remove", "rocket.png")
    choose_fill(page, "model")
    page.fill("ti_remove_seed", "5")
    page.paint("remove", [(0.8, 0.2), (0.85, 0.25)])
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in rocket.png, by model", 180)
    (region,) = decided(found)["rocket.png"].removed_regions
    assert (region.method, region.seed) == ("model", 5)
    page.shot("remove-by-model")
