"""Reads a checkpoint, one file in the ldm format, into named tensors.

Nothing in the file is run: ``.safetensors`` holds no code, and a ``.ckpt`` goes through our own unpickler. Anything
but a Stable Diffusion 1 checkpoint is refused by the name of what it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from lib_ti.embedding.tensor_files import load_tensors
from lib_ti.errors import BadInput
from lib_ti.families.clip import VOCABULARY
from lib_ti.families.family import Family
from lib_ti.families.registry import EMBEDDING_KEYS
from lib_ti.families.sd1 import CLIP_L, SD1
from lib_ti.wording import quoted

UNET = "model.diffusion_model."
AUTOENCODER = "first_stage_model."
"""Prefixes of two of the networks in the ldm format; those of text encoders are in ``lib_ti.families``."""

SUFFIXES = (".safetensors", ".ckpt")
_ANY_TEXT = "cond_stage_model."
_TEXT = CLIP_L.weights
# Old checkpoints, from before transformers introduced it, lack the level "text_model".
_OLD_TEXT = tuple(f"cond_stage_model.transformer.{part}." for part in ("embeddings", "encoder", "final_layer_norm"))
_ONLY_SD1 = "this program trains SD1.x checkpoints so far"


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a checkpoint's networks by their ldm names, on the CPU, in the file's precision."""

    path: Path
    family: Family
    weights: Mapping[str, torch.Tensor]


def read_checkpoint(path: Path, *, only: tuple[str, ...] = (UNET, AUTOENCODER, _ANY_TEXT)) -> Checkpoint:
    """Read UNet, autoencoder and text encoders.

    Parameters
    ----------
    only
        Prefixes of the names to read.

    Raises
    ------
    BadInput
        When the file is missing, damaged, or anything but a Stable Diffusion 1 checkpoint.
    """
    if not path.exists():
        raise BadInput(f"Checkpoint {path} does not exist; give the path of an SD1.x checkpoint file.")
    if not path.is_file():
        raise BadInput(f"Checkpoint {path} is not a file; give the path of an SD1.x checkpoint file.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"Checkpoint {path} has the suffix {quoted(suffix)}; it has to be {' or '.join(SUFFIXES)}.")
    read = _read_safetensors if suffix == ".safetensors" else _read_ckpt
    weights = read(path, lambda name: _modern_name(name).startswith(only))
    return Checkpoint(path, SD1, {_modern_name(name): tensor for name, tensor in weights.items()})


def read_token_tables(path: Path) -> dict[str, torch.Tensor]:
    """Read each text encoder's input vectors (tokens, width), in the file's precision, and nothing else.

    Raises
    ------
    BadInput
        As :func:`read_checkpoint`, and when the checkpoint has no text encoder or one with another vocabulary.
    """
    names = {encoder.key: f"{encoder.weights}embeddings.token_embedding.weight" for encoder in SD1.encoders}
    weights = read_checkpoint(path, only=tuple(names.values())).weights
    for name in names.values():
        if name not in weights:
            raise BadInput(f"{path.name} lacks the weight {quoted(name)}; give a complete SD1.x checkpoint.")
        if weights[name].ndim != 2 or len(weights[name]) < VOCABULARY:
            raise BadInput(
                f"{path.name} has a text encoder of {len(weights[name])} tokens, and CLIP's has {VOCABULARY}."
            )
    return {encoder: weights[name] for encoder, name in names.items()}


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def _read_safetensors(path: Path, wanted: Callable[[str], bool]) -> dict[str, torch.Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            _refuse_others(path, {name: tuple(file.get_slice(name).get_shape()) for name in names})
            return {name: file.get_tensor(name) for name in names if wanted(name)}
    except (SafetensorError, OSError) as error:
        raise BadInput(f"Checkpoint {path} is truncated or damaged ({error}); download or copy it again.") from error


def _read_ckpt(path: Path, wanted: Callable[[str], bool]) -> dict[str, torch.Tensor]:
    content = load_tensors(path, inert=True)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise BadInput(f"Checkpoint {path} holds no table of weights; give an SD1.x checkpoint.")
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and torch.is_tensor(value)}
    _refuse_others(path, {name: tuple(tensor.shape) for name, tensor in tensors.items()} or dict.fromkeys(content, ()))
    return {name: tensor for name, tensor in tensors.items() if wanted(name)}


def _modern_name(name: str) -> str:
    if name.startswith(_OLD_TEXT):
        return _TEXT + name.removeprefix("cond_stage_model.transformer.")
    return name


def _refuse_others(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise :class:`BadInput` unless the names and shapes are those of a Stable Diffusion 1 checkpoint."""
    other = _other_model(shapes)
    if other:
        raise BadInput(f"{path.name} is {other}; {_ONLY_SD1}.")
    kind = _other_file(shapes)
    if kind:
        raise BadInput(f"{path.name} is {kind}, not a checkpoint; give an SD1.x checkpoint file.")
    if not any(name.startswith(UNET) for name in shapes):
        raise BadInput(f"{path.name} is not a Stable Diffusion checkpoint; give an SD1.x checkpoint file.")


def _other_model(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return which other model's checkpoint this is, with its article; empty for none that is known."""
    if _any(shapes, ("joint_blocks.", "model.diffusion_model.joint_blocks.")):
        return "an SD3 checkpoint"
    if _any(shapes, ("double_blocks.", "model.diffusion_model.double_blocks.")):
        return "a Flux checkpoint"
    if _any(shapes, "conditioner.embedders.1."):
        return "an SDXL checkpoint"
    if _any(shapes, "conditioner.embedders.0."):
        return "an SDXL refiner checkpoint"
    channels = shapes.get(f"{UNET}input_blocks.0.0.weight", (0, 4))[1]
    kind = {4: "", 5: " depth", 7: " upscaler", 8: " InstructPix2Pix", 9: " inpainting"}.get(
        channels, f" {channels}-channel"
    )
    if _any(shapes, "cond_stage_model.model."):
        return f"an SD2{kind} checkpoint"
    return f"an SD1{kind} checkpoint" if kind else ""


def _other_file(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Return which other kind of file this is; empty for none that is known."""
    if any(".lora_" in name or name.startswith(("lora_", "lycoris_")) for name in shapes):
        return "a LoRA"
    if _any(shapes, ("control_model.", "controlnet_", "input_hint_block.")):
        return "a ControlNet"
    if not _any(shapes, UNET) and _any(shapes, ("encoder.conv_in.", "decoder.conv_in.", AUTOENCODER)):
        return "an autoencoder (VAE)"
    if not EMBEDDING_KEYS.isdisjoint(shapes):
        return "an embedding"
    if _any(shapes, ("down_blocks.", "text_model.")):
        return "one part of a model in the diffusers format"
    return ""


def _any(names: Iterable[str], prefix: str | tuple[str, ...]) -> bool:
    return any(name.startswith(prefix) for name in names)
