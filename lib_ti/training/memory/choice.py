"""The choice of a memory set: the fastest one that fits into the free memory of a graphics card."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

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
    allowed = levels(wanted)
    trials = _Trials(model, embedding, prompt, size, wanted, batch_size)
    try:
        if model.device.type != "cuda":
            return trials.choice(MemorySet(allowed[0], batch_size), trials.small(allowed[0]))
        for level in allowed:
            memory = trials.full(level)
            if memory is None:
                continue
            for images in portions(batch_size):
                for offload in trials.offloads:
                    found = trials.choice(MemorySet(level, images, offload), memory)
                    if found.fits:
                        return found
            if level == allowed[-1]:  # an image went through a step
                return replace(trials.choice(MemorySet(level, 1, trials.offloads[-1]), memory), fits=True)
        last = MemorySet(allowed[-1], 1, trials.offloads[-1])
        return replace(trials.choice(last, trials.small(allowed[-1])), fits=False)
    finally:
        MemorySet("off", batch_size).apply(model)


class _Trials:
    """Trial steps on a model, and what follows from them.

    Attributes
    ----------
    offloads
        Whether the autoencoder may stay on the device, or be offloaded, the former first.
    """

    def __init__(
        self,
        model: Model,
        embedding: Embedding,
        prompt: str,
        size: tuple[int, int],
        wanted: str,
        batch_size: int,
    ) -> None:
        self._model, self._embedding, self._prompt, self._size = model, embedding, prompt, size
        self._wanted, self._batch_size = wanted, batch_size
        self._autoencoder_bytes = model.autoencoder_bytes
        self.offloads = [False, True] if self._autoencoder_bytes else [False]

    def choice(self, chosen: MemorySet, memory: StepMemory) -> MemoryChoice:
        model, offloaded = self._model, self.offloads == [True]
        free, needed = free_memory(model.device), memory.of(chosen.images, self._batch_size)
        if free is not None and chosen.offload and not offloaded:
            free += self._autoencoder_bytes
        return MemoryChoice(
            chosen,
            self._wanted,
            self._batch_size,
            model.device,
            needed,
            free,
            model.weight_bytes - (self._autoencoder_bytes if chosen.offload else 0),
            fits=free is None or needed <= free,
        )

    def full(self, level: Checkpointing) -> StepMemory | None:
        """Return the memory of a step of full size, None where a single image is too much.

        The autoencoder makes room for it where it has to, and for all that follow.
        """
        memory = self._tried(level)
        if memory is None and len(self.offloads) > 1:
            self.offloads = [True]
            self._model.offload_autoencoder(True)
            memory = self._tried(level)
        return memory

    def small(self, level: Checkpointing) -> StepMemory:
        """Return the memory of a step by small ones."""
        self._model.set_checkpointing(level)
        return estimate(self._model, self._embedding, self._prompt, self._size, full=False)

    def _tried(self, level: Checkpointing) -> StepMemory | None:
        self._model.set_checkpointing(level)
        try:
            return estimate(self._model, self._embedding, self._prompt, self._size, full=True)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        release(self._model.device)
        return None
