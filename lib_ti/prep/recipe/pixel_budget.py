"""A limit on the pixels that several threads hold in memory at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

MOST_PIXELS = 100_000_000
"""Of all images that are decoded at one time: with their crops less than 1 GB of memory.

A larger image waits until it is alone.
"""


class PixelBudget:
    """Admits threads while the pixels that they need together are within the budget."""

    def __init__(self, size: int) -> None:
        self._size = self._free = size
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait until so many pixels are free, and hold them; more than the whole budget counts as all of it."""
        pixels = min(pixels, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()
