"""Contents of embedding files as numpy arrays, without torch. The layouts, by program:

=============  =============================================================================================
WebUI          ``string_to_param: {"*": (n, w)}`` with name, step, sd_checkpoint, sd_checkpoint_name;
               for SDXL ``clip_l`` and ``clip_g`` and nothing else
original TI    the same, ``string_to_param`` being a ``torch.nn.ParameterDict``
kohya          ``emb_params``; for SDXL ``clip_l`` and ``clip_g``
OneTrainer     ``emp_params`` (sic); for SDXL ``clip_l`` and ``clip_g``; ``*_out`` for vectors that it adds to a text
               encoder's output, which no other program can use
diffusers      ``{"<the token>": (w,) or (n, w)}``; its SDXL scripts also ``text_encoders_0`` and ``text_encoders_1``
=============  =============================================================================================
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lib_ti.errors import BadInput
from lib_ti.families.registry import FAMILIES, encoders_of_width, family_of_widths
from lib_ti.wording import quoted

Array = np.ndarray[Any, Any]
MAX_VECTORS = 1000
"""More vectors than any prompt uses; a file with more is something else."""


@dataclass(frozen=True)
class Contents:
    """An embedding as numpy arrays: vectors by text encoder, and where they come from.

    Parameters
    ----------
    name
        The word that stands for it in prompts.
    vectors
        By encoder, each (count, width) float32 with the same count: ``{"clip_l": (8, 768)}`` for SD1, ``"clip_h"`` for
        SD2, ``"clip_l"`` and ``"clip_g"`` for SDXL.
    step
        Finished training steps; 0 for a fresh one.
    model_name, model_hash
        The checkpoint it was trained on, empty where unknown. The hash is the WebUI's ten digits.
    recipe
        How it was made, as plain data that goes into file metadata: run, settings, initialization text.
    """

    name: str
    vectors: Mapping[str, Any]
    step: int = 0
    model_name: str = ""
    model_hash: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {tuple(tensor.shape[:1]) for tensor in self.vectors.values() if tensor.ndim == 2}
        if not self.vectors or len(counts) != 1 or any(t.ndim != 2 or 0 in t.shape for t in self.vectors.values()):
            shapes = {key: tuple(tensor.shape) for key, tensor in self.vectors.items()}
            raise BadInput(
                f"Embedding {quoted(self.name)} needs equally many vectors for each encoder, and has {shapes}."
            )

    @property
    def count(self) -> int:
        """Number of vectors per token."""
        return next(iter(self.vectors.values())).shape[0]

    @property
    def widths(self) -> dict[str, int]:
        return {key: tensor.shape[1] for key, tensor in self.vectors.items()}

    @property
    def family(self) -> str:
        """Key of the family whose released models have these widths, or ``"unknown"``."""
        family = family_of_widths(self.widths)
        return family.key if family else "unknown"

    @property
    def mean_lengths(self) -> dict[str, float]:
        """Mean norm of the vectors by encoder."""
        return {key: float(np.linalg.norm(vectors, axis=1).mean()) for key, vectors in self.vectors.items()}


def contents_from(data: Any, *, name: str, source: Path, details: Mapping[str, Any] | None = None) -> Contents:
    """Return the embedding in what a file held.

    Parameters
    ----------
    data
        As read from ``source``, with numpy arrays for tensors.
    name
        Name of the embedding.
    details
        Step, model and recipe under the names of :func:`details_of`; by default they are read from ``data``.

    Raises
    ------
    BadInput
        ``data`` is no embedding, or several, or one that can be used nowhere else; says what was found.
    """
    tensors = _tensors(data, source)
    if len(tensors) == 1:
        vectors = _by_width(_vectors(next(iter(tensors.values())), source))
    else:
        vectors = _by_encoder(tensors, source)
    if len({tensor.shape[0] for tensor in vectors.values()}) > 1:
        raise BadInput(f"{source} is damaged: its encoders have unequally many vectors, {describe(vectors)}.")
    return Contents(name=name, vectors=vectors, **_details(data if details is None else details))


def describe(data: Any) -> str:
    """Describe a loaded value in a few words for a message: ``"a (8, 768), b and 12 more"``."""
    if not isinstance(data, Mapping):
        return f"a {type(data).__name__}"
    parts = [f"{key} {tuple(item.shape)}" if isinstance(item, np.ndarray) else f"{key}" for key, item in data.items()]
    more = f" and {len(parts) - 6} more" if len(parts) > 6 else ""
    return (", ".join(part[:60] for part in parts[:6]) or "nothing") + more


def _tensors(data: Any, source: Path) -> dict[str, Array]:
    if not isinstance(data, Mapping):
        raise BadInput(f"{source} is no embedding: it holds {describe(data)}.")
    terms = data.get("string_to_param", data)
    if not isinstance(terms, Mapping):
        raise BadInput(f"{source} is no embedding: its string_to_param is {describe(terms)}.")
    tensors = {str(key): item for key, item in terms.items() if isinstance(item, np.ndarray)}
    if not tensors:
        raise BadInput(f"{source} is no embedding: it holds {describe(terms)}.")
    if beyond := sorted(key for key in tensors if key.endswith("_out")):
        raise BadInput(
            f"{source} holds {', '.join(beyond)}: OneTrainer adds such vectors to the text encoder's output, where no "
            "other program can. Train it there again with 'output embedding' off."
        )
    return tensors


def _by_encoder(tensors: Mapping[str, Array], source: Path) -> dict[str, Array]:
    layouts = [family.layout for family in FAMILIES.values() if len(family.encoders) > 1]
    for names in (names for layout in layouts for names in (layout.tensors, *layout.also_read)):
        if set(tensors) == set(names.values()):
            return {encoder: _vectors(tensors[name], source) for encoder, name in names.items()}
    if all(
        tensor.ndim <= 2 and tensor.shape[-1:] == next(iter(tensors.values())).shape[-1:] for tensor in tensors.values()
    ):
        raise BadInput(f"{source} holds several embeddings, {describe(tensors)}. Put each into a file of its own.")
    raise BadInput(f"{source} is no embedding of a known kind: it holds {describe(tensors)}.")


def _by_width(vectors: Array) -> dict[str, Array]:
    encoders = encoders_of_width(vectors.shape[1])
    if len(encoders) == 1:
        return {encoders[0][0]: vectors}
    ends = itertools.accumulate(width for _, width in encoders)
    return {encoder: vectors[:, end - width : end].copy() for (encoder, width), end in zip(encoders, ends, strict=True)}


def _vectors(tensor: Array, source: Path) -> Array:
    """Return (n, w) float32 with memory of its own."""
    if tensor.ndim == 1:
        tensor = tensor[None]
    if (
        tensor.ndim != 2
        or not tensor.size
        or not np.issubdtype(tensor.dtype, np.floating)
        or tensor.shape[0] > MAX_VECTORS
    ):
        raise BadInput(f"{source} is no embedding: it holds {tuple(tensor.shape)} numbers of type {tensor.dtype}.")
    with np.errstate(over="ignore"):
        vectors = np.array(tensor, dtype=np.float32, order="C")
    if not np.isfinite(vectors).all():
        raise BadInput(f"{source} holds values that are NaN or infinite. Use an earlier copy of it.")
    return vectors


def _details(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the valid ones of step, model and recipe: other programs write anything under these keys."""
    step = str(data.get("step") or 0)
    try:
        recipe = json.loads(data.get("recipe") or "{}")
    except (TypeError, ValueError):
        recipe = {}
    return {
        "step": int(step) if step.isascii() and step.isdigit() else 0,
        "model_name": str(data.get("sd_checkpoint_name") or ""),
        "model_hash": str(data.get("sd_checkpoint") or ""),
        "recipe": recipe if isinstance(recipe, dict) else {},
    }
