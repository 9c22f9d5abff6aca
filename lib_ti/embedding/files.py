"""Embedding files: reads every format in use, writes those of the WebUI and diffusers, converts between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from lib_ti.embedding import card
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats.card_reading import SUFFIXES as CARDS
from lib_ti.embedding.formats.reading import check_suffix, read, read_as
from lib_ti.embedding.layouts import details_of, embedding_of, tensors_of, webui_data
from lib_ti.embedding.verify import check_finite, check_written
from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.families.registry import FAMILIES
from lib_ti.storage.atomic import write_atomically
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from PIL.Image import Image


def load(path: Path) -> Embedding:
    """Read an embedding as tensors, as :func:`lib_ti.embedding.formats.reading.read` does; raises :class:`BadInput`."""
    return embedding_of(read(path))


def save(embedding: Embedding, path: Path, image: Image | None = None) -> None:
    """Write an embedding in the format of the suffix, detached and float32; an existing file is replaced.

    ``.safetensors`` holds all; ``.pt`` and ``.png`` too, but SDXL's ``.pt`` only the vectors, since the WebUI refuses
    all else in it; ``.bin`` only the vectors; ``.webp`` all, and no SDXL.

    Parameters
    ----------
    image
        Image of a card (``.png``, ``.webp``); None for one made of the vectors.

    Raises
    ------
    CannotWrite
        The disk refuses the file, the vectors are not finite, or the file does not read back equal. The file that
        was at the path before is unchanged.
    BadInput
        An unknown suffix, or one whose format cannot hold this embedding.
    """
    suffix = check_suffix(path)
    check_finite(embedding)
    if suffix in CARDS:
        card.save_card(path, image, embedding)
        return
    vectors_only = suffix == ".bin" or (suffix == ".pt" and len(embedding.vectors) > 1)

    def write(beside: Path) -> None:
        if suffix == ".safetensors":
            safetensors.torch.save_file(
                tensors_of(embedding), beside, metadata={"format": "pt", **details_of(embedding)}
            )
        else:
            data = webui_data(embedding) if suffix == ".pt" else _diffusers_data(embedding)
            # WebUI 1.10.1 refuses the zip format of torch 2.7 and newer, and all WebUIs accept the older one.
            torch.save(data, beside, _use_new_zipfile_serialization=False)
        check_written(
            embedding, beside, lambda file: embedding_of(read_as(file, suffix)), path, vectors_only=vectors_only
        )

    write_atomically(path, write)


def convert(source: Path, target: Path, image: Image | None = None) -> Embedding:
    """Read ``source`` and write it as ``target``, under the name that is the stem of ``target``.

    ``image`` is that of a card, see :func:`save`.

    Raises
    ------
    BadInput, CannotWrite
        As :func:`load` and :func:`save` do; ``target`` is written completely or not at all.
    """
    check_suffix(target)
    embedding = replace(load(source), name=target.stem)
    save(embedding, target, image)
    return embedding


def check_fits(embedding: Embedding, info: ModelInfo) -> None:
    """Raise :class:`BadInput` when the embedding is for another kind of model; names both and their widths."""
    theirs, ours = embedding.widths, dict(info.widths)
    if theirs == ours:
        return
    missing = " and ".join(encoder for encoder in ours if encoder not in theirs)
    incomplete = (
        f" If it was made for {FAMILIES[info.family].label}, its file lacks the vectors for {missing}: use the "
        "complete file, or create the embedding again."
        if theirs.items() < ours.items()
        else ""
    )
    raise BadInput(
        f"Embedding {quoted(embedding.name)} is for {_kind(embedding.family, theirs)}, and model "
        f"{quoted(info.name)} is {_kind(info.family, ours)}. Choose a model of the embedding's kind or "
        f"another embedding.{incomplete}"
    )


def _kind(family: str, widths: dict[str, int]) -> str:
    vectors = " and ".join(f"{width} ({encoder})" for encoder, width in sorted(widths.items(), reverse=True))
    label = FAMILIES[family].label if family in FAMILIES else "an unknown family"
    return f"{label} with vectors of {vectors}"


def _diffusers_data(embedding: Embedding) -> dict[str, torch.Tensor]:
    """Return one token and its vectors, which the WebUI reads as well; for SDXL the names that both read."""
    tensors = tensors_of(embedding)
    return tensors if len(tensors) > 1 else {embedding.name: next(iter(tensors.values()))}
