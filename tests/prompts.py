"""Prompts of small square images, as models take them."""

from __future__ import annotations

from collections.abc import Sequence

from lib_ti.host.model import Conditions


def of_images(prompts: Sequence[str], side: int = 64) -> Conditions:
    return Conditions.whole(prompts, width=side, height=side)
