"""The tab in a genuine WebUI and a real browser with models of SD2 and SDXL: from an empty name to txt2img."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from lib_ti.embedding import files
from lib_ti.host.model import ImageRequest
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.snapshot import ACTIVE
from tests.ui.browser import By, Page, needs_browser
from tests.webui.families import LARGER, LARGER_SIZE, Families, running_with_families

pytestmark = needs_browser
OUTER = "#tabs > .tab-nav"
PROMPT = "a big circle, by [name]"
FIELDS = {"neg_prompt": "triangle", "steps": "4", "width": "64", "height": "64", "seed": "7", "cfg_scale": "5"}
TENSORS = {"sdxl": {"clip_l", "clip_g"}, "sd2-v": {"emb_params"}}
_RUN_SECONDS = 180


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Families]:
    with running_with_families(tmp_path_factory.mktemp("webui"), kinds=(*TENSORS, LARGER)) as running:
        yield running


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    sample_set(folder, "striped", count=12)
    return folder


@pytest.fixture(scope="module")
def browser(families: Families) -> Iterator[Page]:
    made = Page(families.webui.address)
    yield made
    made.driver.quit()


@pytest.fixture(params=list(TENSORS), scope="module")
def kind(request: pytest.FixtureRequest, families: Families) -> str:
    families.load(request.param)
    return str(request.param)


@pytest.fixture
def page(families: Families, kind: str, browser: Page) -> Iterator[Page]:
    """A page that was just opened, with the family's model loaded; a run that a failed test leaves is ended."""
    browser.open()
    browser.tab("Textual Inversion", OUTER)
    yield browser
    families.webui.call("stop")
    while families.webui.call("watched")["state"] in ACTIVE:
        time.sleep(0.2)


def generated(families: Families, name: str) -> np.ndarray:
    prompt = PROMPT.replace("[name]", name)
    request = ImageRequest(prompt, "triangle", sampler="DPM++ 2M", steps=4, seed=7, width=64, height=64, cfg_scale=5)
    return families.webui.draw(request)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(np.int16)


def test_an_embedding_is_created_trained_restored_and_used(
    families: Families, kind: str, page: Page, images: Path
) -> None:
    webui, name = families.webui, f"zqtest-{kind}"
    path = webui.embeddings / f"{name}.safetensors"

    page.tab("Create")
    page.fill("ti_create_name", name)
    page.says("ti_create_name_remarks", "is free")
    page.fill("ti_create_text", "striped drawing")
    page.fill("ti_create_vectors", "4")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {name} with 4 vectors")
    page.shot(f"{kind}-create")
    assert set(load_file(path)) == TENSORS[kind]
    assert webui.get("embeddings")["loaded"][name]["vectors"] == 4
    fresh = generated(families, name)

    page.tab("txt2img", OUTER)
    for field, value in {"prompt": PROMPT.replace("[name]", name), **FIELDS}.items():
        page.fill(f"txt2img_{field}", value)
    page.tab("Textual Inversion", OUTER)
    page.tab("Train")
    assert page.value("ti_train_name") == name
    assert page.value("ti_train_width") == "64"  # the model's own
    page.fill("ti_train_dataset", str(images))
    page.fill("ti_train_max_steps", "30")
    page.fill("ti_train_save_image_every", "10")
    page.fill("ti_train_save_embedding_every", "10")
    page.tick("ti_from_txt2img")
    page.unfold("Learning")
    page.tick("ti_train_restore_best")
    said = page.check()
    assert "fits the model" in said
    assert f"Model {kind}" in said
    page.shot(f"{kind}-check")

    page.press("ti_start")
    page.says("ti_status", f"The run of “{name}” is finished: 30 steps", _RUN_SECONDS)
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_previews img")) == 4
    page.shot(f"{kind}-finished")
    run = next((webui.folder / "runs").glob(f"*/{name}"))
    learned = generated(families, name)
    assert not np.array_equal(learned, fresh)
    assert np.abs(learned - pixels(run / "images" / f"{name}-30.png")).mean() < 1
    assert files.load(path).step == 30

    page.tab("Results")
    page.until(lambda: page.value("ti_results_name") == name, wanted="the run's embedding")
    page.press("ti_results_show")
    page.says("ti_results_preview", "step 30")
    page.shot(f"{kind}-results")
    page.fill("ti_checkpoint", "10")
    page.press("ti_restore_checkpoint")
    page.says("ti_checkpoint_message", "is now the checkpoint of step 10")
    assert np.abs(generated(families, name) - pixels(run / "images" / f"{name}-10.png")).mean() < 1
    page.press("ti_send_txt2img")
    page.until(lambda: page.find("txt2img_prompt").is_displayed(), wanted="the tab txt2img")
    assert page.value("txt2img_prompt") == PROMPT.replace("[name]", name)
    page.press("txt2img_generate")
    page.until(
        lambda: page.driver.find_elements(By.CSS_SELECTOR, "#txt2img_gallery img"), wanted="an image of the WebUI's own"
    )
    page.shot(f"{kind}-txt2img")


def test_another_family_s_embedding_is_refused_by_name(families: Families, kind: str, page: Page, images: Path) -> None:
    other = next(one for one in TENSORS if one != kind)
    name = f"zqtest-made-for-{other}"
    families.load(other)
    families.webui.call("create", name=name, text="striped", vectors=2, overwrite=True)
    families.load(kind)
    page.tab("Train")
    page.fill("ti_train_name", name)
    page.fill("ti_train_dataset", str(images))
    page.press("ti_check")
    page.says("ti_check_result", "Choose a model of the embedding's kind")
    page.shot(f"{kind}-refused")


def test_the_size_is_the_models_until_another_is_typed(families: Families, browser: Page) -> None:
    families.load("sdxl")
    browser.open()
    browser.tab("Textual Inversion", OUTER)
    browser.tab("Train")
    browser.until(lambda: browser.value("ti_train_width") == "64", wanted="the model's size")
    families.load(LARGER)
    assert families("size_before_loading") == LARGER_SIZE
    browser.tab("Create")
    browser.tab("Train")
    for side in ("width", "height"):
        browser.until(lambda side=side: browser.value(f"ti_train_{side}") == str(LARGER_SIZE), wanted=f"its {side}")
    browser.fill("ti_train_width", "192")
    families.load("sdxl")
    browser.tab("Create")
    browser.tab("Train")
    time.sleep(2)
    assert [browser.value(f"ti_train_{side}") for side in ("width", "height")] == ["192", str(LARGER_SIZE)]


def test_a_preview_in_progress_and_a_contact_sheet_are_shown(
    families: Families, kind: str, page: Page, images: Path
) -> None:
    webui, name = families.webui, f"zqtest-sheet-{kind}"
    webui.call("create", name=name, text="striped", vectors=2)
    settings = {
        "name": name,
        "dataset": str(images),
        "max_steps": 4,
        "width": 64,
        "height": 64,
        "save_embedding_every": 2,
        "save_image_every": 4,
        "preview_prompt": PROMPT,
        "preview_steps": 100,
        "preview_width": 128,
        "preview_height": 128,
        "log_directory": str(webui.folder / "runs"),
    }
    webui.call("begin", **settings)
    page.tab("Train")
    page.says("ti_status", "Generating a preview at step")
    page.shot(f"{kind}-previewing")
    page.says("ti_status", f"The run of “{name}” is finished: 4 steps", _RUN_SECONDS)

    page.tab("Results")
    page.until(lambda: page.value("ti_results_name") == name, wanted="the run's embedding")
    page.press("ti_results_show")
    page.says("ti_results_preview", "step 4")
    page.unfold("Contact sheet")
    page.fill("ti_sheet_prompts", f"{PROMPT}\na small square, by [name]")
    page.press("ti_sheet_generate")
    page.until(lambda: page.find("ti_sheet", "img").is_displayed(), 120, wanted="the contact sheet")
    assert "2 prompts, before training and with 2 checkpoints" in page.text("ti_sheet")
    page.shot(f"{kind}-sheet")
    run = next((webui.folder / "runs").glob(f"*/{name}"))
    (sheet,) = run.glob("*contact*.png")
    with Image.open(sheet) as image:
        assert image.width > 3 * 64
