"""Pocket-xl in a genuine WebUI and a real browser: a style that is learned in the tab appears in txt2img's images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from lib_ti.embedding import files
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import ImageRequest
from lib_ti.pocket import XL_CHECKPOINT, reader
from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import By, Page, needs_browser
from tests.webui.families import POCKET_XL, Families, running_with_families

NAME, STYLE, STEPS = "zqtest-style", "outlined", 60
OUTER = "#tabs > .tab-nav"
PROMPTS = (
    "a big red circle, white background",
    "a small blue star on the left, pink background",
    "a big green cross, grey background",
    "a big yellow triangle on the right, cyan background",
    "a big purple ring, white background",
    "a big orange square, grey background",
)
REQUEST = ImageRequest("", steps=12, sampler="DPM++ 2M", cfg_scale=5, seed=4, width=64, height=64)


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Families]:
    with running_with_families(tmp_path_factory.mktemp("webui"), kinds=(POCKET_XL,)) as running:
        yield running


def generated(families: Families, name: str = "") -> list[np.ndarray]:
    texts = [f"{prompt}, by {name}" if name else prompt for prompt in PROMPTS]
    return [families.webui.draw(replace(REQUEST, prompt=text)) for text in texts]


def styles(images: list[np.ndarray]) -> list[str]:
    return [one.style for one in reader.read(np.stack(images).astype(np.uint8))]


def test_the_webui_generates_with_it_as_the_embedded_host(families: Families, tmp_path: Path) -> None:
    images = generated(families)
    with EmbeddedHost(XL_CHECKPOINT, embeddings_folder=tmp_path).models.session(SessionOptions()) as model:
        for prompt, theirs in zip(PROMPTS, images, strict=True):
            ours = np.asarray(model.generate(replace(REQUEST, prompt=prompt), [])).astype(np.int16)
            assert np.abs(theirs - ours).max() <= 2
    colours = [one.colour for one in reader.read(np.stack(images).astype(np.uint8))]
    assert colours == [prompt.split()[2] for prompt in PROMPTS]


@needs_browser
def test_a_style_is_learned_in_the_tab_and_used_in_txt2img(families: Families, tmp_path: Path) -> None:
    webui, images = families.webui, tmp_path / "images"
    sample_set(images, STYLE, count=30)
    page = Page(webui.address)
    try:
        page.tab("Textual Inversion", OUTER)
        _create(page)
        fresh = styles(generated(families, NAME))
        assert fresh.count(STYLE) <= 1
        _train(page, images)
        run = next((webui.folder / "runs").glob(f"*/{NAME}"))
        learned = generated(families, NAME)
        assert styles(learned).count(STYLE) >= 5
        step = files.load(webui.embeddings / f"{NAME}.safetensors").step  # the best one, with this preset
        shown = np.asarray(Image.open(run / "images" / f"{NAME}-{step}.png").convert("RGB")).astype(np.int16)
        assert np.abs(learned[0] - shown).mean() < 1
        _use(page)
    finally:
        page.driver.quit()
    _both_encoders_use_theirs(families, learned)


def _create(page: Page) -> None:
    page.tab("Create")
    page.fill("ti_create_name", NAME)
    page.fill("ti_create_text", "drawing")
    page.fill("ti_create_vectors", "4")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {NAME} with 4 vectors")
    assert "clip_l (20 numbers) and clip_g (32 numbers)" in page.text("ti_create_result")
    page.shot("pocket-xl-create")


def _train(page: Page, images: Path) -> None:
    page.tab("txt2img", OUTER)
    fields = {"prompt": f"{PROMPTS[0]}, by {NAME}", "steps": "12", "width": "64", "height": "64", "seed": "4"}
    for field, value in {**fields, "cfg_scale": "5"}.items():
        page.fill(f"txt2img_{field}", value)
    page.tab("Textual Inversion", OUTER)
    page.tab("Train")
    assert page.value("ti_train_width") == "64"  # the model's own
    page.click(page.find("ti_train_preset", "input[value='style']"))
    page.until(lambda: page.value("ti_train_learning_rate") == "1.1x", wanted="the learning rate of the preset")
    for field, value in {
        "dataset": str(images),
        "template": "style_filewords",
        "max_steps": str(STEPS),
        "save_image_every": "10",
        "save_embedding_every": "20",
    }.items():
        page.fill(f"ti_train_{field}", value)
    page.unfold("Learning")
    page.fill("ti_train_validate_every", "10")  # so that there is a preview of the best step
    page.tick("ti_from_txt2img")
    assert f"Model {POCKET_XL}" in page.check()
    page.shot("pocket-xl-check")
    page.press("ti_start")
    page.says("ti_status", f"The run of “{NAME}” is finished: {STEPS} steps", 300)
    page.until(
        lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_previews img")) == 6, wanted="the newest previews"
    )
    page.shot("pocket-xl-trained")


def _use(page: Page) -> None:
    page.tab("txt2img", OUTER)
    page.press("txt2img_generate")
    page.until(
        lambda: page.driver.find_elements(By.CSS_SELECTOR, "#txt2img_gallery img"), wanted="an image of the WebUI's own"
    )
    page.shot("pocket-xl-txt2img")


def _both_encoders_use_theirs(families: Families, learned: list[np.ndarray]) -> None:
    """Images change when the vectors of either encoder are zero."""
    path = families.webui.embeddings / f"{NAME}.safetensors"
    vectors = load_file(path)
    assert vectors.keys() == {"clip_l", "clip_g"}
    for key in vectors:
        other = path.with_name(f"zqtest-no-{key.replace('_', '-')}.safetensors")
        save_file({**vectors, key: vectors[key] * 0}, other)
        families.webui.post("refresh-embeddings")
        assert any(not np.array_equal(a, b) for a, b in zip(generated(families, other.stem), learned, strict=True))
