"""The step Crop in a real browser, by mouse, keys and finger."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput

from lib_ti.prep.recipe.plan import make_plan
from tests.prep.photographs import photograph
from tests.ui.browser import By, Keys, Page, needs_browser_and_model
from tests.ui.dataset.by_hand.conftest import (
    box,
    card,
    choose,
    config,
    crop_boxes,
    decided,
    kept,
    keys,
    saved,
    undo,
)

pytestmark = needs_browser_and_model


def test_crop_boxes_are_shown_where_prepare_would_crop(page: Page, found: Path) -> None:
    page.tab("Crop")
    page.press("ti_crop_show")
    page.until(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_tabs .ti-card")) == 6)
    page.until(lambda: page.driver.execute_script("return document.querySelector('.ti-card img').naturalWidth > 0"))
    assert "ti-default" in crop_boxes(page, "china.png")[0].get_attribute("class")
    page.shot("crop")


def test_a_crop_box_is_moved_and_resized_by_the_mouse(page: Page, found: Path) -> None:
    crop_box = page.shown(crop_boxes(page, "china.png")[0])
    before = box(crop_box)
    ActionChains(page.driver).drag_and_drop_by_offset(crop_box, 20, 0).perform()
    moved = box(crop_box)
    assert moved[0] > before[0] + 0.05
    assert moved[1:] == before[1:]
    page.says("ti_crop_message", "1 image cropped by hand")
    page.until(lambda: still(page, crop_box), wanted="the crop box in its place")
    corner = crop_box.find_element(By.CSS_SELECTOR, '[data-corner="ne"]')
    ActionChains(page.driver).drag_and_drop_by_offset(corner, -30, 20).perform()
    smaller = box(crop_box)
    assert smaller[2] < moved[2] - 0.05
    assert smaller[1] + smaller[3] == pytest.approx(moved[1] + moved[3], abs=2e-6)  # its lower side stays
    width, height = photograph("china").size
    assert smaller[2] * width == pytest.approx(smaller[3] * height, abs=0.01)  # as square as what is trained
    assert "ti-default" not in crop_box.get_attribute("class")
    page.says("ti_crop_message", "1 image cropped by hand")
    page.until(lambda: kept(found, "china.png") == [pytest.approx(smaller, abs=2e-6)], 20)


def still(page: Page, element: Any) -> bool:
    """Whether an element, scrolled to the middle of the window, stays there while the answers to a change arrive."""
    before = page.shown(element).rect
    time.sleep(0.5)
    return bool(element.rect == before)


def test_nothing_moves_under_the_pointer_when_a_change_is_saved(page: Page, found: Path) -> None:
    page.open()
    choose(page, found)
    page.tab("Crop")
    page.until(lambda: len(crop_boxes(page, "coffee.png")) == 1)
    assert not page.text("ti_crop_message")
    before = card(page, "coffee.png").rect
    page.driver.execute_script("arguments[0].focus()", crop_boxes(page, "coffee.png")[0])
    keys(page, Keys.ARROW_RIGHT)
    page.says("ti_crop_message", "cropped by hand")
    assert card(page, "coffee.png").rect == before
    undo(page)
    page.until(lambda: "coffee.png" not in decided(found), 20)


def test_crop_boxes_are_added_moved_and_removed_by_keys(page: Page, found: Path) -> None:
    first = page.shown(crop_boxes(page, "motorcycle.png")[0])
    page.driver.execute_script("arguments[0].focus()", first)
    keys(page, "a")
    assert len(crop_boxes(page, "motorcycle.png")) == 2
    before = box(crop_boxes(page, "motorcycle.png")[1])
    keys(page, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_DOWN, "-", "-")
    after = box(page.driver.switch_to.active_element)
    assert after[2] < before[2]
    assert after[0] + after[2] / 2 < before[0] + before[2] / 2
    page.until(lambda: len(decided(found)["motorcycle.png"].crop_boxes) == 2, 20)
    keys(page, Keys.DELETE)
    page.until(lambda: len(decided(found)["motorcycle.png"].crop_boxes) == 1, 20)
    undo(page)
    page.until(lambda: len(decided(found)["motorcycle.png"].crop_boxes) == 2, 20)
    assert box(crop_boxes(page, "motorcycle.png")[1]) == pytest.approx(after, abs=2e-6)


def test_images_are_excluded_and_tab_moves_on(page: Page, found: Path) -> None:
    page.driver.execute_script("arguments[0].focus()", crop_boxes(page, "motorcycle.png")[1])
    keys(page, Keys.TAB)
    active = page.driver.switch_to.active_element
    assert active.get_attribute("aria-label").startswith("Crop box on rocket.png")
    keys(page, "l")
    saved(page, found, "rocket.png", excluded=True)
    assert "ti-is-excluded" in card(page, "rocket.png").get_attribute("class")
    page.shot("crop-by-hand")
    button = page.shown(card(page, "rocket.png").find_element(By.CSS_SELECTOR, '[data-do="exclude"]'))
    assert button.text == "Include"
    button.click()
    page.until(lambda: "rocket.png" not in decided(found), 20)


def test_a_double_click_adds_and_default_resets(page: Page, found: Path) -> None:
    image = page.shown(card(page, "chelsea.png").find_element(By.CSS_SELECTOR, ".ti-crop-image"))
    ActionChains(page.driver).double_click(image).perform()
    page.until(lambda: len(decided(found)["chelsea.png"].crop_boxes) == 2, 20)
    card(page, "chelsea.png").find_element(By.CSS_SELECTOR, '[data-do="default"]').click()
    page.until(lambda: "chelsea.png" not in decided(found), 20)
    assert ["ti-default" in crop_box.get_attribute("class") for crop_box in crop_boxes(page, "chelsea.png")] == [True]


def test_a_finger_moves_the_crop_box_that_it_tapped(page: Page, found: Path) -> None:
    crop_box = page.shown(crop_boxes(page, "rocket.png")[0])
    before = box(crop_box)
    place = crop_box.rect
    top = page.driver.execute_script("return window.scrollY")
    x, y = int(place["x"] + place["width"] / 2), int(place["y"] - top + place["height"] / 2)
    finger = PointerInput("touch", "finger")
    for way in (0, 40):
        actions = ActionBuilder(page.driver, mouse=finger)
        actions.pointer_action.move_to_location(x, y).pointer_down()
        for step in range(1, 5):
            actions.pointer_action.move_to_location(x + way * step // 4, y)
        actions.pointer_action.pointer_up()
        actions.perform()
    assert box(crop_box)[0] > before[0] + 0.05
    page.until(lambda: decided(found)["rocket.png"].crop_boxes, 20)


def test_labels_say_what_prepare_will_make(page: Page, found: Path) -> None:
    plan = make_plan(config(found))
    for name in ("china.png", "motorcycle.png", "chelsea.png"):
        made = [one.spec for one in plan.results if one.spec.item.path.name == name]
        labels = [crop_box.text for crop_box in crop_boxes(page, name)]
        expected = [
            f"{one.crop_size[0]}×{one.crop_size[1]}" + (f"×{one.factor:.3g}" if one.factor > 1 else "") for one in made
        ]
        assert [label.replace(" ", "").replace("\n", "") for label in labels] == expected


def test_crop_boxes_are_read_and_written_as_text(page: Page, found: Path) -> None:
    page.unfold("Advanced")
    page.press("ti_crop_read")
    page.until(lambda: "motorcycle.png:" in page.value("ti_crop_text"))
    lines = [line for line in page.value("ti_crop_text").splitlines() if "china" not in line]
    area = page.find("ti_crop_text", "textarea")
    area.send_keys(Keys.CONTROL, "a")
    area.send_keys("\n".join([*lines, "china.png: 10 20 300 300"]))
    page.press("ti_crop_save")
    page.until(lambda: box(crop_boxes(page, "china.png")[0])[2] == pytest.approx(300 / 640, abs=1e-5))
    page.shot("crop-as-text")
    area = page.find("ti_crop_text", "textarea")
    area.send_keys(Keys.CONTROL, "a")
    area.send_keys("china.png: 10 20 3000 300")
    page.press("ti_crop_save")
    page.says("ti_crop_message", "the crop box 10 20 3000 300 is not within china.png, which is 640×427")


def test_a_new_page_has_the_crop_boxes_as_they_were(page: Page, found: Path) -> None:
    page.open()
    choose(page, found)
    page.tab("Crop")
    page.until(lambda: len(crop_boxes(page, "motorcycle.png")) == 2)
    assert box(crop_boxes(page, "china.png")[0])[2] == pytest.approx(300 / 640, abs=1e-5)
    unchanged = json.loads((Path(config(found).output) / "preparation.json").read_text())
    assert len(unchanged["edits"]) == 3


def test_crop_boxes_of_another_folder_are_not_shown(page: Page, found: Path) -> None:
    (other := found.with_name("other")).mkdir()
    photograph("rocket").save(other / "rocket.png")
    page.open()
    page.fill("ti_dataset_folder", str(other))
    page.tab("Crop")
    page.says("ti_crop_grid", "Press “Show crop boxes”")
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#ti_tabs .ti-card")
    page.open()
    choose(page, found)
