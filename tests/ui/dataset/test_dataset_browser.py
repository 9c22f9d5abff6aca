"""The sub-tab Dataset as a whole, in a real browser: one folder, one set of decisions and one undo for all steps.

Needs what :mod:`tests.ui.browser` needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import PrepareConfig
from lib_ti.data.preparations import RELATIVE_NOTES
from lib_ti.pocket.files import CHECKPOINT
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from tests.prep.photographs import photograph, resize
from tests.ui.browser import By, Keys, Page, needs_browser, serving

selenium = pytest.importorskip("selenium", reason="the package selenium is not installed")

from selenium.webdriver import ActionChains  # noqa: E402 - after it is known that selenium is there

pytestmark = [
    pytest.mark.slow,
    needs_browser,
    pytest.mark.skipif(not CHECKPOINT.exists(), reason="the small model is not there"),
]
NAMES = ("camera", "chelsea", "china", "coffee", "rocket")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the program runs in."""
    return tmp_path_factory.mktemp("dataset")


@pytest.fixture(scope="module")
def address(server: Path) -> Iterator[str]:
    with serving(server) as address:
        yield address


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Photographs, and files that only their names make images."""
    folder = tmp_path / "found"
    folder.mkdir()
    for name in NAMES:
        resize(0.5)(photograph(name)).save(folder / f"{name}.jpg", quality=92)
    whole = (folder / "china.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2] + b"other")
    (folder / "broken.jpg").write_bytes(b"no image")
    (folder / "empty.png").write_bytes(b"")
    return folder


@pytest.fixture
def prepared(found: Path, server: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The images prepared at 256 pixels, named mine_001 and so on."""
    monkeypatch.setattr("lib_ti.data.preparations.NOTES", server / RELATIVE_NOTES)
    output = found.with_name("found-prepared")
    config = PrepareConfig(source=str(found), output=str(output), width=256, height=256, name="mine", framing="centre")
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    return output


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    made = Page(address)
    yield made
    made.driver.quit()


def step(page: Page, title: str) -> None:
    page.tab(title, "#ti_dataset_tabs")


def name_folders(page: Page, found: Path, output: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.until(lambda: page.value("ti_prepare_output").startswith(str(found.parent)))
    page.unfold("Prepared folder and image size")
    before = page.value("ti_dataset_shown")
    if page.value("ti_prepare_output") != str(output):
        page.fill("ti_prepare_output", str(output))
        page.until(lambda: page.value("ti_dataset_shown") != before)


def exclude(page: Page, name: str, output: Path) -> None:
    step(page, "Inspect")
    before = page.value("ti_dataset_task_done")
    page.press("ti_inspect_start")
    page.until(lambda: page.value("ti_dataset_task_done") != before)
    page.until(lambda: "are in use" in page.text("ti_inspect_summary"))
    page.until(lambda: "other folders" not in page.text("ti_inspect_summary"))
    page.shown(element(page, f'.ti-inspected[data-name="{name}"] .ti-switch')).click()
    page.until(lambda: name in excluded(output))


def decided(folder: Path) -> dict[str, Any]:
    edits = read_manifest(PreparedFolder(folder)).edits
    return {one.name: one for one in edits.by_digest.values()}


def excluded(folder: Path) -> set[str]:
    return {name for name, one in decided(folder).items() if one.excluded}


def element(page: Page, css: str) -> Any:
    return page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, css))


def keys(page: Page, *pressed: str) -> None:
    chain = ActionChains(page.driver)
    for key in pressed[:-1]:
        chain = chain.key_down(key)
    chain = chain.send_keys(pressed[-1])
    for key in pressed[:-1]:
        chain = chain.key_up(key)
    chain.perform()


def focus_nothing(page: Page) -> None:
    page.driver.execute_script("document.activeElement.blur()")


def refused(page: Page) -> list[str]:
    """What the browser's console says of answers that are errors."""
    return [one["message"] for one in page.driver.get_log("browser") if "status of 4" in one["message"]]


def test_only_use_for_training_fills_the_train_tab(page: Page, found: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.press("ti_dataset_show")
    page.says("ti_dataset_overview", "for training")
    page.tab("Train")
    page.says("ti_train_dataset_hint", "Dataset directory is empty: prepare the images of")
    assert page.value("ti_train_dataset") == ""
    page.shot("train-hint")
    page.tab("Dataset")
    page.press("ti_dataset_use")
    page.until(lambda: page.value("ti_train_dataset") == str(found))
    page.until(lambda: page.text("ti_train_dataset_hint") == "")


def test_showing_images_opens_the_step_that_shows_them(page: Page, found: Path) -> None:
    step(page, "Crop")
    page.fill("ti_dataset_folder", str(found))
    page.press("ti_dataset_show")
    page.until(lambda: page.find("ti_dataset_images", "img").is_displayed())
    step(page, "Masks")
    page.find("ti_dataset_folder", ":is(textarea, input)").send_keys(Keys.ENTER)
    page.until(lambda: page.find("ti_dataset_images", "img").is_displayed())


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
    page.says("ti_inspect_message", "Undone: 1 image.")
    assert "camera.jpg" not in excluded(output)
    page.until(lambda: page.find("ti_inspect_redo").is_enabled())
    keys(page, Keys.CONTROL, "y")
    page.says("ti_inspect_message", "Redone: 1 image.")
    assert "camera.jpg" in excluded(output)
    step(page, "Remove")
    page.open_image("remove", "coffee.jpg")
    page.paint("remove", [(0.3, 0.3), (0.5, 0.3)])
    element(page, '#ti_remove_stage [data-undo="yes"]')
    focus_nothing(page)
    keys(page, Keys.CONTROL, "z")
    element(page, '#ti_remove_stage [data-undo="no"][data-redo="yes"]')
    keys(page, Keys.CONTROL, Keys.SHIFT, "z")
    element(page, '#ti_remove_stage [data-undo="yes"][data-redo="no"]')
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in coffee.jpg")
    page.until(lambda: page.find("ti_remove_stage", ".ti-before"))
    keys(page, Keys.CONTROL, "z")
    page.says("ti_remove_message", "Undone in coffee.jpg")
    assert page.value("ti_dataset_folder") == str(found)


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
    page.press("ti_dataset_show")
    page.says("ti_dataset_overview", "excluded and not trained")
    assert "rocket.jpg" in page.text("ti_dataset_overview")
    element(page, "#ti_dataset_images figure.ti-is-excluded")
    page.shot("images-excluded")
    step(page, "Prepare")
    page.press("ti_prepare_use")
    page.until(lambda: page.value("ti_train_dataset") == str(prepared))
    page.tab("Dataset")
    page.says("ti_prepare_used", "1 result of images that were excluded since will not be trained")


def test_another_prepared_folder_has_the_same_decisions(page: Page, found: Path, prepared: Path) -> None:
    name_folders(page, found, prepared)
    exclude(page, "rocket.jpg", prepared)
    second = found.with_name("second")
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
    page.says("ti_dataset_message", "was last prepared with")
    # A folder without any brings none, and the first one brings its own again.
    page.fill("ti_prepare_name", "other")
    page.unfold("Prepared folder and image size")
    page.fill("ti_prepare_output", str(found.with_name("third")))
    page.until(lambda: "was last prepared with" not in page.text("ti_dataset_message"))
    assert page.value("ti_prepare_name") == "other"
    page.fill("ti_prepare_output", str(prepared))
    page.until(lambda: page.value("ti_prepare_name") == "mine")
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
    assert page.text("ti_masks_stage").count("mask") == 0


def test_files_that_are_no_images_leave_the_console_clean(page: Page, found: Path, prepared: Path) -> None:
    assert not refused(page)
    (prepared / "damaged.png").write_bytes(b"no image")
    name_folders(page, found, prepared)
    page.press("ti_dataset_show")
    page.says("ti_dataset_overview", "for training")
    page.shot("images-broken")
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
