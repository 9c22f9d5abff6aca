"""The step Masks in a real browser, and the size of the pages on which one paints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from tests.ui.browser import By, Page, needs_browser_and_model
from tests.ui.dataset.by_hand.conftest import (
    SIZE,
    choose,
    config,
    crop_boxes,
    left_half,
    painted,
)
from tests.ui.dataset.by_hand.conftest import undo as undo_by_keys

pytestmark = needs_browser_and_model


def test_masks_are_painted_on_prepared_images(page: Page, found: Path) -> None:
    page.tab("Masks")
    page.until(lambda: "prepare yours first" in page.text("ti_step_masks"))
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#ti_step_masks .ti-error")
    page.press("ti_masks_go")
    page.until(lambda: page.find("ti_prepare_run").is_displayed())
    page.press("ti_prepare_run")
    page.says("ti_prepare_message", "is ready to train on", 120)
    page.tab("Masks")
    page.until(lambda: page.find("ti_masks_stage", ".ti-paint.ti-ready"))
    page.paint("masks", [(0.2, 0.2), (0.8, 0.2), (0.8, 0.3)])
    page.says("ti_masks_message", "of the image is trained")
    prepared = Path(config(found).output)
    with Image.open(prepared / "image_001-mask.png") as mask:
        level = np.asarray(mask)
    assert level[int(0.2 * SIZE), int(0.5 * SIZE)] == 0
    assert level[int(0.8 * SIZE), int(0.5 * SIZE)] == 255
    assert page.find("ti_masks_row", "b:not(:empty)").get_attribute("textContent") == "mask"
    page.shot("masks")


def test_a_mask_is_saved_when_the_next_image_is_opened_at_once_and_reloaded(page: Page, found: Path) -> None:
    page.driver.execute_script("document.querySelector('#ti_masks_stage [data-act=invert]').click()")
    page.press("ti_masks_next")
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))
    with Image.open(Path(config(found).output) / "image_001-mask.png") as mask:
        assert np.asarray(mask).mean() < 127
    page.press("ti_masks_previous")
    page.until(lambda: "image_001.png" in page.text("ti_masks_stage"))
    page.until(lambda: painted(page, "masks").mean() > 127)


def test_masks_are_made_from_transparency_and_removed(page: Page, found: Path) -> None:
    page.press("ti_masks_transparency")
    page.says("ti_masks_message", "of the image is trained")
    page.until(lambda: painted(page, "masks")[:, :10].min() > 127)
    assert not painted(page, "masks")[:, SIZE // 2 :].any()
    page.press("ti_masks_remove")
    page.says("ti_masks_message", "it has no mask. The previous mask is now")
    page.until(lambda: not painted(page, "masks").any())
    button = page.find("ti_masks_stage", "[data-act=undo]")
    assert button.text == "Undo: remove mask"
    button.click()
    page.until(lambda: painted(page, "masks").any())
    page.says("ti_masks_message", "of the image is trained")
    assert button.text == "Undo: transparency"
    page.press("ti_masks_next")
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))
    page.press("ti_masks_transparency")
    page.says("ti_masks_message", "has no transparent parts; paint the mask instead")


def test_undo_names_the_image_and_opens_it_where_it_was_painted(page: Page, found: Path) -> None:
    undo, redo = '#ti_masks_stage [data-act="undo"]', '#ti_masks_stage [data-act="redo"]'
    mask = Path(config(found).output) / "image_002-mask.png"
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))
    page.paint("masks", [(0.2, 0.5), (0.8, 0.5)])
    page.says("ti_masks_message", "of the image is trained")
    page.press("ti_masks_next")
    page.until(lambda: "image_003.png" in page.text("ti_masks_stage"))
    page.until(lambda: label(page, undo) == "Undo: stroke on image_002.png")
    page.paint("masks", [(0.2, 0.8), (0.8, 0.8)])
    page.says("ti_masks_message", "Saved image_003-mask.png")
    assert label(page, undo) == "Undo: stroke"
    page.shot("masks-undo")
    undo_by_keys(page)
    page.says("ti_masks_message", "The whole image image_003.png is trained")
    assert label(page, redo) == "Redo: stroke"
    assert label(page, undo) == "Undo: stroke on image_002.png"
    undo_by_keys(page)
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))
    page.says("ti_masks_message", "The whole image image_002.png is trained")
    page.until(lambda: not mask.exists() and not painted(page, "masks").any())
    page.until(lambda: label(page, redo) == "Redo: stroke")
    page.shown(page.driver.find_element(By.CSS_SELECTOR, redo)).click()
    page.says("ti_masks_message", "Saved image_002-mask.png")
    assert label(page, redo) == "Redo: stroke on image_003.png"
    undo_by_keys(page)
    page.says("ti_masks_message", "The whole image image_002.png is trained")


def test_undo_of_a_mask_that_has_changed_since_is_not_offered(page: Page, found: Path) -> None:
    undo = '#ti_masks_stage [data-act="undo"]'
    page.paint("masks", [(0.2, 0.5), (0.8, 0.5)])
    page.says("ti_masks_message", "Saved image_002-mask.png")
    page.press("ti_masks_next")
    page.until(lambda: label(page, undo) == "Undo: stroke on image_002.png")
    Image.new("L", (SIZE, SIZE), 128).save(Path(config(found).output) / "image_002-mask.png")
    undo_by_keys(page)
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))
    page.until(lambda: painted(page, "masks").min() > 100)
    page.until(lambda: "stroke" not in label(page, undo))
    page.press("ti_masks_remove")
    page.says("ti_masks_message", "it has no mask")
    page.open_image("masks", "image_003.png")
    page.press("ti_masks_previous")
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))
    page.open_image("masks", "image_003.png")  # the same thumbnail once more
    page.press("ti_masks_previous")
    page.until(lambda: "image_002.png" in page.text("ti_masks_stage"))


def label(page: Page, css: str) -> str:
    return page.driver.find_element(By.CSS_SELECTOR, css).text


def test_masks_are_loaded_from_files_and_training_uses_them(page: Page, found: Path, folder: Path) -> None:
    page.unfold("Load a mask from a file")
    mask = left_half(folder / "square.png", (64, 64))
    page.until(lambda: page.find("ti_masks_file", "input[type=file]")).send_keys(mask)
    page.says("ti_masks_message", "50% of the image is trained")
    page.until(lambda: painted(page, "masks")[:, SIZE // 2 + 8 :].min() > 127)
    dataset = scan(Path(config(found).output), Rules(SIZE, SIZE, use_alpha=True, validation_split=0))
    assert [item.path.name for item in dataset.items if item.mask] == ["image_001.png", "image_002.png"]
    page.tab("Prepare")
    page.press("ti_prepare_use")
    page.until(lambda: page.find("ti_train_use_alpha", "input").is_selected())


_BEYOND = """
const scrolls = (one) => one !== null && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
return Array.from(document.querySelectorAll("#ti_tabs *"))
    .filter((one) => one.offsetParent !== null && one.getBoundingClientRect().right > window.innerWidth + 1)
    .filter((one) => !scrolls(one.parentElement)).map((one) => one.outerHTML.slice(0, 200));
"""
"""Elements that reach beyond the window, but for those in a row that scrolls by itself."""
_ROWS = """
return Array.from(document.querySelectorAll("#ti_tab_dataset :is(.row, .block)"))
    .filter((one) => one.offsetParent !== null && one.scrollWidth > one.clientWidth + 1)
    .filter((one) => ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
    .map((one) => one.outerHTML.slice(0, 200));
"""
"""Rows of controls that scroll sideways."""


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_no_step_is_wider_than_the_window(page: Page, found: Path, width: int, theme: str) -> None:
    other = Page(f"{page.address}/?__theme={theme}", width)
    try:
        screen = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
        other.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        choose(other, found)
        other.tab("Crop")
        other.press("ti_crop_show")
        other.until(lambda: len(crop_boxes(other, "motorcycle.png")) == 1)
        other.shot(f"crop-{theme}-{width}")
        for title in ("Inspect", "Prepare", "Captions", "Crop"):
            other.tab(title, "#ti_dataset_tabs")
            assert fits(other)
        for step, title, name in (("remove", "Remove", "coffee.png"), ("masks", "Masks", "image_002.png")):
            other.tab(title)
            other.open_image(step, name)
            other.shot(f"{step}-{theme}-{width}")
            assert fits(other)
    finally:
        other.driver.quit()


def fits(page: Page) -> bool:
    wide = [*page.driver.execute_script(_BEYOND), *page.driver.execute_script(_ROWS)]
    assert not wide
    return bool(page.driver.execute_script("return document.documentElement.scrollWidth <= window.innerWidth"))
