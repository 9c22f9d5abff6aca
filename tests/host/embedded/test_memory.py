"""Memory of weights and of one backward pass at full size, counted on the meta device: what is saved for it.

Counted are distinct storages that autograd saves, without the UNet's own weights, in half precision, for one image and
one context. Attention counts as a fused kernel that keeps query, key, value, result and a float for each row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.registry import FAMILIES
from lib_ti.host.clip.chunks import Word, lay_out
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.clip.token_table import TokenTable
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import Checkpoint
from lib_ti.host.embedded.files.recognition import Header
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks, build
from lib_ti.host.embedded.text_encoder import TextEncoder
from lib_ti.host.model import Checkpointing
from tests.host.embedded.test_full_size import shapes_of

MIB = {
    ("sd1", 512): (704, 272, 142),
    ("sd2", 768): (1485, 519, 225),
    ("sdxl", 1024): (5059, 1020, 468),
    ("sdxl", 768): (2857, 574, 263),
}
"""Expected by family, image side and :data:`Checkpointing`."""
NOT_FUSED_MIB = {("sd1", 512): 3026, ("sd2", 768): 9313, ("sdxl", 1024): 17153}
"""Expected without checkpointing, where attention keeps its whole matrix."""
UNET_MIB = {"sd1": 1639, "sd2": 1652, "sdxl": 4897}
TEXT_MIB = {"sd2": (649, 2 * 35), "sdxl": (1560, 2 * (19 + 62))}
"""Expected of the text encoders: their weights in half precision, and what a context saves, in float32."""


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


class NotFused(TorchFunctionMode):
    """Computes attention step by step, in float32 as PyTorch's math kernel does."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.scaled_dot_product_attention:
            query, key, value = (one.float() for one in args[:3])
            return ((query @ key.transpose(-2, -1)).softmax(-1) @ value).to(args[0].dtype)
        return func(*args, **(kwargs or {}))


def full_networks(key: str) -> Networks:
    """SD 2.1 or SDXL of full size in half precision, without values."""
    shapes = shapes_of(key)
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    checkpoint = Checkpoint(Path(f"/nowhere/{key}.safetensors"), FAMILIES[key], Header(shapes), weights)
    networks = build(checkpoint, architecture(checkpoint), torch.float16)
    for network in networks.all:
        network.to("meta")
    return networks


def full_unet(key: str) -> UNet2DConditionModel:
    """The UNet of full size in half precision, without values."""
    if key != "sd1":
        return full_networks(key).unet
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768)
    return unet.requires_grad_(False).eval().half()


def mib_of(network: torch.nn.Module) -> float:
    return sum(parameter.nbytes for parameter in network.parameters()) / 2**20


@contextmanager
def saved_by(work: torch.nn.Module) -> Iterator[dict[int, torch.UntypedStorage]]:
    """Yield what is saved for the backward pass within it, without the weights of ``work``."""
    ours = {parameter.untyped_storage()._cdata for parameter in work.parameters()}
    saved: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in ours:
            saved[storage._cdata] = storage  # held, so that no other one gets its number
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield saved


def saved_mib(model: EmbeddedModel, side: int, attention: TorchFunctionMode) -> float:
    """What :meth:`EmbeddedModel.predict` saves for the backward pass of latents of ``side``."""
    unet = model._unet
    with torch.device("meta"):
        half: dict[str, Any] = {"dtype": torch.float16, "requires_grad": True}
        pooled = unet.config.addition_embed_type == "text_time"
        conditioning = TextConditioning(
            torch.empty(1, 77, unet.config.cross_attention_dim, **half),
            torch.empty(1, 1280, **half) if pooled else None,
            torch.empty(1, 6) if pooled else None,
        )
        latents, timesteps = torch.empty(1, 4, side, side), torch.empty(1, dtype=torch.long)
    with attention, saved_by(unet) as saved:
        model.predict(latents, timesteps, conditioning)
    return sum(storage.nbytes() for storage in saved.values()) / 2**20


def model_of(key: str) -> EmbeddedModel:
    model = object.__new__(EmbeddedModel)  # of which only the UNet is used
    model._unet = model._run_unet = full_unet(key)
    return model


@pytest.mark.slow
@pytest.mark.parametrize(("key", "side"), MIB)
def test_a_step_saves_as_much_as_was_counted(key: str, side: int) -> None:
    model = model_of(key)
    for blocks, expected in zip(get_args(Checkpointing), MIB[key, side], strict=True):
        model.set_checkpointing(blocks)
        assert saved_mib(model, side // 8, Fused()) == pytest.approx(expected, rel=0.05), blocks


@pytest.mark.slow
@pytest.mark.parametrize(("key", "side"), NOT_FUSED_MIB)
def test_attention_that_is_not_fused_saves_as_much_as_was_counted(key: str, side: int) -> None:
    assert saved_mib(model_of(key), side // 8, NotFused()) == pytest.approx(NOT_FUSED_MIB[key, side], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("key", UNET_MIB)
def test_the_unets_weights_take_as_much_as_was_counted(key: str) -> None:
    assert mib_of(full_unet(key)) == pytest.approx(UNET_MIB[key], rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("key", TEXT_MIB)
def test_text_encoders_take_as_much_as_was_counted(key: str) -> None:
    networks, family = full_networks(key).text_encoders, FAMILIES[key]
    weights, context = TEXT_MIB[key]
    assert sum(map(mib_of, networks.values())) == pytest.approx(weights, rel=0.05)
    saved = 0
    for spec in family.encoders:
        network = networks[spec.key]
        encoder = object.__new__(TextEncoder)
        encoder.key, encoder._encoder, encoder._network = spec.key, spec, network
        encoder._layer = spec.layer_from_end - spec.unused_layers
        encoder._rows = network.get_input_embeddings()
        encoder.table = object.__new__(TokenTable)
        encoder.table._encoder, encoder.table._weight = spec.key, encoder._rows.weight
        vectors = torch.empty(2, spec.width, device="meta", requires_grad=True)
        (chunk,) = lay_out("my-style", (Word(tokenize("my-style"), 2, "my-style"),))
        with Fused(), saved_by(network) as kept:
            encoder.encode([chunk], [Embedding("my-style", {spec.key: vectors})])
        saved += sum(storage.nbytes() for storage in kept.values())
    assert saved / 2**20 == pytest.approx(context, rel=0.05)
