"""Samplers and schedulers of the txt2img tab for previews by a host that has fewer of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_RELATED = {
    "unipc": "DPM++ 2M",
    "deis": "DPM++ 2M",
    "ipndm": "DPM++ 2M",
    "ipndm_v": "DPM++ 2M",
    "dpm fast": "DPM2",
    "dpm adaptive": "DPM2",
    "heunpp2": "Heun",
    "restart": "Heun",
    "lms": "Euler",
    "plms": "DDIM",
}
"""Samplers that give images like one of another name."""


def with_known_names(
    taken: Mapping[str, Any], samplers: Sequence[str], schedulers: Sequence[str]
) -> tuple[dict[str, Any], list[str]]:
    """Return values of the txt2img tab with names that previews know, and a sentence for each that was replaced.

    Parameters
    ----------
    taken
        Values by ``sampler``, ``scheduler`` and other fields of that tab.
    samplers, schedulers
        Names that previews know; the first is for everything that resembles none.
    """
    values, sentences = dict(taken), []
    for field, label, known in (("sampler", "Sampler", samplers), ("scheduler", "Schedule type", schedulers)):
        name = str(values.get(field) or "")
        if name and name.casefold() not in {one.casefold() for one in known}:
            values[field] = nearest(name, known)
            sentences.append(f"{label} {name} of txt2img is not available here: previews use {values[field]}.")
    return values, sentences


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the known name that is related to ``name``, or begins with most of its words.

    Of samplers with ancestral noise it is one with it.
    """
    if (related := _RELATED.get(name.casefold(), "")) in known:
        return related
    words = name.casefold().split()

    def shared(other: str) -> tuple[int, int]:
        theirs = other.casefold().split()
        begin = 0
        while words[begin : begin + 1] == theirs[begin : begin + 1] != []:
            begin += 1
        return begin + (words[-1] == theirs[-1] == "a"), -len(theirs)

    best = max(known, key=shared)
    return best if shared(best)[0] else known[0]
