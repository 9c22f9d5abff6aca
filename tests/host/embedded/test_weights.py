"""Weights of a file reach the networks as they are, or rounded once."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save

from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import read_checkpoint
from lib_ti.host.embedded.networks import Networks, build, unet_names
from tests.networks import describe

DTYPES = [torch.float32, torch.float16, torch.bfloat16]
UNET = "model.diffusion_model."


def written(path: Path, weights: dict[str, torch.Tensor], dtype: torch.dtype, padding: int = 0) -> Path:
    """Write a checkpoint in a precision, its header longer by ``padding`` bytes than to a multiple of eight."""
    data = save({name: one.to(dtype).contiguous() for name, one in weights.items()})
    length = struct.unpack("<Q", data[:8])[0]
    header = json.dumps(json.loads(data[8 : 8 + length])).encode()
    header += b" " * (-len(header) % 8 + padding)
    path.write_bytes(struct.pack("<Q", len(header)) + header + data[8 + length :])
    return describe(path)


def networks_of(path: Path, dtype: torch.dtype) -> Networks:
    checkpoint = read_checkpoint(path)
    return build(checkpoint, architecture(checkpoint), dtype)


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("stored", DTYPES, ids=str)
@pytest.mark.parametrize("wanted", DTYPES, ids=str)
def test_the_unet_has_the_file_s_values(
    checkpoint: Path, tmp_path: Path, stored: torch.dtype, wanted: torch.dtype, padding: int
) -> None:
    path = written(tmp_path / "model.safetensors", load_file(checkpoint), stored, padding)
    unet = networks_of(path, wanted).unet
    content, ldm_name = load_file(checkpoint), unet_names(unet)
    for name, weight in unet.named_parameters():
        expected = content[UNET + ldm_name(name)].to(stored).to(wanted)
        assert torch.equal(weight, expected.reshape(weight.shape)), name


def test_the_model_does_not_change_with_its_file(checkpoint: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "model.safetensors", load_file(checkpoint), torch.float32)
    networks = networks_of(path, torch.float32)
    before = {name: weight.clone() for name, weight in networks.unet.named_parameters()}
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    for name, weight in networks.unet.named_parameters():
        assert torch.equal(weight, before[name])
