"""When to validate, where the user leaves it to the program: rarely on a plateau, often while the embedding learns.

A pure function of the checks so far, so that a resumed run validates at the same steps as an uninterrupted one. What
checks cost is counted in samples, not in seconds, for the same reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lib_ti.training.validation.history import Check
from lib_ti.training.validation.verdict import State

FIRST_IMAGES = 24
"""Images that are trained on before the second check."""
GROWTH: dict[State, float] = {"unknown": 1.0, "not begun": 1.6, "learning": 1.3, "done": 1.3}
"""Factor between the images trained on at a check and at the next one."""
SAMPLES_PER_IMAGE = 0.18
"""Samples that may be computed for each image trained on, a tenth of the time: training on an image takes as long as
computing the loss of 1.75 or more samples."""
BEFOREHAND = 10
"""Checks that may be made before they are earned, so that short runs get a verdict too."""
RESERVED = 2
"""Of which one is the last of the run, and one the loss without the keyword."""


@dataclass(frozen=True)
class Cadence:
    """Chooses the steps that are followed by a check.

    Parameters
    ----------
    images_per_step
        Images trained on in a step: batch size times accumulation.
    samples
        Samples of a check.
    """

    images_per_step: int
    samples: int

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
        images = (last - first) * self.images_per_step
        wanted = max(FIRST_IMAGES, images * max(GROWTH[state], self._spread(images, len(due))))
        checks = len(due) + 1 + RESERVED
        earned = checks * self._images_per_check if checks > BEFOREHAND else 0
        return max(last + 1, first + math.ceil(max(wanted, earned) / self.images_per_step))

    def _spread(self, images: int, checks: int) -> float:
        """Return the factor that spreads the checks that may be made beforehand until further ones are earned."""
        left, earned = BEFOREHAND - RESERVED - checks, BEFOREHAND * self._images_per_check
        return (earned / images) ** (1 / (left + 1)) if left > 0 and 0 < images < earned else 1.0

    @property
    def _images_per_check(self) -> float:
        return self.samples / SAMPLES_PER_IMAGE
