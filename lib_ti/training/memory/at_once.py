"""How many images go through the model at once: half as many after each pass that runs out of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from lib_ti.errors import out_of_memory
from lib_ti.training.memory.device import release

Result = TypeVar("Result")


class AtOnce:
    """Calls functions with a number of images that the memory is enough for, and remembers it.

    Parameters
    ----------
    most
        Images at once, at first.
    """

    def __init__(self, device: torch.device, most: int) -> None:
        self._device, self._most = device, most

    def __call__(self, count: int, compute: Callable[[int], Result]) -> Result:
        """Return what a function returns for at most ``count`` images at once.

        Raises
        ------
        RuntimeError, MemoryError
            When it raises another error, or the memory isn't enough for a single image.
        """
        while True:
            images = min(count, self._most)
            try:
                return compute(images)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or images == 1:
                    raise
            # Only here, without the error, are the tensors of the pass free.
            self._most = (images + 1) // 2
            release(self._device)
