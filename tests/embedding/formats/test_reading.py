"""Files read as numpy arrays: what torch wrote in any precision is read alike."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_ti.embedding.formats.reading import read
from lib_ti.errors import BadInput


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin"])
def test_vectors_of_every_precision_are_read_exactly(tmp_path: Path, dtype: torch.dtype, suffix: str) -> None:
    tensor = torch.randn(3, 768, generator=torch.Generator().manual_seed(1)).to(dtype)
    path = tmp_path / f"a{suffix}"
    save_file({"emb_params": tensor}, path) if suffix == ".safetensors" else torch.save({"a": tensor}, path)
    found = read(path)
    assert torch.equal(torch.from_numpy(found.vectors["clip_l"]), tensor.float())
    assert found.mean_lengths["clip_l"] == pytest.approx(tensor.float().norm(dim=1).mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\1",
        struct.pack("<Q", 1 << 60),
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 60) + b'{"a": {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 9]}}'[:60],
        struct.pack("<Q", 64) + b'{"a": {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]}}'[:64],
        struct.pack("<Q", 65) + b'{"a": {"dtype": "F32", "shape": [1, 4], "data_offsets": [0, 16]}}' + b"\0" * 15,
        struct.pack("<Q", 64) + b'{"a": {"dtype": "F8", "shape": [1, 4], "data_offsets": [0, 16]}}' + b"\0" * 16,
        struct.pack("<Q", 67) + b'{"a": {"dtype": "F32", "shape": [-1, -4], "data_offsets": [0, 16]}}' + b"\0" * 16,
    ],
)
def test_damaged_headers_are_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"damaged|empty"):
        read(path)
