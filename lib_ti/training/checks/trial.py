"""Trial steps before the run: whether gradients reach the vectors, and how much memory a step needs.

Both are measured on the model that will be trained on, with the attention and the checkpointing of its session,
on latents so small that it takes a moment. Memory beside the model grows with the number of latent pixels, and where
attention keeps its whole matrix also with the square of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.model import Conditions, Model
from lib_ti.training.step import diffusion

_SIDES = (8, 16, 24)
"""Latent sides of the three trial steps: multiples of 8, as UNets halve them up to three times."""
_SLACK = 1.1
"""What allocators lose between their blocks."""


@dataclass(frozen=True)
class Trial:
    """``memory``: bytes that a step takes beside the model. ``gradient``: norm of the trial's gradient, maybe NaN."""

    memory: int
    gradient: float


def try_steps(model: Model, embedding: Embedding, prompt: str, *, size: tuple[int, int], batch_size: int) -> Trial:
    """Take three small steps without updating the embedding.

    Parameters
    ----------
    prompt
        One that the training will use, with the embedding's name in it.
    size, batch_size
        Training size in pixels and images in one pass, for which the memory is estimated.
    """
    gradient = math.nan
    pixels, peaks = [], []
    for side in (_SIDES[0], *_SIDES):  # the first one pays for what is set up once
        with _peak_of(model.device) as peak:
            gradient = _step(model, embedding, [prompt] * batch_size, side)
        pixels.append(batch_size * side * side)
        peaks.append(peak())
    wanted = batch_size * math.ceil(size[0] / VAE_SCALE_FACTOR) * math.ceil(size[1] / VAE_SCALE_FACTOR)
    return Trial(int(_SLACK * _extended(pixels[1:], peaks[1:], wanted)), gradient)


def _step(model: Model, embedding: Embedding, prompts: list[str], side: int) -> float:
    leaves = {
        key: vector.detach().to(model.device, torch.float32).clone().requires_grad_(True)
        for key, vector in embedding.vectors.items()
    }
    drawn = diffusion.draw(diffusion.generator(0, "trial", side), (len(prompts), 4, side, side))
    noise, timesteps = drawn.noise.to(model.device), drawn.timesteps.to(model.device)
    pixels = side * VAE_SCALE_FACTOR
    conditions = Conditions.whole(prompts, width=pixels, height=pixels)
    with torch.enable_grad():
        conditioning = model.encode_prompts(conditions, [embedding.with_vectors(leaves, step=embedding.step)])
        loss = diffusion.loss(model.predict(noise, timesteps, conditioning), noise, None)
        # Loss scaling is the trainer's; this much keeps small gradients from being rounded to 0 in half precision.
        scale = 1024.0 if model.needs_loss_scaling else 1.0
        (loss * scale).backward()
    gradients = [leaf.grad for leaf in leaves.values() if leaf.grad is not None]
    return math.sqrt(sum(float((gradient / scale).square().sum()) for gradient in gradients))


def _extended(pixels: list[int], peaks: list[int], wanted: int) -> float:
    """Extrapolate the parabola through three points; linearly where it would bend down."""
    curve = np.polyfit(np.array(pixels, dtype=float), np.array(peaks, dtype=float), 2)
    if curve[0] < 0:
        slope = (peaks[-1] - peaks[0]) / (pixels[-1] - pixels[0])
        return max(peaks[-1], peaks[-1] + slope * (wanted - pixels[-1]))
    return max(peaks[0], float(np.polyval(curve, wanted)))


@contextmanager
def _peak_of(device: torch.device) -> Iterator[Callable[[], int]]:
    """Yield a function that returns the peak of bytes allocated inside the block, to be called after it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        yield lambda: torch.cuda.max_memory_allocated(device) - before
    else:
        with _Tally() as tally:
            yield lambda: tally.most


class _Tally(TorchDispatchMode):
    """Counts the bytes of all tensors that operations return, until they are freed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.most = 0
        self._now = 0
        self._held: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for item in tree_flatten(made)[0]:
            if isinstance(item, torch.Tensor):
                self._count(item)
        return made

    def _count(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        reference = StorageWeakRef(storage)
        if reference.cdata in self._held:
            return
        self._held[reference.cdata] = (reference, storage.nbytes())
        self._now += storage.nbytes()
        if self._now > self.most:
            # Only now is it worth looking at who is gone.
            for key, (held, size) in list(self._held.items()):
                if held.expired():
                    del self._held[key]
                    self._now -= size
            self.most = max(self.most, self._now)


def free_memory(device: torch.device) -> int | None:
    """Return the free bytes of a device, PyTorch's reserve included; None where the system does not tell."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    available = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return available[0] if available and device.type == "cpu" else None
