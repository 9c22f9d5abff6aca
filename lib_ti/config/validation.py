"""Which values of the settings about validation contradict each other."""

from __future__ import annotations

AUTOMATIC = -1.0
"""A number that stands for one that the program chooses."""


def validation_problems(split: float, every: int, *, stop_when_done: bool) -> list[str]:
    """Return what is wrong with Validation split, Validate every N steps and Stop when done, one sentence each."""
    found = []
    if AUTOMATIC < split < 0:
        found.append(f"Validation split is {split:g}: give a share from 0 to 0.5, or -1 to choose by number of images.")
    if stop_when_done and not every:
        found.append(
            "Stop when done needs validation, and Validate every N steps is 0, which disables it: set it to -1, or "
            "turn off Stop when done."
        )
    return found
