"""Undo and Redo by keys in the steps of the sub-tab Dataset, in a real browser."""

from __future__ import annotations

from pathlib import Path

from tests.ui.browser import Keys, Page, needs_browser_and_model
from tests.ui.dataset.all_steps.conftest import (
    decided,
    element,
    exclude,
    excluded,
    focus_nothing,
    keys,
    name_folders,
    step,
)

pytestmark = needs_browser_and_model


def test_undo_acts_in_the_whole_step_and_never_in_a_field_that_nobody_types_in(page: Page, found: Path) -> None:
    output = found.with_name("prepared")
    name_folders(page, found, output)
    step(page, "Crop")
    page.press("ti_crop_show")
    china = '.ti-card[data-name="china.jpg"]'
    page.shown(element(page, f'{china} [data-do="exclude"]')).click()
    page.until(lambda: excluded(output) == {"china.jpg"})
    page.shown(element(page, '.ti-card[data-name="coffee.jpg"] [data-do="add"]')).click()
    page.until(lambda: len(decided(output)["coffee.jpg"].crop_boxes) == 2)
    page.says("ti_crop_grid", "Undo: add a crop box to coffee.jpg")
    page.shot("crop-undo")
    focus_nothing(page)
    keys(page, Keys.CONTROL, "z")
    page.until(lambda: "coffee.jpg" not in decided(output))
    page.shown(element(page, '#ti_crop_grid [data-act="undo"]')).click()
    page.until(lambda: excluded(output) == set())
    for _ in range(5):
        focus_nothing(page)
        keys(page, Keys.CONTROL, "z")
    assert page.value("ti_dataset_folder") == str(found)
    assert page.value("ti_prepare_output") == str(output)
    page.shown(element(page, '#ti_crop_grid [data-act="redo"]')).click()
    page.until(lambda: excluded(output) == {"china.jpg"})
    keys(page, Keys.CONTROL, Keys.SHIFT, "z")
    page.until(lambda: len(decided(output)["coffee.jpg"].crop_boxes) == 2)
    # What is being typed is undone by the browser.
    step(page, "Inspect")
    field = page.find("ti_dataset_folder", ":is(textarea, input)")
    field.send_keys("xyz")
    keys(page, Keys.CONTROL, "z")
    page.until(lambda: page.value("ti_dataset_folder") == str(found))
    assert excluded(output) == {"china.jpg"}


def test_undo_in_the_other_steps(page: Page, found: Path) -> None:
    output = found.with_name("prepared")
    name_folders(page, found, output)
    exclude(page, "camera.jpg", output)
    focus_nothing(page)
    page.until(lambda: page.find("ti_inspect_undo").is_enabled())
    keys(page, Keys.CONTROL, "z")
    page.says("ti_inspect_message", "Undone: exclude camera.jpg.")
    assert "camera.jpg" not in excluded(output)
    page.until(lambda: page.find("ti_inspect_redo").is_enabled())
    keys(page, Keys.CONTROL, "y")
    page.says("ti_inspect_message", "Redone: exclude camera.jpg.")
    assert "camera.jpg" in excluded(output)
    step(page, "Remove")
    page.open_image("remove", "coffee.jpg")
    page.paint("remove", [(0.3, 0.3), (0.5, 0.3)])
    element(page, '#ti_remove_stage [data-undo="yes"]')
    page.says("ti_remove_stage", "Undo: stroke")
    focus_nothing(page)
    keys(page, Keys.CONTROL, "z")
    element(page, '#ti_remove_stage [data-undo="no"][data-redo="yes"]')
    page.says("ti_remove_stage", "Redo: stroke")
    keys(page, Keys.CONTROL, Keys.SHIFT, "z")
    element(page, '#ti_remove_stage [data-undo="yes"][data-redo="no"]')
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in coffee.jpg")
    page.until(lambda: page.find("ti_remove_stage", ".ti-before"))
    page.says("ti_remove_stage", "Undo: fill")
    keys(page, Keys.CONTROL, "z")
    page.says("ti_remove_message", "Undone in coffee.jpg")
    assert page.value("ti_dataset_folder") == str(found)
