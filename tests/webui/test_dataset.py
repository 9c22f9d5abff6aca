"""From found photographs to a started training in a genuine WebUI and a real browser, without another program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_ti.embedding import files
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder, pictures_in
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


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running_with_tools(tmp_path_factory.mktemp("webui")) as tools:
        tools("make_deepbooru", tags=[*TAGS, *(f"tag{number}" for number in range(len(TAGS), 9176))], seen=len(TAGS))
        tools("make_upscalers")
        yield tools.webui


@pytest.fixture(scope="module")
def found(webui: Instance) -> Path:
    folder = webui.folder / "found"
    folder.mkdir()
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


@pytest.fixture(scope="module")
def originals(found: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in found.iterdir()}


@pytest.fixture(scope="module")
def prepared(found: Path) -> Path:
    return found.with_name("found-prepared")


@pytest.fixture(scope="module")
def page(webui: Instance, originals: dict[str, bytes]) -> Iterator[Page]:
    made = Page(webui.address)
    made.tab("Textual Inversion", OUTER)
    yield made
    made.driver.quit()


def test_what_is_found_is_looked_over_and_a_copy_left_out(page: Page, found: Path, prepared: Path) -> None:
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(found))
    page.press("ti_dataset_show")
    page.until(lambda: page.value("ti_prepare_output") == str(prepared))
    page.tab("Look over", STEPS)
    page.press("ti_look_over")
    page.says("ti_look_summary", "12 of 12 pictures are in use")
    page.unfold("Files that cannot be used (1)", "summary")
    page.says("ti_look_summary", "broken.jpg cannot be used: the file is empty")
    loaded = "return Array.from(document.querySelectorAll('#ti_look_pictures img')).every(one => one.naturalWidth)"
    page.until(lambda: page.driver.execute_script(loaded))
    page.shot("dataset-look")
    for name in ("astronaut (1).jpg", "moon soft.png"):
        switch = page.find("ti_look_pictures", f'[data-name="{name}"] .ti-switch')
        page.shown(switch).click()
    page.says("ti_look_summary", "10 of 12 pictures are in use, 2 excluded")


def test_a_picture_is_cut_in_two(page: Page, prepared: Path) -> None:
    page.tab("Cut", STEPS)
    page.press("ti_cut_show")
    card = '#ti_tabs .ti-card[data-name="motorcycle.jpg"]'
    picture = page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, card))
    page.shown(picture.find_element(By.CSS_SELECTOR, '[data-do="add"]')).click()
    page.says("ti_cut_said", "1 image cropped by hand")
    page.until(lambda: read_manifest(PreparedFolder(prepared)).edits.by_digest)
    page.shot("dataset-cut")


def test_lettering_is_erased_by_the_loaded_model(page: Page, prepared: Path) -> None:
    page.tab("Erase", STEPS)
    page.open_picture("erase", "coffee.png")
    page.press("ti_erase_propose")
    page.says("ti_erase_said", "looks like lettering")
    page.driver.find_elements(By.CSS_SELECTOR, "#ti_prepare_fill input")[2].click()
    page.press("ti_erase_fill")
    page.says("ti_erase_said", "Erased in coffee.png, by model", 180)
    page.shot("dataset-erase")
    edits = read_manifest(PreparedFolder(prepared)).edits.by_digest.values()
    assert [one.erased[0].method for one in edits if one.name == "coffee.png"] == ["model"]


def test_they_are_prepared_with_an_upscaler_of_the_webui(page: Page, found: Path, prepared: Path) -> None:
    page.tab("Prepare", STEPS)
    page.fill("ti_prepare_upscaler", "zqsmall")
    page.fill("ti_prepare_name", NAME)
    page.press("ti_prepare_plan")
    page.says("ti_prepare_said", "11 results")
    page.shot("dataset-plan")
    page.press("ti_prepare_run")
    said = page.says("ti_prepare_said", "is ready to train on", 30)
    assert "broken.jpg is skipped" in said
    assert "zqsmall" in page.find("ti_prepare_said").get_attribute("textContent")
    page.shot("dataset-prepared")
    results = pictures_in(prepared)
    assert [path.name for path in results] == [f"{NAME}_{number:03}.png" for number in range(1, 12)]
    assert {Image.open(path).size for path in results} == {(64, 64)}


def test_captions_are_written_and_corrected(page: Page, prepared: Path) -> None:
    page.tab("Captions", STEPS)
    page.until(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_captions_list [data-name]")) == 11)
    page.unfold("Have captions written by a model")
    page.fill("ti_caption_captioner", "deepbooru")
    page.fill("ti_caption_prefix", "photo")
    page.press("ti_captions_write")
    page.says("ti_captions_written", "10 captioned, 1 left with a caption of their own", 30)
    page.shot("dataset-captions")
    field = page.find("ti_captions_text", "textarea")
    field.send_keys(" seen from the side")
    page.says("ti_captions_state", "1 caption is not saved")
    pagoda = next(path for path in prepared.glob("*.txt") if "pagoda" in path.read_text())
    assert pagoda.read_text() == "a pagoda, blue sky"
    assert sum(path.read_text().startswith("photo outdoors, red hair") for path in prepared.glob("*.txt")) == 10


def test_a_mask_is_painted(page: Page, prepared: Path) -> None:
    page.tab("Masks", STEPS)
    page.until(lambda: page.find("ti_masks_stage", ".ti-paint.ti-ready"))
    page.paint("masks", [(0.2, 0.2), (0.8, 0.2), (0.8, 0.3)])
    page.says("ti_masks_said", "of the picture counts")
    page.shot("dataset-masks")
    with Image.open(prepared / f"{NAME}_001-mask.png") as mask:
        assert np.asarray(mask).min() == 0


def test_they_are_trained_on(webui: Instance, page: Page, prepared: Path) -> None:
    page.tab("Create")
    page.fill("ti_create_name", NAME)
    page.fill("ti_create_text", "photo")
    page.fill("ti_create_vectors", "4")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {NAME}")
    page.tab("Dataset")
    page.tab("Prepare", STEPS)
    page.press("ti_prepare_use")
    page.until(lambda: page.find("ti_train_dataset").is_displayed())
    assert page.value("ti_train_dataset") == str(prepared)
    assert page.value("ti_train_width") == "64"
    assert page.find("ti_train_use_alpha", "input").is_selected()
    page.fill("ti_train_max_steps", "20")
    page.fill("ti_train_save_image_every", "20")
    page.press("ti_check")
    page.says("ti_check_result", "1 caption is changed in the step Captions and not saved")
    page.tab("Dataset")
    page.tab("Captions", STEPS)
    page.press("ti_captions_save")
    page.until(lambda: "seen from the side" in (prepared / f"{NAME}_001.txt").read_text())
    page.tab("Train")
    page.press("ti_check")
    page.until(lambda: "not saved" not in page.text("ti_check_result"))
    page.says("ti_check_result", "10 pictures to train on, 1 held out")
    page.says("ti_check_result", "Not all of a picture counts in 1 picture")
    page.shot("dataset-check")
    page.press("ti_start")
    page.says("ti_status", "is finished: 20 steps", 180)
    assert files.load(webui.embeddings / f"{NAME}.safetensors").step == 20


def test_the_found_pictures_are_as_they_were(found: Path, originals: dict[str, bytes]) -> None:
    assert {path.name: path.read_bytes() for path in found.iterdir()} == originals
