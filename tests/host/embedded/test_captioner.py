"""BLIP from a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from lib_ti.errors import BadInput
from lib_ti.host.blip_input import pixels
from lib_ti.host.embedded.tools import CAPTIONER
from tests.host.drawn import noise
from tests.host.embedded.sessions import host_of
from tests.small_blip import make_blip


@pytest.fixture(scope="session")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BLIP; see :func:`tests.small_blip.make_blip`."""
    folder = tmp_path_factory.mktemp("tools")
    make_blip(folder / "BLIP")
    return folder


def test_images_are_captioned_alike_alone_and_together(blip_folder: Path) -> None:
    images = [noise(40, 30), noise(64, 200, seed=1), Image.new("RGB", (32, 32), "white")]
    messages: list[str] = []
    with host_of(blip_folder).tools.captioner(CAPTIONER, messages.append) as captioner:
        together = captioner.caption(images)
        alone = [captioner.caption([image])[0] for image in images]
        assert "BLIP" in captioner.options
    assert together == alone
    assert len(set(together)) > 1
    assert all(caption and "[" not in caption for caption in together)
    assert messages == [f"Loading the captioner BLIP from {blip_folder / 'BLIP'}."]


def test_images_are_normalized_as_for_clip() -> None:
    grey = Image.new("RGB", (30, 20), (127, 0, 255))
    (seen,) = pixels([grey], 16)
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    expected = (np.array([127, 0, 255]) / 255 - mean) / std
    assert seen.shape == (3, 16, 16)
    assert torch.allclose(seen.mean((1, 2)), torch.tensor(expected, dtype=torch.float32), atol=1e-5)


def test_a_missing_captioner_is_reported_with_its_folder(tmp_path: Path, blip_folder: Path) -> None:
    host = host_of(tmp_path)
    assert host.tools.captioners == (CAPTIONER,)
    with (
        pytest.raises(BadInput, match="no captioner 'deepbooru' here; use BLIP"),
        host.tools.captioner("deepbooru", print),
    ):
        pass
    with pytest.raises(BadInput) as caught, host.tools.captioner(CAPTIONER, print):
        pass
    assert f"in the folder {tmp_path / 'BLIP'}, where there is no config.json, no model.safetensors" in str(
        caught.value
    )
    assert "no tokenizer.json or vocab.txt" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model.safetensors", b"\x08\0\0\0\0\0\0\0{}", "is damaged, or not BLIP"),
        ("config.json", b"{", "is damaged, or not BLIP"),
        ("model.safetensors", None, "of its weights are missing"),
    ],
)
def test_a_damaged_captioner_is_refused(
    tmp_path: Path, blip_folder: Path, file: str, content: bytes | None, words: str
) -> None:
    (tmp_path / "BLIP").mkdir()
    for path in (blip_folder / "BLIP").iterdir():
        (tmp_path / "BLIP" / path.name).write_bytes(path.read_bytes())
    if content is None:
        save_file({"some.weight": torch.zeros(1)}, tmp_path / "BLIP" / file, metadata={"format": "pt"})
    else:
        (tmp_path / "BLIP" / file).write_bytes(content)
    with pytest.raises(BadInput, match=words), host_of(tmp_path).tools.captioner(CAPTIONER, lambda _: None):
        pass
