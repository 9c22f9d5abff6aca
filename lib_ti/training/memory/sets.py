"""The memory sets of a step: ways to compute the same gradient in less memory and more time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from lib_ti.host.model import Checkpointing, Model

AUTO = "auto"
LEVELS: tuple[Checkpointing, ...] = get_args(Checkpointing)
"""In the order of their time."""


@dataclass(frozen=True)
class MemorySet:
    """One way to compute a step.

    All ways give the same result. Where only ``checkpointing`` differs, it is the same in every bit on the CPU if the
    gradients are summed in the same order, as diffusers' UNets do; ldm's and sgm's gradients differ by 3e-7. Where
    ``images`` differs, gradients differ by a few 1e-6, the rounding of a float32 network.

    Parameters
    ----------
    images
        Images of the batch that go through the UNet at once.
    offload
        Whether the autoencoder is in main memory except while it is used: between the steps' previews it is not.
    """

    checkpointing: Checkpointing
    images: int
    offload: bool = False

    def apply(self, model: Model) -> None:
        """Set what the model has to do with it."""
        model.set_checkpointing(self.checkpointing)
        model.offload_autoencoder(self.offload)

    def describe(self, batch_size: int) -> str:
        """Return the end of a sentence, such as "Gradient checkpointing is all-blocks"."""
        verb = "is" if self.images == 1 else "are"
        share = (
            f", and {self.images} of {batch_size} images {verb} computed at once" if self.images < batch_size else ""
        )
        away = ", and the autoencoder is in main memory while it is not used" if self.offload else ""
        return f"Gradient checkpointing is {self.checkpointing}{share}{away}"


def levels(wanted: str) -> Sequence[Checkpointing]:
    """Return what the setting Gradient checkpointing allows, the fastest first."""
    return [level for level in LEVELS if wanted in (AUTO, level)]


def portions(batch_size: int) -> list[int]:
    """Return numbers of images at once, each about half of the one before, down to 1.

    A card that is short of memory is busy with one image already, so that fewer images at once cost little time;
    recomputing costs a quarter of it and more.
    """
    found = [batch_size]
    while found[-1] > 1:
        found.append((found[-1] + 1) // 2)
    return found


class MemorySets:
    """The set that a run's steps are computed by, and what is left when it takes too much memory.

    Parameters
    ----------
    batch_size
        Images of a batch.
    wanted
        The setting Gradient checkpointing.
    first
        None for the fastest that ``wanted`` allows.
    can_offload
        Whether offloading the autoencoder frees memory.
    """

    def __init__(
        self, batch_size: int, wanted: str = AUTO, first: MemorySet | None = None, *, can_offload: bool = False
    ) -> None:
        self._batch_size, self._wanted, self._can_offload = batch_size, wanted, can_offload
        self.current = first or MemorySet(levels(wanted)[0], batch_size)

    @property
    def how(self) -> str:
        """The end of a sentence on the current set."""
        return self.current.describe(self._batch_size)

    @property
    def images(self) -> int | None:
        """How many images go through the UNet at once; None for a whole batch, whatever its size."""
        return self.current.images if self.current.images < self._batch_size else None

    def reduce(self) -> bool:
        """Change to the fastest set that certainly takes less memory; False where there is none."""
        lesser = smaller(self.current, self._wanted, can_offload=self._can_offload)
        self.current = lesser or self.current
        return lesser is not None


def smaller(current: MemorySet, wanted: str, *, can_offload: bool = False) -> MemorySet | None:
    """Return the fastest set that certainly takes less memory than ``current``, None where there is none."""
    if can_offload and not current.offload:
        return replace(current, offload=True)
    if current.images > 1:
        return replace(current, images=(current.images + 1) // 2)
    rest = [level for level in levels(wanted) if LEVELS.index(level) > LEVELS.index(current.checkpointing)]
    return replace(current, checkpointing=rest[0]) if rest else None
