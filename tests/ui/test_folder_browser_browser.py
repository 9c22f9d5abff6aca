"""The folder browser in a real browser: by mouse, by keyboard, and the folders used last after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from selenium.webdriver import ActionChains

from tests.ui.browser import By, Keys, Page, needs_browser, serving

pytestmark = [needs_browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("server")
    for name, count in (("cats", 3), ("dogs", 2), ("dogs/puppies", 1)):
        (made / "photos" / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (64, 64), (90, 90, 20 * number)).save(made / "photos" / name / f"{number}.png")
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        yield made
        made.driver.quit()


def browse(page: Page, field: str) -> None:
    page.click(page.find(f"{field}_browse"))
    page.until(lambda: page.find("ti_folders_panel").is_displayed(), wanted="the folder browser")
    page.until(lambda: page.find("ti_folders_list", "input:checked"), wanted="a list of folders")


def at(page: Page, folder: Path) -> None:
    page.until(lambda: page.value("ti_folders_location") == str(folder), wanted=f"the folders of {folder}")


def listed(page: Page) -> list[str]:
    return [one.text for one in page.driver.find_elements(By.CSS_SELECTOR, "#ti_folders_list label")]


def entry(page: Page, name: str) -> Any:
    return next(
        one for one in page.driver.find_elements(By.CSS_SELECTOR, "#ti_folders_list label") if one.text.startswith(name)
    )


def closed(page: Page) -> None:
    page.until(lambda: not page.find("ti_folders_panel").is_displayed(), wanted="the page without the folder browser")


def keys(page: Page, *pressed: str) -> None:
    chain = ActionChains(page.driver)
    for key in pressed:
        chain = chain.send_keys(key)
    chain.perform()


def focused(page: Page) -> Any:
    return page.driver.switch_to.active_element


def test_a_folder_is_found_and_chosen_with_the_mouse(page: Page, folder: Path) -> None:
    page.open("Start")
    page.fill("ti_make_images", f'"{folder}"')
    browse(page, "ti_make_images")
    at(page, folder)
    assert "Folder with your images" in page.text("ti_folders_title")
    page.click(entry(page, "photos"))
    page.press("ti_folders_open")
    at(page, folder / "photos")
    assert listed(page) == ["This folder (2 folders)", "cats (3 images)", "dogs (2 images, 1 folder)"]
    page.shot("folders")
    ActionChains(page.driver).double_click(entry(page, "dogs")).perform()
    at(page, folder / "photos" / "dogs")
    page.press("ti_folders_up")
    at(page, folder / "photos")
    page.until(lambda: page.find("ti_folders_list", "input:checked").get_attribute("value").endswith("dogs"))
    page.click(entry(page, "cats"))
    page.press("ti_folders_choose")
    closed(page)
    page.until(lambda: page.value("ti_make_images") == str(folder / "photos" / "cats"), wanted="the field filled")


def test_all_of_it_is_done_with_the_keyboard(page: Page, folder: Path) -> None:
    page.tab("Train")
    page.fill("ti_train_dataset", str(folder / "photos"))
    page.driver.execute_script("arguments[0].focus()", page.find("ti_train_dataset_browse"))
    keys(page, Keys.ENTER)
    at(page, folder / "photos")
    page.until(lambda: focused(page).get_attribute("type") == "radio", wanted="the list in focus")
    keys(page, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER)
    at(page, folder / "photos" / "dogs")
    page.until(lambda: focused(page).get_attribute("value") == str(folder / "photos" / "dogs"))
    keys(page, Keys.BACKSPACE)
    at(page, folder / "photos")
    page.until(lambda: focused(page).get_attribute("value") == str(folder / "photos" / "dogs"))
    inside = "return document.querySelector('#ti_folders_panel').contains(document.activeElement)"
    for _ in range(12):
        keys(page, Keys.TAB)
        assert page.driver.execute_script(inside)
    page.driver.execute_script("document.querySelector('#ti_folders_list input:checked').focus()")
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
    closed(page)
    page.until(lambda: page.value("ti_train_dataset") == str(folder / "photos" / "dogs"), wanted="the field filled")
    page.until(lambda: focused(page).get_attribute("id") == "ti_train_dataset_browse", wanted="the button in focus")
    page.says("ti_train_images", "2 images")  # as when the path is typed


def test_escape_leaves_the_field_as_it_was(page: Page, folder: Path) -> None:
    before = page.value("ti_train_dataset")
    browse(page, "ti_train_dataset")
    page.click(entry(page, "puppies"))
    keys(page, Keys.ESCAPE)
    closed(page)
    assert page.value("ti_train_dataset") == before


def test_a_typed_location_that_does_not_exist_is_refused_by_name(page: Page, folder: Path) -> None:
    browse(page, "ti_train_dataset")
    page.fill("ti_folders_location", "nowhere")
    page.press("ti_folders_choose")
    page.says("ti_folders_message", f"Dataset directory '{folder / 'nowhere'}' does not exist")
    page.press("ti_folders_cancel")
    closed(page)


def test_a_chosen_source_folder_brings_its_prepared_folder(page: Page, folder: Path) -> None:
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(folder / "photos"))
    browse(page, "ti_dataset_folder")
    at(page, folder / "photos")
    page.click(entry(page, "cats"))
    page.press("ti_folders_choose")
    page.until(lambda: page.value("ti_dataset_folder") == str(folder / "photos" / "cats"))
    page.until(lambda: page.value("ti_prepare_output") == str(folder / "photos" / "cats-prepared"))
    page.unfold("Prepared folder and image size")
    browse(page, "ti_prepare_output")
    at(page, folder / "photos")
    page.says("ti_folders_message", "does not exist yet")
    page.fill("ti_folders_location", str(folder / "new"))
    page.press("ti_folders_choose")
    page.until(lambda: page.value("ti_prepare_output") == str(folder / "new"), wanted="a folder to be made")


def test_the_folders_used_last_are_there_after_a_restart(folder: Path) -> None:
    with serving(folder) as address:
        page = Page(address)
        try:
            page.open("Start")
            browse(page, "ti_make_images")
            page.click(page.find("ti_folders_recent", "input"))
            options = "#ti_folders_recent ul.options li"
            last, before = str(folder / "photos" / "cats"), str(folder / "photos" / "dogs")

            def offered() -> list[str]:
                shown = page.driver.find_elements(By.CSS_SELECTOR, options)
                return [one.text.removeprefix("✓").strip() for one in shown]

            page.until(lambda: offered()[0] == last and before in offered(), wanted="recent folders")
            assert len(offered()) == len(set(offered()))
            page.driver.find_elements(By.CSS_SELECTOR, options)[offered().index(before)].click()
            at(page, folder / "photos" / "dogs")
            page.press("ti_folders_choose")
            page.until(lambda: page.value("ti_make_images") == str(folder / "photos" / "dogs"))
        finally:
            page.driver.quit()
