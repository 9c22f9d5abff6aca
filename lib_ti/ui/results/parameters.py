"""Generation parameters of an image, as txt2img has them: prompt, negative prompt, steps, sampler, seed, size."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image

_NUMBERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "Steps": ("steps", int),
    "Sampler": ("sampler", str),
    "Schedule type": ("scheduler", str),
    "CFG scale": ("cfg_scale", float),
    "Seed": ("seed", int),
}
"""Names in the file, and here."""


def read_parameters(path: Path) -> dict[str, Any]:
    """Return the parameters that a WebUI or a run wrote into an image, as many as it has; empty without any.

    Their keys are those of the txt2img components in :func:`lib_ti.ui.tab.build`.
    """
    try:
        return dict(_read(path, path.stat().st_mtime_ns))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return {}


@lru_cache(maxsize=2000)
def _read(path: Path, _changed: int) -> dict[str, Any]:
    with Image.open(path) as image:
        # What is before the pixels, which are not decoded for it.
        return parse_parameters(str(image.info.get("parameters", "")))


def parse_parameters(text: str) -> dict[str, Any]:
    """Return parameters from the text that WebUIs write into PNG files and read in PNG Info."""
    prompts, _, rest = text.rpartition("\nSteps: ")
    if not rest or not prompts:
        return {"prompt": text} if text else {}
    prompt, _, negative = prompts.partition("\nNegative prompt: ")
    found: dict[str, Any] = {"prompt": prompt, "negative_prompt": negative}
    given = dict(part.partition(": ")[::2] for part in f"Steps: {rest}".split(", "))
    for name, (key, convert) in _NUMBERS.items():
        try:
            found[key] = convert(given[name])
        except (KeyError, ValueError):
            continue
    if size := re.fullmatch(r"(\d+)x(\d+)", given.get("Size", "")):
        found |= {"width": int(size[1]), "height": int(size[2])}
    if "sampler" in found:
        found.setdefault("scheduler", "Automatic")  # what the WebUI leaves out
    return found
