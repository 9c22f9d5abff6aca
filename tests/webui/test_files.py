"""A genuine WebUI lists and uses every embedding file that is written here, and its own files are read here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats import reading
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import ImageRequest

if TYPE_CHECKING:
    from tests.webui.conftest import WebUI

pytestmark = pytest.mark.webui

PREFIX = "zqtest"
COUNT, STEP = 3, 123
BARE = "bare"  # a PNG card whose text chunk was lost: the WebUI reads the pixels
KINDS = (*(suffix.removeprefix(".") for suffix in reading.SUFFIXES), BARE)
WITH_DETAILS = ("pt", "png", "webp", BARE)  # of the others the WebUI reads the vectors only
REQUEST = ImageRequest("a picture, art by nobody", seed=5, width=64, height=64)


def _name(kind: str) -> str:
    return PREFIX + kind


@pytest.fixture(scope="module")
def vectors(pocket_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    """(3, width): words that change a picture."""
    host = EmbeddedHost(pocket_checkpoint, embeddings_folder=tmp_path_factory.mktemp("embeddings"))
    with host.models.session(SessionOptions()) as model:
        return model.initial_vectors("red star striped", COUNT)["clip_l"]


@pytest.fixture(scope="module")
def listed(webui: WebUI, vectors: torch.Tensor, embeddings_removed: None) -> dict[str, Any]:
    """What the WebUI says after one embedding was saved in each format: its "loaded" and its "skipped"."""
    picture = Image.effect_noise((96, 64), 80).convert("RGB")
    for suffix in reading.SUFFIXES:
        embedding = Embedding(_name(suffix[1:]), {"clip_l": vectors}, step=STEP, model_name="pocket", recipe={"a": [1]})
        files.save(embedding, webui.embeddings / f"{embedding.name}{suffix}", picture)
    bare = webui.embeddings / f"{_name(BARE)}.png"
    files.save(Embedding(_name(BARE), {"clip_l": vectors}, step=STEP, model_name="pocket"), bare, picture)
    with Image.open(bare) as card:
        card.convert("RGB").save(bare)
    webui.post("refresh-embeddings")
    return webui.get("embeddings")


@pytest.fixture(scope="module")
def by_tensor_file(webui: WebUI, listed: dict[str, Any]) -> np.ndarray:
    return webui.draw(replace(REQUEST, prompt=f"a picture, art by {_name('safetensors')}"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_webui_loads_each_format(listed: dict[str, Any], vectors: torch.Tensor, kind: str) -> None:
    assert _name(kind) not in listed["skipped"]
    found = listed["loaded"][_name(kind)]
    assert (found["vectors"], found["shape"]) == tuple(vectors.shape)
    assert (found["step"], found["sd_checkpoint_name"]) == ((STEP, "pocket") if kind in WITH_DETAILS else (None, None))


@pytest.mark.parametrize("kind", KINDS)
def test_all_formats_draw_the_same_picture(webui: WebUI, by_tensor_file: np.ndarray, kind: str) -> None:
    drawn = webui.draw(replace(REQUEST, prompt=f"a picture, art by {_name(kind)}"))
    assert np.array_equal(drawn, by_tensor_file)


def test_the_embedding_changes_the_picture(webui: WebUI, by_tensor_file: np.ndarray) -> None:
    assert np.abs(webui.draw(REQUEST) - by_tensor_file).mean() > 5


def test_what_the_webui_creates_is_read_here(webui: WebUI, listed: dict[str, Any], vectors: torch.Tensor) -> None:
    name = _name("created")
    webui.post(
        "create/embedding",
        {"name": name, "num_vectors_per_token": COUNT, "overwrite_old": True, "init_text": "red star striped"},
    )
    embedding = files.load(webui.embeddings / f"{name}.pt")
    assert (embedding.name, embedding.step) == (name, 0)
    assert torch.equal(embedding.vectors["clip_l"], vectors)
