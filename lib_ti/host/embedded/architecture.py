"""Architecture of a checkpoint: read from its weights' shapes, and the rest from its ``.yaml``.

Sizes come from the weights, which cannot be wrong about them. What weights do not show (heads, noise schedule,
scale factor, prediction type) is the family's default, or comes from ``<stem>.yaml`` beside the checkpoint: the WebUI's
convention, in the format of ldm's inference configurations.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml

from lib_ti.errors import BadInput
from lib_ti.families.clip import POSITIONS, VOCABULARY
from lib_ti.families.family import VAE_SCALE_FACTOR, Family, Prediction
from lib_ti.families.sd1 import MODEL as SD1_MODEL
from lib_ti.host.embedded.checkpoint import AUTOENCODER, UNET, Checkpoint

TIMESTEPS = 1000
TRAITS = SD1_MODEL
DEFAULT_SIZE = TRAITS.size
_CLIP_HEAD_WIDTH = 64  # CLIP's text encoders of all sizes have width / 64 heads.


@dataclass(frozen=True)
class Architecture:
    """Everything that building and running the networks needs to know besides their weights.

    ``unet`` and ``autoencoder`` are the arguments of ``UNet2DConditionModel`` and ``AutoencoderKL``, ``text_encoders``
    those of ``CLIPTextConfig`` by encoder. ``size`` is in pixels.
    """

    family: Family
    unet: Mapping[str, Any]
    autoencoder: Mapping[str, Any]
    text_encoders: Mapping[str, Mapping[str, Any]]
    scale_factor: float
    linear_start: float
    linear_end: float
    prediction: Prediction
    size: int

    def alphas_cumprod(self) -> torch.Tensor:
        """Return (1000,) float32. ldm's schedule "linear" is linear in the square root of beta."""
        root = torch.linspace(self.linear_start**0.5, self.linear_end**0.5, TIMESTEPS, dtype=torch.float64)
        return torch.cumprod(1 - root**2, dim=0).float()


@dataclass(frozen=True)
class Description:
    """Facts of the ``.yaml`` that weights do not show; the defaults are Stable Diffusion 1's."""

    heads: int = TRAITS.heads
    head_channels: int = -1
    scale_factor: float = TRAITS.scale_factor
    linear_start: float = TRAITS.linear_start
    linear_end: float = TRAITS.linear_end
    prediction: Prediction = TRAITS.predictions[0]
    latent_size: int = DEFAULT_SIZE // VAE_SCALE_FACTOR
    text: Mapping[str, Any] = field(default_factory=dict)


def architecture(checkpoint: Checkpoint) -> Architecture:
    """Return the architecture of a checkpoint.

    Raises
    ------
    BadInput
        When a part of the model is missing, or the ``.yaml`` beside the file cannot be used.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in checkpoint.weights.items()}
    described = _read_description(checkpoint.path.with_suffix(".yaml"))
    try:
        return Architecture(
            family=checkpoint.family,
            unet=_unet(_part(shapes, UNET), described),
            autoencoder=_autoencoder(_part(shapes, AUTOENCODER)),
            text_encoders={
                encoder.key: _text_encoder(_part(shapes, encoder.weights), described)
                for encoder in checkpoint.family.encoders
            },
            scale_factor=described.scale_factor,
            linear_start=described.linear_start,
            linear_end=described.linear_end,
            prediction=described.prediction,
            size=described.latent_size * VAE_SCALE_FACTOR,
        )
    except KeyError as missing:
        raise BadInput(
            f"{checkpoint.path.name} lacks the weight {missing.args[0]!r}; give a complete SD1.x checkpoint."
        ) from missing
    except ValueError as reason:
        raise BadInput(f"{checkpoint.path.name} cannot be used: {reason}.") from reason


def image_size(checkpoint: Path) -> int:
    """Return the image side in pixels that a checkpoint was made for, by its ``.yaml`` alone; SD1's without one.

    Raises
    ------
    BadInput
        When the ``.yaml`` beside the file cannot be used.
    """
    return _read_description(checkpoint.with_suffix(".yaml")).latent_size * VAE_SCALE_FACTOR


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
        raise ValueError(f"its UNet's levels are not each of equal blocks, as SD1.x's are, but {levels}")
    channels = tuple(level[0][0] for level in levels)
    attended = [level[0][1] for level in levels]
    middle = "middle_block.1.transformer_blocks"
    return {
        "in_channels": shapes["input_blocks.0.0.weight"][1],
        "out_channels": shapes["out.2.weight"][0],
        "block_out_channels": channels,
        "layers_per_block": layers.pop(),
        "down_block_types": tuple("CrossAttnDownBlock2D" if has else "DownBlock2D" for has in attended),
        "up_block_types": tuple("CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(attended)),
        "cross_attention_dim": shapes[f"{middle}.0.attn2.to_k.weight"][1],
        "transformer_layers_per_block": shapes.count(middle + ".{}.norm1.weight"),
        # diffusers calls the number of heads of SD1's UNet "attention_head_dim".
        "attention_head_dim": _heads(channels, described),
        "use_linear_projection": len(shapes["middle_block.1.proj_in.weight"]) == 2,
        "sample_size": described.latent_size,
    }


def _unet_levels(shapes: _Shapes) -> list[list[tuple[int, bool]]]:
    """Return by level, finest first, its residual blocks' (channels, has attention)."""
    levels: list[list[tuple[int, bool]]] = [[]]
    for number in itertools.count(1):
        block = f"input_blocks.{number}"
        if f"{block}.0.op.weight" in shapes:
            levels.append([])
        elif f"{block}.0.in_layers.2.weight" in shapes:
            width = shapes[f"{block}.0.out_layers.3.weight"][0]
            levels[-1].append((width, f"{block}.1.proj_in.weight" in shapes))
        else:
            break
    return levels


def _heads(channels: tuple[int, ...], described: Description) -> int | tuple[int, ...]:
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
        raise ValueError(f"its autoencoder downscales images {2 ** (levels - 1)} times, and SD1.x's does so 8 times")
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


def _text_encoder(shapes: _Shapes, described: Description) -> dict[str, Any]:
    vocabulary, width = shapes["embeddings.token_embedding.weight"]
    positions = shapes["embeddings.position_embedding.weight"][0]
    if vocabulary < VOCABULARY or positions != POSITIONS:
        raise ValueError(
            f"its text encoder has {vocabulary} tokens and {positions} positions, "
            f"and CLIP's has {VOCABULARY} and {POSITIONS}"
        )
    heads = int(described.text.get("num_attention_heads", max(1, width // _CLIP_HEAD_WIDTH)))
    if heads < 1 or width % heads:
        raise ValueError(f"its text encoder's width {width} does not divide into {heads} heads; name them in its .yaml")
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": shapes["encoder.layers.0.mlp.fc1.weight"][0],
        "num_hidden_layers": shapes.count("encoder.layers.{}.layer_norm1.weight"),
        "num_attention_heads": heads,
        "max_position_embeddings": positions,
        "hidden_act": described.text.get("hidden_act", "quick_gelu"),
        "layer_norm_eps": described.text.get("layer_norm_eps", 1e-5),
        "projection_dim": width,
    }


def _read_description(path: Path) -> Description:
    """Read the ``.yaml`` beside a checkpoint; Stable Diffusion 1's defaults where there is none."""
    if not path.exists():
        return Description()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return _description(content["model"]["params"], path.parent)
    except BadInput:
        raise
    except (yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(f"{path} is no ldm model configuration ({reason}); correct it or move it away.") from error


def _description(params: Mapping[str, Any], folder: Path) -> Description:
    for name, only in (("beta_schedule", "linear"), ("timesteps", TIMESTEPS)):
        if params.get(name, only) != only:
            raise ValueError(f"{name} is {params[name]!r}, and SD1.x's is {only!r}")
    prediction = params.get("parameterization", "eps")
    if prediction not in TRAITS.predictions:
        raise ValueError(
            f"parameterization is {prediction!r}, and has to be {' or '.join(map(repr, TRAITS.predictions))}"
        )
    unet = params.get("unet_config", {}).get("params", {})
    default = Description()
    return Description(
        heads=int(unet.get("num_heads", default.heads)),
        head_channels=int(unet.get("num_head_channels", default.head_channels)),
        scale_factor=float(params.get("scale_factor", default.scale_factor)),
        linear_start=float(params.get("linear_start", default.linear_start)),
        linear_end=float(params.get("linear_end", default.linear_end)),
        prediction=prediction,
        latent_size=int(params.get("image_size", default.latent_size)),
        text=_text_description(params.get("cond_stage_config", {}), folder),
    )


def _text_description(config: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Read the text encoder's ``config.json``, when ``version`` is a folder beside the ``.yaml``, not a hub's model."""
    version = (config.get("params") or {}).get("version")
    file = folder / str(version) / "config.json"
    if version is None or not file.is_file():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    text: Mapping[str, Any] = content.get("text_config") or content
    return text
