"""The WebUI's caches of encoded prompts, whose keys do not include the embeddings' vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modules import processing

_CACHES = {
    "StableDiffusionProcessing": ("cached_c", "cached_uc"),
    "StableDiffusionProcessingTxt2Img": ("cached_hr_c", "cached_hr_uc"),
}
"""The caches by the classes that have them; the forks' have an entry more than the WebUI's."""


def clear_prompt_cache() -> None:
    """Have the next image encode its prompts again."""
    for name, caches in _CACHES.items():
        owner = getattr(processing, name)
        for cache in caches:
            setattr(owner, cache, [None] * len(getattr(owner, cache)))


@contextmanager
def cleared_prompt_cache() -> Iterator[None]:
    """Clear the caches afterwards."""
    try:
        yield
    finally:
        clear_prompt_cache()
