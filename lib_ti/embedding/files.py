"""Embedding files: read every kind in use, write those that the WebUI and diffusers read, turn any into any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from lib_ti.atomic import write_atomically
from lib_ti.embedding import card
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.layouts import describe, details_of, embedding_from, tensors_of, webui_data
from lib_ti.embedding.unpickle import load_tensors
from lib_ti.embedding.verify import check_finite, check_written
from lib_ti.errors import BadInput
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from PIL.Image import Image

    from lib_ti.host.base import ModelInfo

SUFFIXES = (".safetensors", ".pt", ".bin", *card.SUFFIXES)
"""Files that :func:`save` writes and :func:`load` reads, the default first."""

_FAMILIES = {"sd1": "SD 1", "sd2": "SD 2", "sdxl": "SDXL", "unknown": "an unknown family"}
_MOST_TENSORS = 16


def load(path: Path) -> Embedding:
    """Read an embedding of any program; see :mod:`lib_ti.embedding.layouts` for which.

    It is called by the file's stem, as the WebUI does, and cards by the name within. Vectors are float32 on the CPU
    with memory of their own, so that the file may be replaced or removed.

    Raises
    ------
    UnsafePickle
        A pickle that asks for more than tensors and plain data; nothing of it was run.
    BadInput
        Missing, damaged, no embedding, several of them, or vectors that cannot be used; says what was found.
    """
    suffix = _suffix(path)
    if not path.is_file():
        raise BadInput(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}. Give an embedding file.")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty. Use another copy of it.")
    return _read(path, suffix)


def _read(path: Path, suffix: str) -> Embedding:
    """The embedding in a file of the format that ``suffix`` stands for, whatever the file is called."""
    if suffix in card.SUFFIXES:
        return card.read_card(path)
    if suffix == ".safetensors":
        tensors, details = _read_safetensors(path)
        return embedding_from(tensors, name=path.stem, source=path, details=details)
    return embedding_from(load_tensors(path), name=path.stem, source=path)


def save(embedding: Embedding, path: Path, picture: Image | None = None) -> None:
    """Write an embedding in the format of the suffix, detached and float32; an existing file is replaced.

    ``.safetensors`` holds all; ``.pt`` and ``.png`` too, but SDXL's ``.pt`` only the vectors, since the WebUI refuses
    all else in it; ``.bin`` only the vectors; ``.webp`` all, and no SDXL.

    Parameters
    ----------
    picture
        What a card (``.png``, ``.webp``) shows; None for one made of the vectors.

    Raises
    ------
    CannotWrite
        The disk does not take the file, the vectors are not finite, or the file reads back differently. What was
        under the path before is still there.
    BadInput
        An unknown suffix, or one whose format cannot hold this embedding.
    """
    suffix = _suffix(path)
    check_finite(embedding)
    if suffix in card.SUFFIXES:
        card.save_card(path, picture, embedding)
        return
    vectors_only = suffix == ".bin" or (suffix == ".pt" and len(embedding.vectors) > 1)

    def write(beside: Path) -> None:
        if suffix == ".safetensors":
            safetensors.torch.save_file(
                tensors_of(embedding), beside, metadata={"format": "pt", **details_of(embedding)}
            )
        else:
            data = webui_data(embedding) if suffix == ".pt" else _diffusers_data(embedding)
            # WebUI 1.10.1 refuses the zip format of torch 2.7 and newer, and all WebUIs take the one before it.
            torch.save(data, beside, _use_new_zipfile_serialization=False)
        check_written(embedding, beside, lambda file: _read(file, suffix), path, vectors_only=vectors_only)

    write_atomically(path, write)


def convert(source: Path, target: Path, picture: Image | None = None) -> Embedding:
    """Read ``source`` and write it as ``target``, by whose stem the embedding is called from then on.

    ``picture`` is what a card shows, see :func:`save`.

    Raises
    ------
    BadInput, CannotWrite
        As :func:`load` and :func:`save` do; ``target`` is written whole or not at all.
    """
    _suffix(target)
    embedding = replace(load(source), name=target.stem)
    save(embedding, target, picture)
    return embedding


def check_fits(embedding: Embedding, info: ModelInfo) -> None:
    """Raise :class:`BadInput` when the embedding is for another kind of model; names both and their widths."""
    if embedding.widths == dict(info.widths):
        return
    raise BadInput(
        f"Embedding {quoted(embedding.name)} is for {_kind(embedding.family, embedding.widths)}, and model "
        f"{quoted(info.name)} is {_kind(info.family, dict(info.widths))}. Choose a model of the embedding's kind or "
        "another embedding."
    )


def _kind(family: str, widths: dict[str, int]) -> str:
    vectors = " and ".join(f"{width} ({encoder})" for encoder, width in sorted(widths.items(), reverse=True))
    return f"{_FAMILIES[family]} with vectors of {vectors}"


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"{path} has the suffix {quoted(suffix)}, and embeddings have one of {', '.join(SUFFIXES)}.")
    return suffix


def _diffusers_data(embedding: Embedding) -> dict[str, torch.Tensor]:
    """One token and its vectors, which the WebUI reads as well; for SDXL the names that both know."""
    tensors = tensors_of(embedding)
    return tensors if len(tensors) > 1 else {embedding.name: next(iter(tensors.values()))}


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            keys = list(file.keys())
            if len(keys) > _MOST_TENSORS:
                raise BadInput(f"{path} is no embedding but a model: it holds {describe(dict.fromkeys(keys))}.")
            return {key: file.get_tensor(key) for key in keys}, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise BadInput(f"{path} is damaged, or no .safetensors file: {error}. Get the file again.") from error
