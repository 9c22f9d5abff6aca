"""The choice of a memory set: the fastest one that fits into the free memory of a graphics card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import out_of_memory
from lib_ti.host.model import Checkpointing, Model
from lib_ti.training.checks.findings import Finding, Kind
from lib_ti.training.memory.device import free_memory, release
from lib_ti.training.memory.estimate import StepMemory, estimate
from lib_ti.training.memory.sets import AUTO, MemorySet, levels, portions
from lib_ti.wording import file_size

GB = 2**30
_CARDS = (6, 8, 12, 16, 24)
"""Usual sizes of graphics cards in GB."""
_TAKEN_OF_A_CARD = int(0.75 * GB)
"""Bytes of a card that CUDA, its libraries and the screen take."""


@dataclass(frozen=True)
class MemoryChoice:
    """The chosen set and why.

    Parameters
    ----------
    needed
        Bytes that a step takes beside the model.
    free
        Free bytes of the device, None where the system does not tell.
    weights
        Bytes of the model.
    fits
        False when not even the set of least memory fits, which is then the chosen one.
    """

    chosen: MemorySet
    wanted: str
    batch_size: int
    device: torch.device
    needed: int
    free: int | None
    weights: int
    fits: bool

    @property
    def how(self) -> str:
        """A sentence on the chosen set."""
        return f"{self.chosen.describe(self.batch_size)}."

    def findings(self) -> Iterator[Finding]:
        """Return what a step needs, how it is computed, and which graphics card that fits."""
        needs = f"A step needs about {file_size(self.needed)} of memory beside the model"
        if self.free is None:
            yield Finding("info", f"{needs}.")
        elif self.fits:
            yield Finding("good", f"{needs}, and {file_size(self.free)} are free on {self.device}.")
        else:
            # What main memory lacks, the system may have on disk.
            kind: Kind = "warning" if self.device.type == "cpu" else "error"
            missing = self.needed - self.free
            short = f": {file_size(missing)} are missing" if missing > 0 else ", which were not enough for a trial step"
            free = f"{file_size(self.free)} are free on {self.device}{short}"
            yield Finding(kind, f"{needs}, and {free}. {self._advice}")
        for text in (self.how, self._card()):
            yield Finding("good" if self.fits else "info", text)

    @property
    def _advice(self) -> str:
        if self.device.type != "cpu":
            auto = "" if self.wanted == AUTO else "set Gradient checkpointing to auto, "
            said = f"{auto}lower Width and Height, or close other programs that use the graphics card."
        else:
            said = "set Gradient checkpointing to all-blocks, or lower Batch size or Width and Height."
        return said[0].upper() + said[1:]

    def _card(self) -> str:
        together = self.weights + self.needed
        size = next((size for size in _CARDS if together + _TAKEN_OF_A_CARD <= size * GB), None)
        card = f"a graphics card of {size} GB has" if size else f"no graphics card of {_CARDS[-1]} GB has"
        return f"Model and step together need about {file_size(together)}, which {card}."


def choose(
    model: Model, embedding: Embedding, prompt: str, *, size: tuple[int, int], batch_size: int, wanted: str
) -> MemoryChoice:
    """Return the fastest set that fits, by trial steps.

    Where the model is not on a graphics card, it is the first set that ``wanted`` allows: main memory is plenty, and
    steps there are slow enough.

    Parameters
    ----------
    prompt, size
        See :func:`lib_ti.training.memory.estimate.estimate`.
    wanted
        The setting Gradient checkpointing.
    """
    on_card = model.device.type == "cuda"

    def choice(level: Checkpointing, images: int, memory: StepMemory, *, fits: bool | None = None) -> MemoryChoice:
        free, needed = free_memory(model.device), memory.of(images, batch_size)
        return MemoryChoice(
            MemorySet(level, images),
            wanted,
            batch_size,
            model.device,
            needed,
            free,
            model.weight_bytes,
            (free is None or needed <= free) if fits is None else fits,
        )

    allowed = levels(wanted)
    try:
        if not on_card:
            model.set_checkpointing(allowed[0])
            return choice(allowed[0], batch_size, estimate(model, embedding, prompt, size, full=False))
        for level in allowed:
            memory = _tried(model, embedding, prompt, size, level)
            if memory is None:
                continue
            for images in portions(batch_size):
                found = choice(level, images, memory)
                if found.fits:
                    return found
            if level == allowed[-1]:  # an image went through a step
                return choice(level, 1, memory, fits=True)
        memory = estimate(model, embedding, prompt, size, full=False)
        return choice(allowed[-1], 1, memory, fits=False)
    finally:
        model.set_checkpointing("off")


def _tried(
    model: Model, embedding: Embedding, prompt: str, size: tuple[int, int], level: Checkpointing
) -> StepMemory | None:
    """Return the memory of a step, None where a single image is too much."""
    model.set_checkpointing(level)
    try:
        return estimate(model, embedding, prompt, size, full=True)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    release(model.device)
    return None
