"""What a host offers for preparing images: the Protocols of captioners, upscalers and inpainters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image


class Captioner(Protocol):
    """Describes images in one line each; its model is loaded."""

    @property
    def options(self) -> str:
        """All that its captions depend on besides the picture, as text: its name, its model, its settings."""
        ...

    def caption(self, pictures: Sequence[Image]) -> list[str]:
        """One caption for each RGB picture, of any sizes. As many at once as the caller wants to hold in memory."""
        ...


class Upscaler(Protocol):
    """Upscales images; its model is loaded. Called by one thread at a time."""

    def enlarge(self, picture: Image, factor: float) -> Image:
        """The RGB picture, each side ``factor`` (above 1) times as long, rounded to whole pixels."""
        ...


class Inpainter(Protocol):
    """Inpaints images with the loaded model; everything of the host is restored on leaving."""

    def fill(self, picture: Image, mask: Image, *, prompt: str, seed: int) -> Image:
        """The RGB picture with what the mask ("L", same size) has above 127 inpainted; the rest is unchanged."""
        ...


Tell = Callable[[str], None]
"""Called with a sentence while the host waits or loads something."""
