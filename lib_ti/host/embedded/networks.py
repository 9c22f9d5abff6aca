"""Builds UNet, autoencoder and text encoders from a checkpoint's weights, frozen and in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import init
from torch.overrides import TorchFunctionMode
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lib_ti.errors import BadInput
from lib_ti.families.clip import POSITIONS
from lib_ti.host.embedded.architecture import Architecture
from lib_ti.host.embedded.diffusers_classes import AutoencoderKL, UNet2DConditionModel
from lib_ti.host.embedded.files.checkpoint import Checkpoint
from lib_ti.host.embedded.files.ldm_names import (
    AUTOENCODER,
    UNET,
    Source,
    autoencoder_name,
    text_source,
    unet_name,
)
from lib_ti.host.embedded.stored_half import HALF, half_of, store_half, stored_half
from lib_ti.host.embedded.weights import Weight, load

_LISTED = 5


@dataclass(frozen=True)
class Networks:
    """The networks of a model, text encoders by their keys."""

    unet: UNet2DConditionModel
    autoencoder: AutoencoderKL
    text_encoders: Mapping[str, CLIPTextModel]

    @property
    def all(self) -> tuple[torch.nn.Module, ...]:
        return (self.unet, self.autoencoder, *self.text_encoders.values())

    def release(self) -> None:
        """Free the weights' memory, whoever still holds the networks; they cannot be used afterwards."""
        for network in self.all:
            network.to("meta")


def build(checkpoint: Checkpoint, made: Architecture, unet_dtype: torch.dtype = torch.float32) -> Networks:
    """Return a checkpoint's networks on the CPU, the UNet in ``unet_dtype`` and the others in float32.

    Where ``unet_dtype`` is half precision, text encoders are stored in half precision, see :mod:`.stored_half`. No
    random numbers are used.

    Raises
    ------
    BadInput
        When the checkpoint lacks weights or has them in another shape.
    """
    weights = checkpoint.weights
    # On the meta device parameters take neither memory nor time, and copies of the file's tensors become them.
    with torch.device("meta"), _Unfilled():
        unet = UNet2DConditionModel(**made.unet)
        autoencoder = AutoencoderKL(**made.autoencoder)
        text_encoders = {
            encoder.key: (CLIPTextModelWithProjection if encoder.pooled else CLIPTextModel)(
                CLIPTextConfig(**made.text_encoders[encoder.key])
            )
            for encoder in made.family.encoders
        }
    if unet_dtype in HALF:
        for network in text_encoders.values():
            store_half(network)
    found = [
        *_found(unet, weights, UNET, _whole(unet_names(unet)), unet_dtype),
        *_found(autoencoder, weights, AUTOENCODER, _whole(autoencoder_names(autoencoder))),
    ]
    for encoder in made.family.encoders:
        found += _found(text_encoders[encoder.key], weights, encoder.weights, text_source(encoder.naming))
    missing = [problem for problem in found if isinstance(problem, str)]
    if missing:
        first = "; ".join(missing[:_LISTED]) + ("; …" if len(missing) > _LISTED else "")
        name, label = checkpoint.path.name, made.family.label
        raise BadInput(f"{name} is not a complete {label} checkpoint, {len(missing)} weights differ: {first}.")
    load(weight for weight in found if isinstance(weight, Weight))
    built = Networks(unet, autoencoder, text_encoders)
    for network in built.all:
        _number_positions(network)
        network.requires_grad_(False).eval()
    return built


class _Unfilled(TorchFunctionMode):
    """Skips random initial values, and counts on the CPU: on the meta device newer torch loads its compiler for either,
    which takes longer than everything else."""

    _FILLS = (init.normal_, init.uniform_, init.kaiming_uniform_, torch.Tensor.normal_, torch.Tensor.uniform_)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in self._FILLS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **({"device": "cpu", **kwargs} if func is torch.arange else kwargs))


def _whole(ldm_name: Callable[[str], str]) -> Callable[[str], Source]:
    return lambda name: Source(ldm_name(name))


def unet_names(unet: UNet2DConditionModel) -> Callable[[str], str]:
    """Return the function from this UNet's parameter names to ldm's."""
    attended = [number for number, kind in enumerate(unet.config.up_block_types) if kind.startswith("CrossAttn")]
    return partial(unet_name, layers=unet.config.layers_per_block, attended=attended)


def autoencoder_names(autoencoder: AutoencoderKL) -> Callable[[str], str]:
    """Return the function from this autoencoder's parameter names to ldm's."""
    return partial(autoencoder_name, levels=len(autoencoder.config.block_out_channels))


def _found(
    network: torch.nn.Module,
    weights: Mapping[str, torch.Tensor],
    prefix: str,
    source_of: Callable[[str], Source],
    dtype: torch.dtype = torch.float32,
) -> Iterator[Weight | str]:
    """Yield where each parameter of a network is in the file, or a sentence where it is missing or misshapen."""
    half = stored_half(network)
    for name, parameter in network.state_dict().items():
        if name.endswith("position_ids"):
            continue
        place = source_of(name)
        source = prefix + place.name
        whole = weights.get(source)
        tensor = whole if whole is None else place.part_of(whole)
        if tensor is None:
            yield f"{source} is missing"
        elif _shape(tensor) != _shape(parameter):
            yield f"{source} is {tuple(tensor.shape)} and not {tuple(parameter.shape)}"
        else:
            own = half_of(tensor.dtype) if name in half else dtype
            yield Weight(network, name, parameter.shape, tensor, own)


def _shape(tensor: torch.Tensor) -> tuple[int, ...]:
    """Return the shape without trailing ones: ldm's autoencoder has 1×1 convolutions for diffusers' linear layers."""
    shape = tuple(tensor.shape)
    while shape and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _number_positions(network: torch.nn.Module) -> None:
    """Set CLIP's position buffer to 0, 1, 2 …, which some checkpoints have rounded to half and others lack."""
    for module in network.modules():
        if "position_ids" in module._buffers:
            module.register_buffer("position_ids", torch.arange(POSITIONS)[None], persistent=False)
