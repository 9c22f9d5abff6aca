"""Checks around saving: only finite vectors are written, and every file must read back equal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.storage.atomic import CannotWrite
from lib_ti.wording import quoted


def check_finite(embedding: Embedding) -> None:
    """Raise :class:`CannotWrite` when a vector holds NaN or infinity."""
    for encoder, vectors in embedding.vectors.items():
        if not torch.isfinite(vectors).all():
            raise CannotWrite(
                f"Embedding {quoted(embedding.name)} was not saved: at step {embedding.step} its {encoder} vectors "
                "hold NaN or infinity. Restore an earlier checkpoint and use a lower learning rate."
            )


def check_written(
    meant: Embedding, beside: Path, load: Callable[[Path], Embedding], path: Path, *, vectors_only: bool = False
) -> None:
    """Read ``beside``, the file that will become ``path``, and compare it with ``meant`` in all but the name.

    Parameters
    ----------
    vectors_only
        For formats that hold nothing else.

    Raises
    ------
    CannotWrite
        It does not read back, or not equal.
    """
    failed = f"{path} did not read back as it was written, and was removed. Check the disk and save again."
    try:
        read = load(beside)
    except BadInput as error:
        raise CannotWrite(failed) from error
    wanted = meant.snapshot().vectors
    same = wanted.keys() == read.vectors.keys() and all(torch.equal(wanted[k], read.vectors[k]) for k in wanted)
    if not same or not (vectors_only or _details(meant) == _details(read)):
        raise CannotWrite(failed)


def _details(embedding: Embedding) -> tuple[int, str, str, Mapping[str, Any]]:
    recipe = json.loads(json.dumps(dict(embedding.recipe)))
    return embedding.step, embedding.model_name, embedding.model_hash, recipe
