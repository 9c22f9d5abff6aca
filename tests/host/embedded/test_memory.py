"""Memory of one backward pass at full size, counted on the meta device: what is saved for it, by checkpointing.

Counted are distinct storages that autograd saves, without the UNet's own weights, in half precision, for one image and
one context. Attention counts as a fused kernel that keeps query, key, value, result and a float for each row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lib_ti.families.registry import FAMILIES
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import Checkpoint
from lib_ti.host.embedded.files.recognition import Header
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import build
from lib_ti.host.model import Checkpointing
from tests.host.embedded.test_full_size import shapes_of

MIB = {"sd1": (704, 272, 142), "sd2": (1485, 519, 225), "sdxl": (5059, 1020, 468)}
"""Expected, by :data:`Checkpointing`, at the family's own size."""
LATENT_SIDES = {"sd1": 64, "sd2": 96, "sdxl": 128}


class FusedAttention(torch.autograd.Function):
    """Shapes of a fused attention kernel."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        result = query.new_empty(*query.shape[:-1], value.shape[-1])
        ctx.save_for_backward(query, key, value, result, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return result


class Fused(TorchFunctionMode):
    """Computes attention by :class:`FusedAttention`."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.scaled_dot_product_attention:
            return FusedAttention.apply(*args[:3])  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))


def full_unet(key: str) -> UNet2DConditionModel:
    """The UNet of full size in half precision, without values."""
    if key == "sd1":
        with torch.device("meta"):
            unet = UNet2DConditionModel(cross_attention_dim=768)
        return unet.requires_grad_(False).eval().half()
    shapes = shapes_of(key)
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    checkpoint = Checkpoint(Path(f"/nowhere/{key}.safetensors"), FAMILIES[key], Header(shapes), weights)
    return build(checkpoint, architecture(checkpoint), torch.float16).unet.to("meta")


def saved_bytes(model: EmbeddedModel, side: int) -> int:
    """Bytes that :meth:`EmbeddedModel.predict` saves for the backward pass."""
    unet = model._unet
    ours = {parameter.untyped_storage()._cdata for parameter in unet.parameters()}
    saved: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in ours:
            saved[storage._cdata] = storage  # held, so that no other one gets its number
        return tensor

    with torch.device("meta"):
        half: dict[str, Any] = {"dtype": torch.float16, "requires_grad": True}
        pooled = unet.config.addition_embed_type == "text_time"
        conditioning = TextConditioning(
            torch.empty(1, 77, unet.config.cross_attention_dim, **half),
            torch.empty(1, 1280, **half) if pooled else None,
            torch.empty(1, 6) if pooled else None,
        )
        latents, timesteps = torch.empty(1, 4, side, side), torch.empty(1, dtype=torch.long)
    with Fused(), torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.predict(latents, timesteps, conditioning)
    return sum(storage.nbytes() for storage in saved.values())


@pytest.mark.slow
@pytest.mark.parametrize("key", MIB)
def test_a_step_saves_as_much_as_was_counted(key: str) -> None:
    model = object.__new__(EmbeddedModel)  # of which only the UNet is used
    model._unet = full_unet(key)
    for blocks, expected in zip(get_args(Checkpointing), MIB[key], strict=True):
        model.set_checkpointing(blocks)
        assert saved_bytes(model, LATENT_SIDES[key]) / 2**20 == pytest.approx(expected, rel=0.05), blocks
