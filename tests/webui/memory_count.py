"""Counts on the meta device what a step of the WebUI's UNets of full size saves for the backward pass; run by
``test_memory_count`` in the WebUI's own Python, with the folder of its repositories as the argument.

Attention is that of the WebUI's ``--opt-sdp-attention``, batch 1, one context. Precision is float32 (``--no-half``), or
half with autocast, which is emulated: torch 2.1 has none for the meta device.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lib_ti.host.model import Checkpointing
from lib_ti.host.webui.temporary.ldm_checkpointing import own_checkpointing

_LDM = {
    "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 320, "attention_resolutions": [4, 2, 1],
    "num_res_blocks": 2, "channel_mult": [1, 2, 4, 4], "use_spatial_transformer": True, "transformer_depth": 1,
    "legacy": False, "use_checkpoint": True,
}  # fmt: skip
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {**_LDM, "num_heads": 8, "context_dim": 768},
    "sd2": {**_LDM, "num_head_channels": 64, "context_dim": 1024, "use_linear_in_transformer": True},
    "sdxl": {
        "adm_in_channels": 2816, "num_classes": "sequential", "use_checkpoint": True, "in_channels": 4,
        "out_channels": 4, "model_channels": 320, "attention_resolutions": [4, 2], "num_res_blocks": 2,
        "channel_mult": [1, 2, 4], "num_head_channels": 64, "use_spatial_transformer": True,
        "use_linear_in_transformer": True, "transformer_depth": [1, 2, 10], "context_dim": 2048,
        "spatial_transformer_attn_type": "softmax",
    },
}  # fmt: skip
"""Settings of the released models' configurations."""
SIDES = {"sd1": 64, "sd2": 96, "sdxl": 128}
"""Latent sides of their images."""


class Fused(torch.autograd.Function):
    """Shapes of a fused attention kernel."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        result = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, result, query.new_empty(query.shape[:-1], dtype=torch.float32))
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, ...]:
        return ctx.saved_tensors[:3]


class Autocast(TorchFunctionMode):
    """Casts as ``torch.autocast("cuda")`` does for what these UNets call."""

    HALF = (functional.linear, functional.conv2d, functional.scaled_dot_product_attention)
    FLOAT = (functional.layer_norm, functional.group_norm)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if dtype := torch.float16 if func in self.HALF else torch.float32 if func in self.FLOAT else None:
            cast = [one.to(dtype) if isinstance(one, Tensor) and one.is_floating_point() else one for one in args]
            # Further arguments of a layer are its weights, which autocast casts too.
            named = {name: one.to(dtype) if isinstance(one, Tensor) else one for name, one in (kwargs or {}).items()}
            if func is functional.scaled_dot_product_attention:
                return Fused.apply(*cast, **named)  # type: ignore[no-untyped-call]
            return func(*cast, **named)
        return func(*args, **(kwargs or {}))


class Uncast(TorchFunctionMode):
    """Leaves precisions as they are."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is functional.scaled_dot_product_attention:
            return Fused.apply(*args, **(kwargs or {}))  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))


def attention(self: Any, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None, **_: Any) -> Tensor:
    """The WebUI's ``scaled_dot_product_attention_forward``, without its hypernetworks."""
    assert mask is None
    context = x if context is None else context
    query, key, value = (
        made.view(len(x), -1, self.heads, made.shape[-1] // self.heads).transpose(1, 2)
        for made in (self.to_q(x), self.to_k(context), self.to_v(context))
    )
    result = functional.scaled_dot_product_attention(query, key, value)
    out: Tensor = self.to_out[1](self.to_out[0](result.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1)))
    return out


def saved_mib(unet: torch.nn.Module, predict: Callable[[], Tensor]) -> float:
    ours = {parameter.untyped_storage()._cdata for parameter in unet.parameters()}
    saved: dict[int, Any] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in ours:
            saved[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        predict()
    return sum(storage.nbytes() for storage in saved.values()) / 2**20


def main(repositories: Path) -> dict[str, dict[str, float]]:
    sys.path[:0] = [str(repositories / name) for name in ("stable-diffusion-stability-ai", "generative-models")]
    models = {}
    for name in ("ldm", "sgm"):
        models[name] = importlib.import_module(f"{name}.modules.diffusionmodules.openaimodel")
        importlib.import_module(f"{name}.modules.attention").CrossAttention.forward = attention
    found: dict[str, dict[str, float]] = {}
    for key, settings in UNETS.items():
        unet = models["sgm" if key == "sdxl" else "ldm"].UNetModel
        found[key] = _saved(unet, key, settings, torch.float32, Uncast())
        found[f"{key} in half"] = _saved(unet, key, settings, torch.float16, Autocast())
    return found


def _saved(
    made: Callable[..., Any], key: str, settings: dict[str, Any], dtype: torch.dtype, cast: TorchFunctionMode
) -> dict[str, float]:
    """Return MiB by what is recomputed."""
    with torch.device("meta"):
        unet = made(**settings).requires_grad_(False).eval().to(dtype)
        latents, timesteps = torch.empty(1, 4, SIDES[key], SIDES[key], dtype=dtype), torch.empty(1, dtype=torch.long)
        words = torch.empty(1, 77, settings["context_dim"], dtype=dtype, requires_grad=True)
        vector = {"y": torch.empty(1, 2816, dtype=dtype, requires_grad=True)} if key == "sdxl" else {}
    unet.dtype = dtype
    saved = {}
    with own_checkpointing(unet) as choose:
        for blocks in get_args(Checkpointing):
            choose(blocks)
            with cast:
                saved[blocks] = saved_mib(unet, lambda: unet(latents, timesteps, words, **vector))
    return saved


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
