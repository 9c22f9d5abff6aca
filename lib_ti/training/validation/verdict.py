"""The verdict on a run: whether it learns, whether it is done, which step is best, whether it is overtraining.

The only place that decides these; tab, Results, plot, tables, command line and the checkpoint "best" follow it. Rules
and thresholds are those of ``python dev.py bench verdict``, which measures how often they are right.

All of it is judged on validation images, where there are some.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean
from typing import Literal

from lib_ti.training.validation import sentences
from lib_ti.training.validation.differences import Samples, change, is_above, mean
from lib_ti.training.validation.history import Check, segments

State = Literal["unknown", "not begun", "learning", "done"]
"""``unknown`` after a single check. A run that is done may learn more later, and is learning again then."""
GAINED_ERRORS = 1.25
"""Standard errors by which a loss must be below the first one to count as a gain. Eight samples do not always show two,
since some timesteps hardly depend on the embedding."""
GAINED_SHARE = 0.03
"""Share of the first loss that must be gained as well."""
DIVERGED_ERRORS = 2.0
"""Standard errors above the first loss from which on a run counts as diverged."""
DONE_SHARE = 1 / 3
"""Share of the run so far, its last part, in which little must have been gained for the run to be done."""
DONE_GAIN = 0.08
"""Share of the total gain that is little."""
LEARNS_AGAIN = 0.1
"""Share of the total gain that a run that was done must gain further to be learning again."""
WINDOW = 5
"""Checks that are averaged before a rise of the loss is believed, at most."""
WINDOW_SHARE = 4
"""Of how many checks one is averaged then; at least two are."""
OVERTRAINING_CHECKS = 7
"""Checks, at least: while a short run still learns with its full learning rate, its loss wanders."""
LOST = 0.1
"""Share of the total gain that must be lost before a run counts as overtraining."""


@dataclass(frozen=True)
class Verdict:
    """What follows from the checks on the current data."""

    best_step: int
    best_loss: float
    first_step: int
    first_loss: float
    checks: int
    gained: bool | None
    """Whether the best loss is significantly below the first one; None after a single check."""
    overtraining: str = ""
    """A sentence when the validation loss has risen significantly again, else empty."""
    no_gain: str = ""
    """A sentence with advice when nothing was gained so far, else empty; meant for the end of a run."""
    state: State = "unknown"
    done_step: int | None = None
    """Step since which the loss has hardly fallen; None unless the state is ``done``."""
    headline: str = ""
    """State, best step and overtraining in a few words; empty after a single check."""
    reason: str = ""
    """Sentences that say why; empty after a single check."""


@dataclass(frozen=True)
class Progress:
    """How far a run is, judged on the checks that were due."""

    state: State
    done_step: int | None = None
    confirmed: bool = False
    """Whether the check before the last one found it done too, so that the run may end by itself."""


def judge(history: Sequence[Check]) -> Verdict | None:
    """Judge the checks that can be compared with the last one; None while there is none with a finite loss.

    Best is the lowest loss, the earliest of equal ones: margins do not find a better step, and a step that is called
    best while a later one was lower is hard to believe.
    """
    current = segments(history)[-1] if history else ()
    checks = [check for check in current if math.isfinite(check.loss)]
    if not checks:
        return None
    first, best, last = checks[0], min(checks, key=lambda check: check.loss), current[-1]
    gained = None if len(current) == 1 else any(_has_gained(first, check) for check in checks[1:])
    # The last check counts although it may not have been due: it is what a finished run has reached.
    due = [check for check in checks if check.due or check is last]
    overtraining = _overtraining(due, best) if gained and best.unseen else ""
    diverged = not math.isfinite(last.loss) or is_above(_samples(last), _samples(first), DIVERGED_ERRORS)
    progress = judge_progress(due) if due else None
    verdict = Verdict(
        best_step=best.step,
        best_loss=best.loss,
        first_step=first.step,
        first_loss=first.loss,
        checks=len(current),
        gained=gained,
        overtraining=overtraining,
        no_gain=sentences.no_gain(first, best, last, diverged=diverged) if gained is False else "",
    )
    if progress is None or progress.state == "unknown":
        return verdict
    state, done = progress.state, progress.done_step
    headline = sentences.headline(
        state, first, best, done, confirmed=progress.confirmed, overtrained=bool(overtraining)
    )
    lowest = min(due, key=lambda check: check.loss)
    why = sentences.reason(state, due[0], lowest, due[-1], done)
    return replace(
        verdict,
        state=state,
        done_step=done,
        headline=headline,
        reason=" ".join(filter(None, [why, sentences.keyword(first, best), overtraining])),
    )


def due_progress(checks: Sequence[Check]) -> Progress:
    """Judge how far a run is after the checks that were due, which decides when it validates and ends.

    It depends on nothing else, so that an interrupted run does both at the same steps as another.
    """
    due = [check for check in checks if check.due and math.isfinite(check.loss)]
    return judge_progress(due) if due else Progress("unknown")


def judge_progress(due: Sequence[Check]) -> Progress:
    """Judge how far a run is after its due checks, which are comparable and finite.

    A run that has begun stays so: what it loses again is no beginning.
    """
    first = due[0]
    gained = [_has_gained(first, check) for check in due]
    if len(due) == 1:
        return Progress("unknown")
    if not any(gained):
        return Progress("not begun")
    changes = [change(_samples(check), _samples(first)) for check in due]
    found, since = _done([check.step for check in due], changes, gained)
    if since is None:
        return Progress("learning")
    return Progress("done", since, confirmed=found < len(due) - 1)


def _has_gained(first: Check, check: Check) -> bool:
    """Return whether a check is below the first one by more than chance."""
    enough = first.loss - check.loss >= GAINED_SHARE * first.loss
    return enough and is_above(_samples(first), _samples(check), GAINED_ERRORS)


def _done(steps: Sequence[int], changes: Sequence[float], gained: Sequence[bool]) -> tuple[int, int | None]:
    """Return the number of the check that found the run done, and the step since which little was gained then.

    The step is None where the run is not done.

    Parameters
    ----------
    changes
        Of each check from the first one, negative where its loss is lower.
    gained
        Whether each check is below the first one by more than chance.
    """
    found, since, reached, lowest = 0, None, 0.0, 0.0
    for place in range(1, len(steps)):
        now = changes[place]
        lowest = min(lowest, now)
        if since is not None:
            # Random differences do not end this; a second phase of learning does.
            if now < reached + LEARNS_AGAIN * lowest:
                since = None
            continue
        start = steps[place] - DONE_SHARE * (steps[place] - steps[0])
        before = min(bisect_right(steps, start), place) - 1
        if before < 1 or not gained[place] or changes[before] - now >= -DONE_GAIN * lowest:
            continue
        found, reached = place, now
        while before > 1 and changes[before - 1] - now < -DONE_GAIN * lowest:
            before -= 1
        since = steps[before]
    return found, since


def _overtraining(checks: Sequence[Check], best: Check) -> str:
    """Return a sentence about a lasting rise of the loss; empty without one.

    The mean of the last few checks is compared with the lowest mean of half as many. A short run has few, which are far
    apart, and in which a rise is seen in two.
    """
    window = min(WINDOW, max(2, len(checks) // WINDOW_SHARE))
    around = (window + 1) // 2
    if best in checks[-window:] or len(checks) < OVERTRAINING_CHECKS or not checks[-1].samples:
        return ""
    sums = [0.0, *accumulate(check.loss for check in checks)]
    lowest_end = min(range(around, len(checks) + 1), key=lambda end: sums[end] - sums[end - around])
    lowest, last = (
        mean([check.samples for check in checks[end - count : end]])
        for end, count in ((lowest_end, around), (len(checks), window))
    )
    rise = fmean(last) - fmean(lowest)
    if rise < LOST * (checks[0].loss - fmean(lowest)) or not is_above(last, lowest, 1.0):
        return ""
    return sentences.overtraining(best, fmean(last), fmean(lowest), window)


def _samples(check: Check) -> Samples:
    return check.samples or (check.loss,)
