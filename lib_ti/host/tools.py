"""What a host offers for preparing images: the Protocols of captioners, upscalers and inpainters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

Report = Callable[[str], None]
"""Called with a sentence while the host waits or loads something."""


@dataclass(frozen=True)
class TagOptions:
    """What a tagger writes: tags with more confidence, 0 to 1, than the threshold of their kind; 1 is no tag at all.

    With ``spaces``, underscores become spaces.
    """

    threshold: float = 0.35
    character_threshold: float = 0.85
    spaces: bool = True


DEFAULT_TAGS = TagOptions()


class Captioner(Protocol):
    """Describes images in one line each; its model is loaded."""

    @property
    def options(self) -> str:
        """All that its captions depend on besides the image, as text: its name, its model, its settings."""
        ...

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Return one caption for each RGB image; as many at once as the caller wants to hold in memory."""
        ...


class Upscaler(Protocol):
    """Upscales images; its model is loaded. Called by one thread at a time."""

    def upscale(self, image: Image, factor: float) -> Image:
        """Return the RGB image, each side ``factor`` (above 1) times as long, rounded to whole pixels."""
        ...


class Inpainter(Protocol):
    """Inpaints images with the loaded model; everything of the host is restored on leaving."""

    def fill(self, image: Image, mask: Image, *, prompt: str, seed: int) -> Image:
        """Return the RGB image with what the mask ("L", same size) has above 127 inpainted; the rest is unchanged."""
        ...


class Tools(Protocol):
    """The captioners, upscalers and the inpainter of a host, and its tokenizer."""

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Return first and last-plus-one letter of each token of a text; no model is needed for it."""
        ...

    @property
    def captioners(self) -> Sequence[str]:
        """Names of what can caption images here, the best first; empty where there is nothing."""
        ...

    def captioner(
        self, name: str, report: Report, tags: TagOptions = DEFAULT_TAGS
    ) -> AbstractContextManager[Captioner]:
        """Load a captioner's model once; what it displaced is put back on leaving. ``tags`` is for WD taggers.

        Raises
        ------
        BadInput
            When there is none of that name, or its model is not on this machine: which file or folder is missing.
        """
        ...

    @property
    def upscalers(self) -> Sequence[str]:
        """Names of what can upscale images here besides plain resampling, the best first."""
        ...

    def upscaler(self, name: str, report: Report) -> AbstractContextManager[Upscaler]:
        """Load an upscaler.

        Raises
        ------
        BadInput
            When there is none of that name, or its file cannot be used.
        """
        ...

    @property
    def can_inpaint(self) -> bool:
        """Whether :meth:`inpainter` is possible here."""
        ...

    def inpainter(self, report: Report) -> AbstractContextManager[Inpainter]:
        """Acquire the model for inpainting.

        Raises
        ------
        BadInput
            When this host cannot do it, or no model is loaded.
        """
        ...
