"""What embedding files hold, program by program: dicts of tensors to an :class:`Embedding` and back.

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

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput

MAX_VECTORS = 1000
"""More than a prompt of any length uses; beyond it a file is something else."""

_ENCODERS = ({"clip_l": "clip_l", "clip_g": "clip_g"}, {"text_encoders_0": "clip_l", "text_encoders_1": "clip_g"})
_BY_WIDTH = {1024: "clip_h", 1280: "clip_g"}
_SDXL_JOINED = 768 + 1280
_SINGLE = "emb_params"


def tensors_of(embedding: Embedding) -> dict[str, torch.Tensor]:
    """The tensors by the names they have in ``.safetensors``: ``emb_params``, or one for each of several encoders."""
    vectors = embedding.snapshot().vectors
    return dict(vectors) if len(vectors) > 1 else {_SINGLE: next(iter(vectors.values()))}


def webui_data(embedding: Embedding) -> dict[str, Any]:
    """The dict that the WebUI's ``.pt`` and cards hold. For several encoders it has no place for anything else."""
    tensors = tensors_of(embedding)
    if len(tensors) > 1:
        return dict(tensors)
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": tensors[_SINGLE]},
        "name": embedding.name,
        "step": embedding.step,
        "sd_checkpoint": embedding.model_hash or None,
        "sd_checkpoint_name": embedding.model_name or None,
        "recipe": json.dumps(dict(embedding.recipe)),
    }


def details_of(embedding: Embedding) -> dict[str, str]:
    """All but the vectors, as texts: the metadata of ``.safetensors``."""
    return {
        "name": embedding.name,
        "step": str(embedding.step),
        "sd_checkpoint": embedding.model_hash,
        "sd_checkpoint_name": embedding.model_name,
        "recipe": json.dumps(dict(embedding.recipe)),
    }


def embedding_from(data: Any, *, name: str, source: Path, details: Mapping[str, Any] | None = None) -> Embedding:
    """The embedding in what a file held.

    Parameters
    ----------
    data
        As read from ``source``.
    name
        What to call it.
    details
        Step, model and recipe under the names of :func:`details_of`; without it they are looked for in ``data``.

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
    return Embedding(name=name, vectors=vectors, **_details(data if details is None else details))


def describe(data: Any) -> str:
    """What a loaded value is, in a few words for a message: ``"a (8, 768), b and 12 more"``."""
    if not isinstance(data, Mapping):
        return f"a {type(data).__name__}"
    parts = [f"{key} {tuple(item.shape)}" if isinstance(item, torch.Tensor) else f"{key}" for key, item in data.items()]
    more = f" and {len(parts) - 6} more" if len(parts) > 6 else ""
    return (", ".join(part[:60] for part in parts[:6]) or "nothing") + more


def _tensors(data: Any, source: Path) -> dict[str, torch.Tensor]:
    if not isinstance(data, Mapping):
        raise BadInput(f"{source} is no embedding: it holds {describe(data)}.")
    terms = data.get("string_to_param", data)
    if not isinstance(terms, Mapping):
        raise BadInput(f"{source} is no embedding: its string_to_param is {describe(terms)}.")
    tensors = {str(key): item for key, item in terms.items() if isinstance(item, torch.Tensor)}
    if not tensors:
        raise BadInput(f"{source} is no embedding: it holds {describe(terms)}.")
    if beyond := sorted(key for key in tensors if key.endswith("_out")):
        raise BadInput(
            f"{source} holds {', '.join(beyond)}: OneTrainer adds such vectors to the text encoder's output, where no "
            "other program can. Train it there again with 'output embedding' off."
        )
    return tensors


def _by_encoder(tensors: Mapping[str, torch.Tensor], source: Path) -> dict[str, torch.Tensor]:
    for encoders in _ENCODERS:
        if set(tensors) == set(encoders):
            return {encoder: _vectors(tensors[key], source) for key, encoder in encoders.items()}
    if all(
        tensor.ndim <= 2 and tensor.shape[-1:] == next(iter(tensors.values())).shape[-1:] for tensor in tensors.values()
    ):
        raise BadInput(f"{source} holds several embeddings, {describe(tensors)}. Put each into a file of its own.")
    raise BadInput(f"{source} is no embedding of a known kind: it holds {describe(tensors)}.")


def _by_width(vectors: torch.Tensor) -> dict[str, torch.Tensor]:
    width = vectors.shape[1]
    if width == _SDXL_JOINED:
        # The WebUI's "Create embedding" writes SDXL's two encoders side by side, in this order.
        return {"clip_l": vectors[:, :768].clone(), "clip_g": vectors[:, 768:].clone()}
    return {_BY_WIDTH.get(width, "clip_l"): vectors}


def _vectors(tensor: torch.Tensor, source: Path) -> torch.Tensor:
    """(n, w) float32 with memory of its own."""
    if tensor.ndim == 1:
        tensor = tensor.unsqueeze(0)
    if tensor.ndim != 2 or not tensor.numel() or not tensor.is_floating_point() or tensor.shape[0] > MAX_VECTORS:
        raise BadInput(f"{source} is no embedding: it holds {tuple(tensor.shape)} numbers of type {tensor.dtype}.")
    vectors = tensor.detach().to(dtype=torch.float32, copy=True).contiguous()
    if not vectors.isfinite().all():
        raise BadInput(f"{source} holds values that are no numbers (NaN or infinite). Use an earlier copy of it.")
    return vectors


def _details(data: Mapping[str, Any]) -> dict[str, Any]:
    """Whatever of step, model and recipe is there and makes sense: other programs write these keys as they like."""
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
