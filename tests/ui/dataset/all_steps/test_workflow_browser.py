"""The way through the sub-tab Dataset in a real browser: from an untouched page to the Train tab."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.ui.browser import By, Page, needs_browser_and_model
from tests.ui.dataset.all_steps.conftest import element, step

pytestmark = needs_browser_and_model

TITLES = ("Inspect", "Crop", "Remove", "Prepare", "Captions", "Masks")


def test_an_untouched_page_says_in_each_step_what_comes_first(page: Page) -> None:
    page.says("ti_dataset_overview", "No folder is chosen yet")
    for title in TITLES:
        step(page, title)
        page.until(lambda: any(len(text.splitlines()) == 2 for text in visible(page, ".ti-nothing")), wanted=title)
        assert len(buttons(page, ".primary")) == 1
        assert not visible(page, ".ti-error, .ti-warning")
    page.press("ti_go_captions")
    page.until(lambda: page.find("ti_inspect_start").is_displayed())


def test_each_step_leads_to_the_next_and_is_ticked_when_it_is_done(page: Page, found: Path) -> None:
    output = found.with_name("found-prepared")
    page.fill("ti_dataset_folder", str(found))
    page.says("ti_dataset_overview", "not inspected")
    page.press("ti_inspect_start")
    page.says("ti_dataset_overview", "5 images")
    page.until(lambda: ticked(page) == "✓     ", wanted="Inspect ticked")
    page.press("ti_next_inspect")
    page.press("ti_crop_show")
    page.until(lambda: ticked(page) == "✓✓    ", wanted="Crop ticked")
    page.says("ti_todo_crop", "Done")
    page.press("ti_next_crop")
    page.until(lambda: page.find("ti_remove_row", ".ti-thumb").is_displayed())
    page.press("ti_next_remove")
    page.press("ti_prepare_run")
    page.says("ti_prepare_message", "is ready to train on")
    page.until(lambda: ticked(page)[3] == "✓", wanted="Prepare ticked")
    page.press("ti_next_prepare")
    page.says("ti_todo_captions", "captions are missing")
    page.shot("workflow-captions")
    page.press("ti_next_captions")
    page.says("ti_todo_masks", "Optional")
    page.press("ti_next_masks")
    page.until(lambda: page.value("ti_train_dataset") == str(output))
    page.open()
    page.says("ti_dataset_overview", "captions missing")
    page.until(lambda: ticked(page)[:2] == "✓✓", wanted="a new page with the same ticks")


def test_the_strip_follows_what_is_done_in_any_step(page: Page, found: Path, prepared: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.says("ti_dataset_overview", "256 × 256")
    page.says("ti_dataset_overview", "5 prepared")
    page.says("ti_dataset_overview", "5 captions missing")
    step(page, "Captions")
    element(page, "#ti_captions_list [data-name]")
    page.find("ti_captions_text", "textarea").send_keys(" and what it shows")
    page.says("ti_todo_captions", "1 caption is not saved")
    page.press("ti_captions_save")
    page.says("ti_dataset_overview", "4 captions missing")
    step(page, "Crop")
    page.press("ti_crop_show")
    page.shown(element(page, '.ti-card[data-name="china.jpg"] [data-do="exclude"]')).click()
    page.says("ti_dataset_overview", "1 excluded")
    page.says("ti_dataset_overview", "4 prepared")
    step(page, "Prepare")
    page.says("ti_todo_prepare", "prepare again to remove 1 result of excluded images")


def test_painting_begins_with_the_first_readable_image_and_names_the_others(page: Page, found: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.says("ti_dataset_overview", "found")
    step(page, "Remove")
    page.says("ti_remove_problem", "broken.jpg cannot be used: it is not an image of a known kind")
    page.until(lambda: "camera.jpg" in page.text("ti_remove_stage"))
    assert not visible(page, ".ti-error")
    page.shot("remove-broken")


def test_images_of_a_zip_are_brought_in_and_inspected(page: Page, found: Path, server: Path) -> None:
    packed = found.with_name("my holiday.zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for path in found.glob("c*.jpg"):
            archive.write(path, path.name)
        archive.writestr("china.txt", "a pagoda")
    page.driver.find_element(By.CSS_SELECTOR, "#ti_dataset_files input[type=file]").send_keys(str(packed))
    page.says("ti_inspect_summary", "4 of 4 images are in use")
    page.until(lambda: page.value("ti_dataset_folder").endswith("my holiday"), wanted="the folder of the zip")
    page.until(lambda: page.value("ti_prepare_output").endswith("my holiday-prepared"), wanted="its prepared folder")
    page.until(lambda: "not inspected" not in page.text("ti_dataset_overview"), wanted="its images inspected")
    assert "a pagoda" in page.text("ti_inspect_images")
    page.shot("workflow-zip")
    broken = found.with_name("broken.zip")
    broken.write_bytes(b"PK nothing")
    page.driver.find_element(By.CSS_SELECTOR, "#ti_dataset_files input[type=file]").send_keys(str(broken))
    page.says("ti_inspect_message", "broken.zip")
    assert page.value("ti_dataset_folder").endswith("my holiday")


def ticked(page: Page) -> str:
    """A tick or a space for each step; nothing as long as no step is ticked."""
    marks = page.driver.execute_script(
        "return Array.from(document.querySelectorAll('#ti_dataset_tabs > .tab-nav > button'))"
        ".map(one => getComputedStyle(one, '::after').content.includes('✓') ? '✓' : ' ').join('')"
    )
    return str(marks) if "✓" in marks else ""


def visible(page: Page, css: str) -> list[str]:
    found = page.driver.find_elements(By.CSS_SELECTOR, f"#ti_tab_dataset :is({css})")
    return [one.text for one in found if one.is_displayed()]


def buttons(page: Page, css: str) -> list[str]:
    found = page.driver.find_elements(By.CSS_SELECTOR, f"#ti_tab_dataset button{css}")
    return [one.text for one in found if one.is_displayed()]
