"""Data of embedding files, for writing; :mod:`lib_ti.embedding.formats.contents` reads them."""

from __future__ import annotations

import json
from typing import Any

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats.contents import Contents
from lib_ti.families.registry import layout_of


def embedding_of(contents: Contents) -> Embedding:
    """Return a file's contents as tensors on the CPU, which share its memory."""
    vectors = {key: torch.from_numpy(vectors) for key, vectors in contents.vectors.items()}
    return Embedding(contents.name, vectors, contents.step, contents.model_name, contents.model_hash, contents.recipe)


def tensors_of(embedding: Embedding) -> dict[str, torch.Tensor]:
    """Return the vectors by their names in ``.safetensors``, see :class:`lib_ti.families.family.EmbeddingLayout`."""
    names = layout_of(embedding.vectors).tensors
    return {names[encoder]: vectors for encoder, vectors in embedding.snapshot().vectors.items()}


def webui_data(embedding: Embedding) -> dict[str, Any]:
    """Return the dict that the WebUI's ``.pt`` and cards hold, which for SDXL has no place for anything but vectors."""
    tensors = tensors_of(embedding)
    if not layout_of(embedding.vectors).string_to_param:
        return dict(tensors)
    (vectors,) = tensors.values()
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": vectors},
        "name": embedding.name,
        "step": embedding.step,
        "sd_checkpoint": embedding.model_hash or None,
        "sd_checkpoint_name": embedding.model_name or None,
        "recipe": json.dumps(dict(embedding.recipe)),
    }


def details_of(embedding: Embedding) -> dict[str, str]:
    """Return everything but the vectors as texts: the metadata of ``.safetensors``."""
    return {
        "name": embedding.name,
        "step": str(embedding.step),
        "sd_checkpoint": embedding.model_hash,
        "sd_checkpoint_name": embedding.model_name,
        "recipe": json.dumps(dict(embedding.recipe)),
    }
