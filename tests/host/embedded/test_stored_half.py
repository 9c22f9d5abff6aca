"""Text encoders that are stored in half precision: less memory, and values and gradients as in float32."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import Family
from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import read_checkpoint
from lib_ti.host.embedded.networks import Networks, build
from lib_ti.host.embedded.prompt_encoder import PromptEncoder
from lib_ti.host.model import Framing
from lib_ti.pocket import CHECKPOINT, XL_CHECKPOINT

PROMPTS = ["a painting of a small red house by my-style", "my-style, a dog" + ", a garden with a fence" * 15]


def networks(path: Path, precision: torch.dtype) -> tuple[Family, Networks]:
    checkpoint = read_checkpoint(path)
    return checkpoint.family, build(checkpoint, architecture(checkpoint), precision)


def encoded(path: Path, precision: torch.dtype) -> tuple[list[torch.Tensor], int]:
    """Return all outputs of the text encoders, the gradients of an embedding by them, and the encoders' bytes."""
    family, made = networks(path, precision)
    encoder = PromptEncoder(family, made.text_encoders)
    rng = torch.Generator().manual_seed(0)
    vectors = {key: (torch.randn(3, width, generator=rng) * 0.05) for key, width in encoder.widths.items()}
    style = Embedding("my-style", {key: one.requires_grad_() for key, one in vectors.items()})
    found = encoder.encode(PROMPTS, [Framing.whole(64, 64)] * 2, [style])
    outputs = [one for one in (found.crossattn, found.pooled) if one is not None]
    sum((one * torch.randn(one.shape, generator=rng)).sum() for one in outputs).backward()  # type: ignore[union-attr]
    gradients: list[Any] = [one.grad for one in style.vectors.values()]
    size = sum(one.nbytes for network in made.text_encoders.values() for one in network.parameters())
    return [one.detach() for one in (*outputs, *gradients)], size


def in_precision(source: Path, target: Path, change: Any) -> Path:
    """Write a checkpoint again with its text encoders' weights changed."""
    weights = load_file(source)
    for name, one in weights.items():
        if name.startswith(("cond_stage_model.", "conditioner.")):
            weights[name] = change(one)
    save_file(weights, target)
    described = source.with_suffix(".yaml").read_text().replace("../clip", f"{source.parent.parent}/clip")
    target.with_suffix(".yaml").write_text(described)
    return target


@pytest.mark.parametrize("precision", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("path", [CHECKPOINT, XL_CHECKPOINT], ids=lambda path: path.stem)
def test_values_and_gradients_are_those_of_float32(path: Path, precision: torch.dtype) -> None:
    whole, size = encoded(path, torch.float32)
    half, half_size = encoded(path, precision)
    for one, other in zip(whole, half, strict=True):
        assert other.dtype == torch.float32
        torch.testing.assert_close(other, one, rtol=0, atol=2e-6 * float(one.abs().max()))
    assert half_size < 0.51 * size


def test_weights_of_a_file_in_bfloat16_stay_as_they_are(tmp_path: Path) -> None:
    path = in_precision(XL_CHECKPOINT, tmp_path / "xl.safetensors", lambda one: one.bfloat16())
    whole, half = encoded(path, torch.float32)[0], encoded(path, torch.float16)[0]
    for one, other in zip(whole, half, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=2e-6 * float(one.abs().max()))


def test_a_file_in_float32_is_rounded_as_the_webui_does(tmp_path: Path) -> None:
    rng = torch.Generator().manual_seed(1)

    def between(one: torch.Tensor) -> torch.Tensor:
        """Weights that float16 cannot hold."""
        wide = one.float()
        return wide * (1 + (torch.rand(wide.shape, generator=rng) - 0.5) * 2**-10)

    path = in_precision(XL_CHECKPOINT, tmp_path / "xl.safetensors", between)
    whole, half = encoded(path, torch.float32)[0], encoded(path, torch.bfloat16)[0]
    for one, other in zip(whole, half, strict=True):
        assert not other.equal(one)
        assert float((other - one).norm() / one.norm()) < 5e-3
