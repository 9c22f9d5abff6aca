"""From found photographs to a trained embedding in a genuine WebUI and a real browser, without another program.

Each test has folders of its own and a page that was just opened, and makes by itself what it needs.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder, images_in
from tests.prep.photographs import blur, letter, photograph, resize
from tests.ui.browser import By, Page, needs_browser
from tests.webui.instance import Instance
from tests.webui.tools import running_with_tools

pytestmark = needs_browser
NAME = "zqtest-found"
OUTER = "#tabs > .tab-nav"
STEPS = "#ti_dataset_tabs"
TAGS = ["outdoors", "red_hair"]
SHARP = ("astronaut", "camera", "chelsea", "china", "flower", "ihc", "motorcycle", "rocket")
_MODEL_SECONDS = 240  # for what a model does, on a busy machine
EXCLUDED = ("astronaut (1).jpg", "moon soft.png")


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running_with_tools(tmp_path_factory.mktemp("webui")) as tools:
        tools("make_deepbooru", tags=[*TAGS, *(f"tag{number}" for number in range(len(TAGS), 9176))], seen=len(TAGS))
        tools("make_upscalers")
        yield tools.webui


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound photographs, and some that have each a fault."""
    folder = tmp_path_factory.mktemp("photographs")
    for name in SHARP:
        photograph(name).save(folder / f"{name}.jpg", quality=92)
    lettered = letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold")
    lettered(photograph("coffee")).save(folder / "coffee.png")
    resize(0.08)(photograph("retina")).save(folder / "tiny.png")
    resize(0.6)(photograph("astronaut")).save(folder / "astronaut (1).jpg", quality=85)
    blur(6)(photograph("moon")).save(folder / "moon soft.png")
    (folder / "china.txt").write_text("a pagoda, blue sky")
    (folder / "broken.jpg").write_bytes(b"")
    return folder


_numbers = itertools.count(1)


@pytest.fixture
def found(webui: Instance, photographs: Path) -> Iterator[Path]:
    """The photographs in a folder of the test's own; they must be the same files afterwards."""
    folder = webui.folder / f"found-{next(_numbers)}"
    shutil.copytree(photographs, folder)
    yield folder
    assert _content(folder) == _content(photographs)


@pytest.fixture(scope="module")
def browser(webui: Instance) -> Iterator[Page]:
    made = Page(webui.address)
    yield made
    made.driver.quit()


@pytest.fixture
def page(browser: Page, found: Path) -> Page:
    """A page that was just opened and shows the photographs."""
    browser.open()
    browser.tab("Textual Inversion", OUTER)
    browser.tab("Dataset")
    browser.fill("ti_dataset_folder", str(found))
    prepared = str(_prepared(found))
    browser.until(lambda: browser.value("ti_prepare_output") == prepared, wanted=f"{prepared} as prepared folder")
    return browser


@pytest.fixture
def prepared(found: Path) -> Path:
    """The photographs, prepared by the command line: 12 results."""
    folder = _prepared(found)
    assert main(["prepare", str(found), str(folder), "--name", NAME, "--width", "64", "--height", "64"]) == 0
    return folder


def test_images_are_inspected_and_some_excluded(page: Page) -> None:
    page.tab("Inspect", STEPS)
    page.press("ti_inspect_start")
    page.says("ti_inspect_summary", "12 of 12")
    page.unfold("Files that cannot be used (1)", "summary")
    page.says("ti_inspect_summary", "broken.jpg cannot be used: the file is empty")
    loaded = "return Array.from(document.querySelectorAll('#ti_inspect_images img')).every(one => one.naturalWidth)"
    page.until(lambda: page.driver.execute_script(loaded), wanted="all images loaded")
    page.shot("dataset-look")
    _exclude(page)


def test_an_image_is_cropped_in_two(page: Page, found: Path) -> None:
    page.tab("Crop", STEPS)
    page.press("ti_crop_show")
    _crop_in_two(page, found)
    page.shot("dataset-cut")


def test_text_is_removed_by_the_loaded_model(page: Page, found: Path) -> None:
    page.tab("Remove", STEPS)
    page.open_image("remove", "coffee.png")
    page.press("ti_remove_find_text")
    page.says("ti_remove_message", "Possible text")
    page.click(page.driver.find_element(By.CSS_SELECTOR, "#ti_prepare_fill input[value=model]"))
    page.press("ti_remove_start")
    page.says("ti_remove_message", "coffee.png, by model", _MODEL_SECONDS)
    page.shot("dataset-erase")
    edits = read_manifest(PreparedFolder(_prepared(found))).edits.by_digest.values()
    assert [one.removed_regions[0].method for one in edits if one.name == "coffee.png"] == ["model"]


def test_text_of_all_images_is_reviewed_and_kept(page: Page, found: Path) -> None:
    page.tab("Remove", STEPS)
    page.press("ti_review_start")
    page.says("ti_review_message", "text that can be removed", _MODEL_SECONDS)
    page.click(page.find("ti_review_pairs", '[data-name="coffee.png"] .ti-switch'))
    page.until(lambda: page.find("ti_review_pairs", "[aria-checked=false]"), wanted="a rejected image")
    page.press("ti_review_accept")
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "#ti_review_pairs [aria-checked=false]"))
    page.shot("dataset-review")
    page.press("ti_review_keep")
    page.says("ti_review_message", "Removed the text of")
    edits = read_manifest(PreparedFolder(_prepared(found))).edits.by_digest.values()
    assert [one.removed_regions[0].model for one in edits if one.name == "coffee.png"] == [""]


def test_images_are_prepared_with_an_upscaler_of_the_webui(page: Page, found: Path) -> None:
    _prepare(page, found, 12)


def test_captions_are_written_and_corrected(page: Page, prepared: Path) -> None:
    _write_captions(page, prepared, 12)


def test_a_mask_is_painted(page: Page, prepared: Path) -> None:
    page.tab("Masks", STEPS)
    page.until(lambda: page.find("ti_masks_stage", ".ti-paint.ti-ready"), wanted="an image to paint on")
    page.paint("masks", [(0.2, 0.2), (0.8, 0.2), (0.8, 0.3)])
    page.says("ti_masks_message", "is trained")
    page.shot("dataset-masks")
    with Image.open(prepared / f"{NAME}_001-mask.png") as mask:
        assert np.asarray(mask).min() == 0


def test_found_photographs_become_an_embedding(webui: Instance, page: Page, found: Path) -> None:
    prepared = _prepared(found)
    page.tab("Inspect", STEPS)
    page.press("ti_inspect_start")
    page.says("ti_inspect_summary", "12 of 12")
    _exclude(page)
    page.says("ti_dataset_overview", "2 excluded")
    page.press("ti_next_inspect")
    _crop_in_two(page, found)
    page.says("ti_todo_crop", "Done")
    page.press("ti_next_crop")
    page.until(lambda: page.find("ti_remove_stage", ".ti-paint"), wanted="the step Remove")
    page.press("ti_next_remove")
    _prepare(page, found, 11)
    page.says("ti_todo_prepare", "Done")
    page.press("ti_next_prepare")
    _write_captions(page, prepared, 11)
    page.says("ti_todo_captions", "1 caption is not saved")
    page.press("ti_next_captions")
    page.until(lambda: page.find("ti_masks_stage", ".ti-paint"), wanted="the step Masks")
    page.shot("dataset-masks-next")
    page.tab("Create")
    page.fill("ti_create_name", NAME)
    page.fill("ti_create_text", "photo")
    page.fill("ti_create_vectors", "4")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {NAME}")
    page.tab("Dataset")
    page.press("ti_next_masks")
    page.until(lambda: page.find("ti_train_dataset").is_displayed(), wanted="the Train tab")
    assert page.value("ti_train_dataset") == str(prepared)
    assert page.value("ti_train_width") == "64"
    page.fill("ti_train_max_steps", "20")
    page.fill("ti_train_save_image_every", "20")
    page.unfold("Learning")
    page.tick("ti_train_restore_best")
    page.press("ti_check")
    page.says("ti_check_result", "1 caption has unsaved changes in the step Captions")
    page.tab("Dataset")
    page.tab("Captions", STEPS)
    page.press("ti_captions_save")
    first = prepared / f"{NAME}_001.txt"
    page.until(lambda: "seen from the side" in first.read_text(), wanted="the caption saved")
    page.tab("Train")
    page.press("ti_check")
    page.until(lambda: "unsaved" not in page.text("ti_check_result"), wanted="no unsaved caption")
    assert "10 images for training, 1" in page.check()
    page.shot("dataset-check")
    page.press("ti_start")
    page.says("ti_status", "is finished: 20 steps", _MODEL_SECONDS)
    assert files.load(webui.embeddings / f"{NAME}.safetensors").step == 20


def _prepared(found: Path) -> Path:
    return found.with_name(f"{found.name}-prepared")


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _exclude(page: Page) -> None:
    for name in EXCLUDED:
        page.click(page.find("ti_inspect_images", f'[data-name="{name}"] .ti-switch'))
    page.says("ti_inspect_summary", "10 of 12")


def _crop_in_two(page: Page, found: Path) -> None:
    add = '#ti_tabs .ti-card[data-name="motorcycle.jpg"] [data-do="add"]'
    page.click(page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, add), wanted="motorcycle.jpg"))
    page.says("ti_crop_message", "by hand")
    manifest = PreparedFolder(_prepared(found))
    page.until(
        lambda: any(len(one.crop_boxes) == 2 for one in read_manifest(manifest).edits.by_digest.values()),
        wanted="two crop boxes kept",
    )


def _prepare(page: Page, found: Path, results: int) -> None:
    prepared = _prepared(found)
    page.tab("Prepare", STEPS)
    page.fill("ti_prepare_upscaler", "zqsmall")
    page.fill("ti_prepare_name", NAME)
    page.press("ti_prepare_plan")
    page.says("ti_prepare_message", f"{results} results")
    page.shot("dataset-plan")
    page.press("ti_prepare_run")
    said = page.says("ti_prepare_message", "is ready to train on", _MODEL_SECONDS)
    assert "broken.jpg" in said
    assert "zqsmall" in page.find("ti_prepare_message").get_attribute("textContent")
    page.shot("dataset-prepared")
    images = images_in(prepared)
    assert [path.name for path in images] == [f"{NAME}_{number:03}.png" for number in range(1, results + 1)]
    assert {Image.open(path).size for path in images} == {(64, 64)}


def _write_captions(page: Page, prepared: Path, images: int) -> None:
    page.tab("Captions", STEPS)
    row = "#ti_captions_list [data-name]"
    page.until(
        lambda: len(page.driver.find_elements(By.CSS_SELECTOR, row)) == images, wanted=f"{images} images to caption"
    )
    page.unfold("Generate captions with a model")
    page.fill("ti_caption_captioner", "deepbooru")
    page.fill("ti_caption_prefix", "photo")
    page.press("ti_captions_generate")
    page.says("ti_captions_result", f"{images - 1} captioned, 1", _MODEL_SECONDS)
    page.shot("dataset-captions")
    field = page.find("ti_captions_text", "textarea")
    field.send_keys(" seen from the side")
    page.says("ti_captions_state", "1 caption is not saved")
    captions = [path.read_text() for path in prepared.glob("*.txt")]
    assert "a pagoda, blue sky" in captions
    assert sum(text.startswith("photo outdoors, red hair") for text in captions) == images - 1
