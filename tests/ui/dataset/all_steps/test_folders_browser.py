"""The sub-tab Dataset in a real browser: one folder and one set of decisions for all steps."""

from __future__ import annotations

from pathlib import Path

from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from tests.ui.browser import By, Keys, Page, needs_browser_and_model
from tests.ui.dataset.all_steps.conftest import (
    element,
    exclude,
    excluded,
    name_folders,
    refused,
    step,
)

pytestmark = needs_browser_and_model


def test_only_use_for_training_fills_the_train_tab(page: Page, found: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.says("ti_dataset_overview", "8 images")
    page.tab("Train")
    page.says("ti_train_dataset_hint", "Dataset directory is empty: prepare the images of")
    assert page.value("ti_train_dataset") == ""
    page.shot("train-hint")
    page.tab("Dataset")
    page.press("ti_dataset_use")
    page.until(lambda: page.value("ti_train_dataset") == str(found))
    page.until(lambda: page.text("ti_train_dataset_hint") == "")


def test_enter_in_the_folder_field_inspects_it(page: Page, found: Path) -> None:
    page.find("ti_dataset_folder", ":is(textarea, input)").send_keys(str(found), Keys.ENTER)
    page.until(lambda: page.find("ti_inspect_images", "img").is_displayed())


def test_what_is_excluded_is_excluded_in_every_step(page: Page, found: Path, prepared: Path) -> None:
    name_folders(page, found, prepared)
    exclude(page, "rocket.jpg", prepared)
    step(page, "Remove")
    element(page, '#ti_remove_row .ti-thumb.ti-is-excluded[data-name="rocket.jpg"] .ti-excluded')
    page.open_image("remove", "rocket.jpg")
    page.says("ti_remove_stage", "excluded")
    page.shot("remove-excluded")
    step(page, "Crop")
    page.press("ti_crop_show")
    element(page, '.ti-card.ti-is-excluded[data-name="rocket.jpg"]')
    result = next(one.name for one in read_manifest(PreparedFolder(prepared)).results if one.source == "rocket.jpg")
    step(page, "Masks")
    element(page, f'#ti_masks_row .ti-thumb.ti-is-excluded[data-name="{result}"] .ti-excluded')
    page.shot("masks-excluded")
    step(page, "Captions")
    element(page, f'#ti_captions_list [data-name="{result}"] .ti-excluded')
    page.shot("captions-excluded")
    assert "1 excluded" in page.text("ti_dataset_overview")
    step(page, "Inspect")
    element(page, '.ti-inspected.ti-is-excluded[data-name="rocket.jpg"]')
    step(page, "Prepare")
    page.says("ti_todo_prepare", "prepare again to remove 1 result of excluded images")
    page.press("ti_prepare_use")
    page.until(lambda: page.value("ti_train_dataset") == str(prepared))
    page.tab("Dataset")
    page.says("ti_prepare_used", "1 result of images that were excluded since will not be trained")


def test_another_prepared_folder_has_the_same_decisions(page: Page, found: Path, prepared: Path) -> None:
    name_folders(page, found, prepared)
    exclude(page, "rocket.jpg", prepared)
    second = found.with_name("second")
    step(page, "Inspect")
    page.fill("ti_prepare_output", str(second))
    page.says("ti_dataset_message", f"in {prepared} count for {second} too: 1 image excluded.")
    page.shot("taken-over")
    step(page, "Prepare")
    page.press("ti_prepare_plan")
    page.says("ti_prepare_message", "Excluded by hand: rocket.jpg.")
    exclude(page, "camera.jpg", second)
    assert excluded(second) == {"camera.jpg", "rocket.jpg"}
    assert excluded(prepared) == {"rocket.jpg"}


def test_a_new_page_has_the_settings_that_the_folder_was_prepared_with(prepared: Path, page: Page, found: Path) -> None:
    page.until(lambda: page.value("ti_dataset_folder") == str(found))
    page.until(lambda: page.value("ti_prepare_output") == str(prepared))
    step(page, "Prepare")
    assert page.value("ti_prepare_name") == "mine"
    # A folder without any brings none, and the first one brings its own again.
    page.fill("ti_prepare_name", "other")
    step(page, "Inspect")
    page.says("ti_dataset_message", "was last prepared with")
    page.unfold("Prepared folder and image size")
    page.fill("ti_prepare_output", str(found.with_name("third")))
    page.until(lambda: "was last prepared with" not in page.text("ti_dataset_message"))
    assert page.value("ti_prepare_name") == "other"
    page.fill("ti_prepare_output", str(prepared))
    page.until(lambda: page.value("ti_prepare_name") == "mine")
    step(page, "Prepare")
    page.press("ti_prepare_plan")
    assert "renamed" not in page.says("ti_prepare_message", "What Prepare would do")


def test_captions_and_masks_open_the_prepared_folder_by_themselves(page: Page, found: Path, prepared: Path) -> None:
    """Also where the page has only the folder of the images yet."""
    name_folders(page, found, prepared)
    page.driver.execute_script(
        "const f = document.querySelector('#ti_prepare_output textarea, #ti_prepare_output input');"
        "f.value = ''; f.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    step(page, "Captions")
    page.until(lambda: page.find("ti_captions_list", "[data-name]"))
    step(page, "Masks")
    page.until(lambda: page.find("ti_masks_row", ".ti-thumb"))


def test_the_mark_of_a_mask_goes_with_it(page: Page, found: Path, prepared: Path) -> None:
    name_folders(page, found, prepared)
    step(page, "Masks")
    page.open_image("masks", "mine_002.png")
    page.paint("masks", [(0.2, 0.2), (0.8, 0.2)])
    page.says("ti_masks_message", "of the image is trained")
    small = '#ti_masks_row [data-name="mine_002.png"] b'
    page.until(lambda: element(page, small).get_attribute("textContent") == "mask")
    page.press("ti_masks_remove")
    page.says("ti_masks_message", "it has no mask")
    page.until(lambda: element(page, small).get_attribute("textContent") == "")
    assert page.find("ti_masks_stage", ".ti-note").text == ""


def test_files_that_are_no_images_leave_the_console_clean(page: Page, found: Path, prepared: Path) -> None:
    assert not refused(page)
    (prepared / "damaged.png").write_bytes(b"no image")
    name_folders(page, found, prepared)
    step(page, "Inspect")
    page.press("ti_inspect_start")
    element(page, "#ti_inspect_images img")
    step(page, "Crop")
    page.press("ti_crop_show")
    for title, css in (
        ("Inspect", "#ti_inspect_images img"),
        ("Crop", "#ti_crop_grid img"),
        ("Remove", "#ti_remove_row img"),
        ("Captions", "#ti_captions_list img"),
        ("Masks", "#ti_masks_row img"),
    ):
        step(page, title)
        # Again where the page replaces its images meanwhile.
        page.until(lambda css=css: [page.shown(one) for one in page.driver.find_elements(By.CSS_SELECTOR, css)])
        page.until(lambda css=css: page.driver.execute_script(_ALL_LOADED, css))
        page.shot(f"broken-{title.replace(' ', '-').lower()}")
    assert not refused(page)


_ALL_LOADED = """return Array.from(document.querySelectorAll(arguments[0]))
    .filter(one => one.offsetParent).every(image => image.complete && image.naturalWidth > 0)"""
