"""Runs the text network of ``transformers``' CLIP without device synchronisation; the same for every host.

The network's own ``forward`` is not called: up to ``transformers`` 4.34 it fills the causal mask with a tensor, whose
value torch reads back from the device, so that every call waits for all work before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def hidden_states(text_model: Any, ids: Tensor, layer_from_end: int = 1, *, normed: bool = True) -> Tensor:
    """Encode token ids (B, 77) to the hidden states (B, 77, width) of one of the last layers.

    Parameters
    ----------
    text_model
        The ``text_model`` of a ``CLIPTextModel``. Its values are bit-equal to those of its own ``forward``.
    layer_from_end
        1 for the very last layer, 2 for the one before, and so on (the WebUI's clip skip).
    normed
        Whether the final norm follows.
    """
    hidden = layer_outputs(text_model, ids)[-layer_from_end]
    return text_model.final_layer_norm(hidden) if normed else hidden


def layer_outputs(text_model: Any, ids: Tensor) -> tuple[Tensor, ...]:
    """Encode token ids (B, 77) to the outputs (B, 77, width) of the embedding and of every layer, none of them normed.

    Parameters
    ----------
    text_model
        See :func:`hidden_states`.
    """
    embedded = text_model.embeddings(input_ids=ids)
    mask = _causal_mask(ids.shape[1], embedded).expand(len(ids), 1, -1, -1)
    output = text_model.encoder(inputs_embeds=embedded, attention_mask=mask, output_hidden_states=True)
    outputs: tuple[Tensor, ...] = output.hidden_states
    return outputs


def pooled(text_model: Any, projection: Tensor, last: Tensor, ends: Tensor) -> Tensor:
    """Project the last layer's output (B, 77, width) at each text's first end token ``ends`` (B,) to (B, projected).

    Parameters
    ----------
    text_model
        Whose final norm comes first.
    projection
        (projected, width), the weight of ``CLIPTextModelWithProjection.text_projection``.
    """
    at_end = last[torch.arange(len(last), device=last.device), ends]
    normed: Tensor = text_model.final_layer_norm(at_end)
    return normed @ projection.to(normed.dtype).T


def to_device(values: Sequence[Any], device: torch.device) -> Tensor:
    """Return a tensor of (nested) numbers on the device; ``torch.tensor(values, device=…)`` would synchronise."""
    return torch.tensor(values).to(device, non_blocking=True)


def _causal_mask(length: int, like: Tensor) -> Tensor:
    """Return (length, length) to add to attention scores: 0 up to the diagonal, the type's lowest number above it."""
    # In float32 first: torch before 2.2 has no triu for half precision on the processor.
    lowest = torch.full((length, length), torch.finfo(like.dtype).min, device=like.device)
    return lowest.triu(1).to(like.dtype)
