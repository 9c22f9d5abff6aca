"""Which of several embeddings a genuine WebUI uses is the one that is named, and files that are none it passes over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import ImageRequest
from tests.webui.instance import Instance, running

REQUEST = ImageRequest("", seed=5, width=64, height=64, steps=8)


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui")) as instance:
        yield instance


@pytest.fixture(scope="module")
def words(webui: Instance) -> dict[str, torch.Tensor]:
    """Vectors of words that change a picture."""
    host = EmbeddedHost(webui.models / "pocket" / "pocket.safetensors", embeddings_folder=webui.embeddings)
    with host.models.session(SessionOptions()) as model:
        return {word: model.initial_vectors(word, 1)["clip_l"] for word in ("red", "blue")}


def write(webui: Instance, vectors: torch.Tensor, name: str) -> Path:
    path = webui.embeddings / name
    files.save(Embedding(path.stem, {"clip_l": vectors}), path)
    return path


def used(webui: Instance, name: str) -> str:
    """The file that the message for several ones names as used."""
    with pytest.raises(BadInput) as caught:
        library.find(webui.embeddings, name)
    return str(caught.value).partition("the WebUI uses ")[2].partition(" in prompts")[0]


def test_the_named_one_of_several_is_used(webui: Instance, words: dict[str, torch.Tensor]) -> None:
    """The same name, in one folder and in two, and names that read alike."""
    groups = {
        "zqone": ["zqone.safetensors", "old/zqone.pt"],
        "zqtwo": ["zqtwo.pt", "zqtwo.bin"],
        "zq-three": ["zq-three.pt", "old/ZQ - three.pt"],
    }
    colours = {
        str(write(webui, words[word], name)): word
        for names in groups.values()
        for name, word in zip(names, words, strict=True)
    }
    for word, vectors in words.items():
        write(webui, vectors, f"zq{word}x.pt")
    webui.post("refresh-embeddings")

    def drawn(name: str) -> np.ndarray:
        return webui.draw(replace(REQUEST, prompt=f"a big circle, {name}"))

    by_word = {word: drawn(f"zq{word}x") for word in words}
    assert np.abs(by_word["red"] - by_word["blue"]).mean() > 1
    for name in groups:
        expected = by_word[colours[used(webui, name)]]
        assert np.array_equal(drawn(name), expected), name


def test_what_is_kept_aside_unfinished_or_a_lock_is_passed_over(
    webui: Instance, words: dict[str, torch.Tensor]
) -> None:
    data = write(webui, words["red"], "zqfour.safetensors").read_bytes()
    for name in (
        "zqfour.safetensors.replaced-2026-11-30-101500",
        ".zqfive-0123abcd.safetensors.writing",
        ".zqsix.lock",
    ):
        (webui.embeddings / name).write_bytes(data)
    webui.post("refresh-embeddings")
    listed = webui.get("embeddings")
    assert {name for names in listed.values() for name in names if "zqf" in name or "zqs" in name} == {"zqfour"}
