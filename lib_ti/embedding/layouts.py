"""Embeddings as the data that their files hold, for writing; :mod:`lib_ti.embedding.contents` has the other way."""

from __future__ import annotations

import json
from typing import Any

import torch

from lib_ti.embedding.contents import Contents
from lib_ti.embedding.embedding import Embedding

_SINGLE = "emb_params"


def embedding_of(contents: Contents) -> Embedding:
    """Return what was read as tensors on the CPU, which share its memory."""
    vectors = {key: torch.from_numpy(vectors) for key, vectors in contents.vectors.items()}
    return Embedding(contents.name, vectors, contents.step, contents.model_name, contents.model_hash, contents.recipe)


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
