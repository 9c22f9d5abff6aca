"""When to validate, where the user leaves it to the program: rarely on a plateau, often while the embedding learns.

A pure function of the checks so far, so that a resumed run validates at the same steps as an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib_ti.training.validation.history import Check
from lib_ti.training.validation.verdict import State

FIRST_IMAGES = 32
"""Images that are trained on before the second check."""
GROWTH: dict[State, float] = {"unknown": 1.0, "not begun": 1.6, "learning": 1.2, "done": 1.25}
"""Factor between the images trained on at a check and at the next one."""
SHARE = 0.1
"""Share of the time that checks may take in the long run."""
ALLOWANCE = 8
"""Checks that may be made before they are earned by training, so that short runs get a verdict too."""
FORWARDS_PER_IMAGE = 2.7
"""Images passed through the model in a check that take as long as one image trained on."""


@dataclass(frozen=True)
class Cadence:
    """Chooses the steps that are followed by a check.

    Parameters
    ----------
    images_per_step
        Images trained on in a step: batch size times accumulation.
    forwards
        Images that a check passes through the model.
    """

    images_per_step: int
    forwards: int

    def is_due(self, step: int, due: Sequence[Check], state: State) -> bool:
        """Return whether a check follows a step.

        Parameters
        ----------
        due, state
            The checks so far that were due and can be compared, and the verdict's state after them.
        """
        return not due or step >= self._next(due, state)

    def _next(self, due: Sequence[Check], state: State) -> int:
        first, last = due[0].step, due[-1].step
        wanted = max(FIRST_IMAGES, GROWTH[state] * (last - first) * self.images_per_step)
        earned = (len(due) + 1 - ALLOWANCE) * self.forwards / FORWARDS_PER_IMAGE / SHARE
        return max(last + 1, first + math.ceil(max(wanted, earned) / self.images_per_step))
