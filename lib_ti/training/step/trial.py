"""One step that trains nothing: forward and backward on noise, from which the vectors' gradients are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.model import Conditions, Model
from lib_ti.training.step import diffusion


@dataclass(frozen=True)
class Trial:
    """Result of a trial step.

    Parameters
    ----------
    gradients
        By encoder, (count, width); zeros where nothing reached the vectors.
    strangers
        Other tensors that the step computes gradients of: (shape, type).
    """

    predicted: Tensor
    gradients: dict[str, Tensor]
    strangers: list[str]


def take_trial_step(model: Model, embedding: Embedding, prompts: Sequence[str], size: tuple[int, int]) -> Trial:
    """Take a step on images of ``size`` (width, height) in pixels, one for each prompt."""
    width, height = size
    shape = (len(prompts), 4, -(-height // VAE_SCALE_FACTOR), -(-width // VAE_SCALE_FACTOR))
    leaves = trial_leaves(model, embedding)
    drawn = diffusion.draw(diffusion.generator(0, "trial", shape[2]), shape)
    noise, timesteps = drawn.noise.to(model.device), drawn.timesteps.to(model.device)
    conditions = Conditions.whole(prompts, width=width, height=height)
    with torch.enable_grad():
        conditioning = model.encode_prompts(conditions, [embedding.with_vectors(leaves, step=embedding.step)])
        predicted = model.predict(noise, timesteps, conditioning)
        loss = diffusion.loss(predicted, noise, None)
        # Loss scaling is the trainer's; this much keeps small gradients from being rounded to 0 in half precision.
        scale = 1024.0 if model.needs_loss_scaling else 1.0
        strangers = _strangers(loss, leaves.values())
        (loss * scale).backward()
    gradients = {
        key: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad / scale for key, leaf in leaves.items()
    }
    return Trial(predicted.detach(), gradients, strangers)


def trial_leaves(model: Model, embedding: Embedding) -> dict[str, Tensor]:
    """Return copies of the embedding's vectors that gradients are computed of."""
    return {
        key: vector.detach().to(model.device, torch.float32).clone().requires_grad_(True)
        for key, vector in embedding.vectors.items()
    }


def _strangers(loss: Tensor, ours: Iterable[Tensor]) -> list[str]:
    """Describe the leaf tensors of a graph that are not ours, by walking through it."""
    known = {id(leaf) for leaf in ours}
    found, seen, waiting = [], set(), [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, Tensor) and id(leaf) not in known:
            found.append(f"{' × '.join(map(str, leaf.shape))}, {str(leaf.dtype).removeprefix('torch.')}")
        waiting += [following for following, _ in node.next_functions]
    return found
