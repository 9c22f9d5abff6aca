"""Architecture of a checkpoint: read from its weights' shapes, and the rest from its ``.yaml``.

Sizes come from the weights, which cannot be wrong about them. What weights do not show (heads, noise schedule,
scale factor, prediction type) is the family's default, or comes from the ``.yaml`` beside the checkpoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from lib_ti.errors import BadInput
from lib_ti.families.clip import POSITIONS, VOCABULARY
from lib_ti.families.family import UNET_CHANNELS, VAE_SCALE_FACTOR, Family, Prediction, TextEncoderSpec
from lib_ti.families.modelspec import stated_size
from lib_ti.families.sd1 import SD1
from lib_ti.host.embedded.files.checkpoint import Checkpoint, read_header
from lib_ti.host.embedded.files.description import Description, read_description
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET
from lib_ti.host.embedded.files.recognition import Header
from lib_ti.host.embedded.prediction import KnownPrediction, stated
from lib_ti.host.noise_schedule import scaled_linear, with_zero_terminal_snr

DEFAULT_SIZE = SD1.model.size
_CLIP_HEAD_WIDTH = 64  # CLIP's text encoders of all sizes have width / 64 heads.
_SIZES = 6
"""Numbers of an image that SDXL is conditioned on."""
_ZERO_TERMINAL = "ztsnr"
"""Name of an empty weight that marks models with a zero-terminal-SNR schedule."""


@dataclass(frozen=True)
class Architecture:
    """Everything that building and running the networks needs to know besides their weights.

    ``unet`` and ``autoencoder`` are the arguments of ``UNet2DConditionModel`` and ``AutoencoderKL``, ``text_encoders``
    those of ``CLIPTextConfig`` by encoder. ``stated_size`` is in pixels with what says so, None where nothing does.
    """

    family: Family
    unet: Mapping[str, Any]
    autoencoder: Mapping[str, Any]
    text_encoders: Mapping[str, Mapping[str, Any]]
    scale_factor: float
    linear_start: float
    linear_end: float
    zero_terminal_snr: bool
    known_prediction: KnownPrediction
    stated_size: tuple[int, str] | None

    @property
    def prediction(self) -> Prediction:
        return self.known_prediction.prediction

    @property
    def size(self) -> int:
        """Side in pixels of the images that the model was made for."""
        return self.stated_size[0] if self.stated_size else self.family.model.sizes[self.prediction]

    def predicting(self, known: KnownPrediction) -> Architecture:
        return replace(self, known_prediction=known)

    def alphas_cumprod(self) -> torch.Tensor:
        """Return (1000,) float32."""
        plain = scaled_linear(self.linear_start, self.linear_end)
        return with_zero_terminal_snr(plain) if self.zero_terminal_snr else plain


def architecture(checkpoint: Checkpoint, chosen: Prediction | None = None) -> Architecture:
    """Return the architecture of a checkpoint.

    Parameters
    ----------
    chosen
        What the UNet predicts, where the user says it.

    Raises
    ------
    BadInput
        When a part of the model is missing, or the ``.yaml`` beside the file cannot be used.
    """
    family, header = checkpoint.family, checkpoint.header
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.weights.items()}
    described = read_description(checkpoint.path, family, header)
    try:
        text_encoders = {
            encoder.key: _text_encoder(_part(shapes, encoder.weights), described, encoder)
            for encoder in family.encoders
        }
        pooled = [text_encoders[encoder.key]["projection_dim"] for encoder in family.encoders if encoder.pooled]
        return Architecture(
            family=family,
            unet={**_unet(_part(shapes, UNET), described), **_unet_vector(_part(shapes, UNET), sum(pooled))},
            autoencoder=_autoencoder(_part(shapes, AUTOENCODER)),
            text_encoders=text_encoders,
            scale_factor=described.scale_factor,
            linear_start=described.linear_start,
            linear_end=described.linear_end,
            zero_terminal_snr=_ZERO_TERMINAL in header.shapes,
            known_prediction=stated(family, described, header, chosen),
            stated_size=_stated_size(described, header),
        )
    except KeyError as missing:
        raise BadInput(
            f"{checkpoint.path.name} lacks the weight {missing.args[0]!r}; give a complete {family.label} checkpoint."
        ) from missing
    except ValueError as reason:
        raise BadInput(f"{checkpoint.path.name} cannot be used: {reason}.") from reason


def image_size(checkpoint: Path, chosen: Prediction | None = None) -> int:
    """Return the image side in pixels that a checkpoint was made for, as far as is known without its weights.

    Raises
    ------
    BadInput
        When the checkpoint, or the ``.yaml`` beside it, cannot be used.
    """
    family, header = read_header(checkpoint)
    described = read_description(checkpoint, family, header)
    known = _stated_size(described, header)
    return known[0] if known else family.model.sizes[stated(family, described, header, chosen).prediction]


def _stated_size(described: Description, header: Header) -> tuple[int, str] | None:
    """Return the image side that the file or its ``.yaml`` says, and which of them."""
    if size := stated_size(header.metadata):
        return size, "metadata modelspec.resolution"
    return (described.latent_size * VAE_SCALE_FACTOR, ".yaml beside it") if described.latent_size else None


class _Shapes(dict[str, tuple[int, ...]]):
    """Shapes by name; a missing one raises :class:`KeyError` with its name in the file."""

    prefix = ""

    def __missing__(self, name: str) -> tuple[int, ...]:
        raise KeyError(self.prefix + name)

    def count(self, pattern: str) -> int:
        """Count the numbers from 0 on that make ``pattern`` (with one ``{}``) the name of a weight."""
        number = 0
        while pattern.format(number) in self:
            number += 1
        return number


def _part(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> _Shapes:
    part = _Shapes((name.removeprefix(prefix), shape) for name, shape in shapes.items() if name.startswith(prefix))
    part.prefix = prefix
    return part


def _unet(shapes: _Shapes, described: Description) -> dict[str, Any]:
    levels = _unet_levels(shapes)
    layers = {len(level) for level in levels}
    if len(layers) != 1 or 0 in layers or any(len(set(level)) != 1 for level in levels):
        raise ValueError(f"its UNet's levels are not each of equal blocks, as Stable Diffusion's are, but {levels}")
    channels = tuple(level[0][0] for level in levels)
    depths = [level[0][1] for level in levels]
    middle = shapes.count("middle_block.1.transformer_blocks.{}.norm1.weight")
    if depths[-1] not in (0, middle):
        raise ValueError(f"its UNet has {middle} transformer blocks in the middle, and {depths[-1]} before")
    return {
        "in_channels": shapes["input_blocks.0.0.weight"][1],
        "out_channels": shapes["out.2.weight"][0],
        "block_out_channels": channels,
        "layers_per_block": layers.pop(),
        "down_block_types": tuple("CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths),
        "up_block_types": tuple("CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)),
        "cross_attention_dim": shapes["middle_block.1.transformer_blocks.0.attn2.to_k.weight"][1],
        # diffusers takes the middle's from the coarsest level, and ignores the others without attention.
        "transformer_layers_per_block": tuple(depth or middle for depth in depths),
        # diffusers calls the number of heads "attention_head_dim".
        "attention_head_dim": _heads(channels, described),
        "use_linear_projection": len(shapes["middle_block.1.proj_in.weight"]) == 2,
    }


def _unet_vector(shapes: _Shapes, pooled: int) -> dict[str, Any]:
    """Return settings of the input for ``pooled`` numbers of pooled vectors and for sizes; none without the former."""
    if not pooled:
        return {}
    width = shapes["label_emb.0.0.weight"][1]
    if width <= pooled or (width - pooled) % _SIZES:
        raise ValueError(f"its UNet takes a vector of {width} numbers, which are not {pooled} and {_SIZES} sizes")
    return {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": (width - pooled) // _SIZES,
        "projection_class_embeddings_input_dim": width,
    }


def _unet_levels(shapes: _Shapes) -> list[list[tuple[int, int]]]:
    """Return by level, finest first, its residual blocks' (channels, transformer blocks that follow)."""
    levels: list[list[tuple[int, int]]] = [[]]
    for number in itertools.count(1):
        block = f"input_blocks.{number}"
        if f"{block}.0.op.weight" in shapes:
            levels.append([])
        elif f"{block}.0.in_layers.2.weight" in shapes:
            width = shapes[f"{block}.0.out_layers.3.weight"][0]
            levels[-1].append((width, shapes.count(f"{block}.1.transformer_blocks.{{}}.norm1.weight")))
        else:
            break
    return levels


def _heads(channels: tuple[int, ...], described: Description) -> int | tuple[int, ...]:
    released = channels[0] == UNET_CHANNELS or (described.head_channels and channels[0] % described.head_channels == 0)
    if not described.from_file and not released:
        raise ValueError(
            f"its UNet begins with {channels[0]} channels instead of the released models' {UNET_CHANNELS}, and only "
            "its .yaml says how many attention heads it has; put that .yaml beside it"
        )
    heads = tuple(
        width // described.head_channels if described.head_channels > 0 else described.heads for width in channels
    )
    for width, count in zip(channels, heads, strict=True):
        if count < 1 or width % count:
            raise ValueError(f"{width} channels do not divide into {count} attention heads; check its .yaml")
    return heads[0] if len(set(heads)) == 1 else heads


def _autoencoder(shapes: _Shapes) -> dict[str, Any]:
    # Read from the decoder, which has one residual block a level more: an encoder may have none.
    levels = shapes.count("decoder.up.{}.block.0.conv1.weight")
    if levels == 0:
        raise KeyError(AUTOENCODER + "decoder.up.0.block.0.conv1.weight")
    if 2 ** (levels - 1) != VAE_SCALE_FACTOR:
        raise ValueError(
            f"its autoencoder downscales images {2 ** (levels - 1)} times, and Stable Diffusion's does so 8 times"
        )
    return {
        "in_channels": shapes["encoder.conv_in.weight"][1],
        "out_channels": shapes["decoder.conv_out.weight"][0],
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "block_out_channels": tuple(shapes[f"decoder.up.{i}.block.0.conv1.weight"][0] for i in range(levels)),
        "layers_per_block": shapes.count("decoder.up.0.block.{}.conv1.weight") - 1,
        "latent_channels": shapes["post_quant_conv.weight"][0],
        "norm_num_groups": 32,
    }


_OPEN_CLIP = {
    "tokens": "token_embedding.weight",
    "positions": "positional_embedding",
    "layer": "transformer.resblocks.{}.ln_1.weight",
    "inner": "transformer.resblocks.0.mlp.c_fc.weight",
}
_TRANSFORMERS = {
    "tokens": "embeddings.token_embedding.weight",
    "positions": "embeddings.position_embedding.weight",
    "layer": "encoder.layers.{}.layer_norm1.weight",
    "inner": "encoder.layers.0.mlp.fc1.weight",
}
"""Names of weights that show a text encoder's sizes."""


def _text_encoder(shapes: _Shapes, described: Description, encoder: TextEncoderSpec) -> dict[str, Any]:
    is_open = encoder.naming == "open_clip"
    names, text = (_OPEN_CLIP, {}) if is_open else (_TRANSFORMERS, described.text)
    vocabulary, width = shapes[names["tokens"]]
    positions = shapes[names["positions"]][0]
    if vocabulary < VOCABULARY or positions != POSITIONS:
        raise ValueError(
            f"its text encoder has {vocabulary} tokens and {positions} positions, "
            f"and CLIP's has {VOCABULARY} and {POSITIONS}"
        )
    heads = int(text.get("num_attention_heads", max(1, width // _CLIP_HEAD_WIDTH)))
    if heads < 1 or width % heads:
        raise ValueError(f"its text encoder's width {width} does not divide into {heads} heads; name them in its .yaml")
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes[names["inner"]][0],
        "num_hidden_layers": shapes.count(names["layer"]) - encoder.unused_layers,
        "num_attention_heads": heads,
        "max_position_embeddings": positions,
        "hidden_act": text.get("hidden_act", encoder.activation),
        "layer_norm_eps": text.get("layer_norm_eps", 1e-5),
        "projection_dim": shapes["text_projection"][1] if encoder.pooled else width,
    }
