"""Autoencoders in files of their own ("VAE files"), which take the place of the checkpoint's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from lib_ti.embedding.formats.tensor_files import load_shapes, load_tensors
from lib_ti.errors import BadInput
from lib_ti.host.embedded.files.checkpoint import Checkpoint
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, autoencoder_name
from lib_ti.wording import quoted

SUFFIXES = (".safetensors", ".ckpt", ".pt", ".bin")
_DECODER = "decoder.conv_in.weight"
_PARTS = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")
"""Beginnings of an autoencoder's weights; such files hold weights of training, too."""
_DIFFUSERS_LEVEL = re.compile(r"decoder\.up_blocks\.(\d+)\.")
_FORMER = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""diffusers' names of the attention's parts, before and since 0.15."""


def with_autoencoder(checkpoint: Checkpoint, path: Path | None) -> Checkpoint:
    """Return the checkpoint with the autoencoder of a VAE file instead of its own; unchanged without a file.

    Raises
    ------
    BadInput
        When the file is missing or damaged, or no autoencoder in the format of ldm or diffusers.
    """
    return _replaced(checkpoint, _weights(path, outline=False), path) if path else checkpoint


def with_autoencoder_outline(checkpoint: Checkpoint, path: Path | None) -> Checkpoint:
    """As :func:`with_autoencoder`, without reading the weights: they are on the meta device."""
    return _replaced(checkpoint, _weights(path, outline=True), path) if path else checkpoint


def is_vae_file(path: Path) -> bool:
    """Whether a file holds an autoencoder and nothing that looks like a text encoder or UNet.

    Raises
    ------
    BadInput
        When it is missing or damaged.
    """
    return _DECODER in _own_names(_weights(path, outline=True))


def _replaced(checkpoint: Checkpoint, found: Mapping[str, torch.Tensor], path: Path) -> Checkpoint:
    own = _own_names(found)
    if _DECODER not in own:
        raise BadInput(
            f"The VAE {path.name} is no autoencoder: it has no weight {quoted(_DECODER)}. Choose another, or none."
        )
    kept = {name: tensor for name, tensor in checkpoint.weights.items() if not name.startswith(AUTOENCODER)}
    return replace(checkpoint, weights={**kept, **{AUTOENCODER + name: tensor for name, tensor in own.items()}})


def _own_names(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return an autoencoder's weights by their names in the format of ldm, without prefix."""
    bare = {name.removeprefix(AUTOENCODER): tensor for name, tensor in weights.items()}
    own = {name: tensor for name, tensor in bare.items() if name.startswith(_PARTS)}
    levels = len({found[1] for name in own if (found := _DIFFUSERS_LEVEL.match(name))})
    if levels == 0:
        return own
    return {autoencoder_name(_new_name(name), levels=levels): tensor for name, tensor in own.items()}


def _new_name(name: str) -> str:
    """Return diffusers' present name of a weight that has a former one."""
    for former, present in _FORMER.items():
        name = name.replace(f".attentions.0.{former}.", f".attentions.0.{present}.")
    return name


def _weights(path: Path, *, outline: bool) -> Mapping[str, torch.Tensor]:
    if not path.is_file():
        raise BadInput(f"The VAE {path} does not exist; choose another, or none.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"The VAE {path} has the suffix {quoted(suffix)}; it has to be one of {', '.join(SUFFIXES)}.")
    if suffix != ".safetensors":
        content = load_shapes(path, inert=True) if outline else load_tensors(path, inert=True)
        if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
            content = content["state_dict"]
        items = content.items() if isinstance(content, Mapping) else ()
        return {name: one for name, one in items if isinstance(name, str) and torch.is_tensor(one)}
    try:
        # Not by load_file: Forge replaces it by one that renames a damaged file.
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if outline:
                return {name: torch.empty(file.get_slice(name).get_shape(), device="meta") for name in names}
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise BadInput(f"The VAE {path} is truncated or damaged ({error}); copy it again.") from error
