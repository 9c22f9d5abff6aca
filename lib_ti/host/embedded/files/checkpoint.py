"""Reads a checkpoint, one file in the format of ldm or sgm, into named tensors.

Nothing in the file is run: ``.safetensors`` holds no code, and a ``.ckpt`` goes through our own unpickler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from lib_ti.embedding.formats.tensor_files import load_shapes, load_tensors
from lib_ti.errors import BadInput
from lib_ti.families.clip import VOCABULARY
from lib_ti.families.family import Family, TextEncoderSpec
from lib_ti.families.registry import key_of
from lib_ti.families.sd1 import CLIP_L
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET, text_source
from lib_ti.host.embedded.files.mapped import DTYPES, map_weights
from lib_ti.host.embedded.files.recognition import UNQUANTIZED, Header, family_of
from lib_ti.wording import quoted

SUFFIXES = (".safetensors", ".ckpt")
_TYPES = {dtype: name for name, dtype in DTYPES.items()}
_TEXT = CLIP_L.weights
# Old checkpoints, from before transformers introduced it, lack the level "text_model".
_OLD_TEXT = tuple(f"cond_stage_model.transformer.{part}." for part in ("embeddings", "encoder", "final_layer_norm"))
_TOKEN_TABLE = "text_model.embeddings.token_embedding.weight"


@dataclass(frozen=True)
class Checkpoint:
    """The tensors of a checkpoint's networks by their ldm names, on the CPU, in the file's precision."""

    path: Path
    family: Family
    header: Header
    weights: Mapping[str, torch.Tensor]


def _networks(family: Family) -> tuple[str, ...]:
    """Return the prefixes of UNet, autoencoder and text encoders."""
    return (UNET, AUTOENCODER, *(encoder.weights for encoder in family.encoders))


def read_checkpoint(path: Path, *, only: Callable[[Family], tuple[str, ...]] = _networks) -> Checkpoint:
    """Read UNet, autoencoder and text encoders.

    Parameters
    ----------
    only
        Returns the prefixes of the names to read.

    Raises
    ------
    BadInput
        When the file is missing, damaged, or anything but a checkpoint of one of the families.
    """
    _check_file(path)
    if path.suffix.lower() != ".safetensors":
        return _read_ckpt(path, only)
    with _opened(path) as (file, header):
        family = family_of(header, path.name)
        prefixes = only(family)
        wanted = {name: _modern_name(name) for name in header.shapes if _modern_name(name).startswith(prefixes)}
        mapped = map_weights(path, (name for name in wanted if header.types[name] in DTYPES))
        weights = {modern: mapped[name] if name in mapped else file.get_tensor(name) for name, modern in wanted.items()}
        return Checkpoint(path, family, header, weights)


def read_header(path: Path) -> tuple[Family, Header]:
    """Read what a checkpoint tells without its weights; raises as :func:`read_checkpoint`."""
    _check_file(path)
    if path.suffix.lower() != ".safetensors":
        _, header = _tensors_of(path, load_shapes(path, inert=True))
        return family_of(header, path.name), header
    with _opened(path) as (_, header):
        return family_of(header, path.name), header


def read_outline(path: Path) -> Checkpoint:
    """Read what :func:`read_checkpoint` does but no weight: tensors are on the meta device, with their shapes."""
    family, header = read_header(path)
    prefixes = _networks(family)
    names = {name: _modern_name(name) for name in header.shapes}
    weights = {
        modern: torch.empty(header.shapes[name], device="meta")
        for name, modern in names.items()
        if modern.startswith(prefixes)
    }
    return Checkpoint(path, family, header, weights)


def read_token_tables(path: Path) -> dict[str, torch.Tensor]:
    """Read each text encoder's input vectors (tokens, width), in the file's precision, and nothing else.

    Raises
    ------
    BadInput
        As :func:`read_checkpoint`, and when the checkpoint has no text encoder or one with another vocabulary.
    """
    checkpoint = read_checkpoint(path, only=lambda family: tuple(map(_token_table, family.encoders)))
    tables = {}
    for encoder in checkpoint.family.encoders:
        name = _token_table(encoder)
        table = checkpoint.weights.get(name)
        if table is None:
            label = checkpoint.family.label
            raise BadInput(f"{path.name} lacks the weight {quoted(name)}; give a complete {label} checkpoint.")
        if table.ndim != 2 or len(table) < VOCABULARY:
            raise BadInput(f"{path.name} has a text encoder of {len(table)} tokens, and CLIP's has {VOCABULARY}.")
        tables[key_of(checkpoint.family, encoder, table.shape[1])] = table
    return tables


def _token_table(encoder: TextEncoderSpec) -> str:
    return encoder.weights + text_source(encoder.naming)(_TOKEN_TABLE).name


def _check_file(path: Path) -> None:
    if not path.exists():
        raise BadInput(f"Checkpoint {path} does not exist; give the path of a checkpoint file.")
    if not path.is_file():
        raise BadInput(f"Checkpoint {path} is not a file; give the path of a checkpoint file.")
    suffix = path.suffix.lower()
    if suffix == ".gguf":
        raise BadInput(f"{path.name} has quantized weights (GGUF): {UNQUANTIZED}")
    if suffix not in SUFFIXES:
        raise BadInput(f"Checkpoint {path} has the suffix {quoted(suffix)}; it has to be {' or '.join(SUFFIXES)}.")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Header]]:
    """Open a ``.safetensors`` file and read its header."""
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            header = Header(
                shapes={name: tuple(one.get_shape()) for name, one in slices.items()},
                types={name: str(one.get_dtype()) for name, one in slices.items()},
                metadata=file.metadata() or {},
            )
            yield file, header
    except (SafetensorError, OSError) as error:
        raise BadInput(f"Checkpoint {path} is truncated or damaged ({error}); download or copy it again.") from error


def _read_ckpt(path: Path, only: Callable[[Family], tuple[str, ...]]) -> Checkpoint:
    tensors, header = _tensors_of(path, load_tensors(path, inert=True))
    family = family_of(header, path.name)
    prefixes = only(family)
    modern = {_modern_name(name): tensor for name, tensor in tensors.items()}
    return Checkpoint(path, family, header, {name: one for name, one in modern.items() if name.startswith(prefixes)})


def _tensors_of(path: Path, content: Any) -> tuple[dict[str, torch.Tensor], Header]:
    """Return the weights of what a ``.ckpt`` holds, and what a header would tell of them."""
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise BadInput(f"Checkpoint {path} holds no table of weights; give a checkpoint file.")
    tensors = {name: value for name, value in content.items() if isinstance(name, str) and torch.is_tensor(value)}
    header = Header(
        shapes={name: tuple(tensor.shape) for name, tensor in tensors.items()} or {str(name): () for name in content},
        types={name: _TYPES.get(one.dtype, str(one.dtype).removeprefix("torch.")) for name, one in tensors.items()},
    )
    return tensors, header


def _modern_name(name: str) -> str:
    if name.startswith(_OLD_TEXT):
        return _TEXT + name.removeprefix("cond_stage_model.transformer.")
    return name
