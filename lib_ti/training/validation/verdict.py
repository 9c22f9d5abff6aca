"""The verdict on a run: whether it learns, whether it is done, which step is best, whether it is overtraining.

The only place that decides these; tab, Results, plot, tables, command line and the checkpoint "best" follow it. Rules
and thresholds are those of ``python dev.py bench verdict``, which measures how often they are right.

Progress is judged on training images, where the checks have them: they show the end of a plateau more clearly than a
few validation images. Which step is best, and overtraining, is judged on validation images.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from statistics import fmean
from typing import Literal

from lib_ti.training.validation import sentences
from lib_ti.training.validation.differences import Samples, is_above, mean
from lib_ti.training.validation.history import Check, segments

State = Literal["unknown", "not begun", "learning", "done"]
"""``unknown`` after a single check. A run that is done may learn more later, and is learning again then."""
GAINED_ERRORS = 2.0
"""Standard errors by which a loss must be below the first one to count as a gain."""
GAINED_SHARE = 0.03
"""Share of the first loss that must be gained as well before a run counts as learning."""
DONE_SHARE = 1 / 3
"""Share of the run so far, its last part, in which little must have been gained for the run to be done."""
DONE_CHECKS = 2
"""Checks in that part, at least."""
DONE_GAIN = 0.05
"""Share of the total gain that is little."""
LEARNS_AGAIN = 0.1
"""Share of the total gain that a run that was done must gain further to be learning again."""
SMOOTHED = 2
"""Checks that are averaged where progress is judged."""
WINDOW = 5
"""Checks that are averaged before a rise of the loss is believed."""
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
    first: Check
    first_loss: float
    loss: float
    """Now; both on training images where the checks have them."""
    of_training: bool
    done_step: int | None = None


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
    gained = None if len(current) == 1 else is_above(_samples(first), _samples(best), GAINED_ERRORS)
    # The last check counts although it may not have been due: it is what a finished run has reached.
    due = [check for check in checks if check.due or check is last]
    overtraining = _overtraining(due, best) if gained and best.unseen else ""
    diverged = not math.isfinite(last.loss) or is_above(_samples(last), _samples(first), GAINED_ERRORS)
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
    unseen = best.unseen and not progress.of_training
    why = sentences.reason(
        state,
        (progress.first.step, progress.first_loss),
        (due[-1].step, progress.loss),
        done,
        "the validation images" if unseen else "the training images",
    )
    return replace(
        verdict,
        state=state,
        done_step=done,
        headline=sentences.headline(state, first, best, done, overtrained=bool(overtraining)),
        reason=" ".join(filter(None, [why, sentences.keyword(first, best), overtraining])),
    )


def due_state(checks: Sequence[Check]) -> State:
    """Return the state after the checks that were due, which decides when a run validates and ends.

    It depends on nothing else, so that an interrupted run does both at the same steps as another.
    """
    due = [check for check in checks if check.due and math.isfinite(check.loss)]
    return judge_progress(due).state if due else "unknown"


def judge_progress(due: Sequence[Check]) -> Progress:
    """Judge how far a run is after its due checks, which are comparable and finite."""
    first = due[0]
    of_training = bool(first.training) and all(check.training for check in due[-SMOOTHED:])
    samples = [_progress_samples(check, of_training=of_training) for check in due]
    losses = [fmean(one) for one in samples]
    levels = [fmean(losses[max(1, end - SMOOTHED) : end]) for end in range(2, len(losses) + 1)]
    now = levels[-1] if levels else losses[0]
    progress = Progress("unknown", first, losses[0], now, of_training)
    if not levels:
        return progress
    if not _has_gained(samples):
        return replace(progress, state="not begun")
    validation = [_samples(check) for check in due]

    def has_gained(count: int) -> bool:
        # What is gained on training images alone is not the concept.
        return all(_has_gained(of[:count]) for of in (samples, validation))

    done = _done_since([check.step for check in due], losses[0], levels, has_gained)
    return replace(progress, state="learning" if done is None else "done", done_step=done)


def _has_gained(samples: Sequence[Samples]) -> bool:
    """Return whether the last checks are below the first one by more than chance."""
    first, last = samples[0], mean(samples[1:][-SMOOTHED:])
    return fmean(first) - fmean(last) >= GAINED_SHARE * fmean(first) and is_above(first, last, GAINED_ERRORS)


def _done_since(
    steps: Sequence[int], first: float, levels: Sequence[float], has_gained: Callable[[int], bool]
) -> int | None:
    """Return the step since which little was gained, as it was when the run was done; None where it is not done.

    Parameters
    ----------
    levels
        Smoothed losses of all checks but the first, whose loss is ``first``.
    has_gained
        Whether so many checks show a gain.
    """
    since, reached, lowest = None, math.inf, math.inf
    for place, level in enumerate(levels):
        lowest = min(lowest, level)
        total = first - lowest
        if since is not None:
            # Random differences do not end this; a second phase of learning does.
            if level < reached - LEARNS_AGAIN * total:
                since = None
            continue
        start = steps[place + 1] - DONE_SHARE * (steps[place + 1] - steps[0])
        before = min(bisect_right(steps, start, lo=1, hi=place + 2) - 2, place - DONE_CHECKS)
        little = DONE_GAIN * total
        if before < 0 or levels[before] - level >= little or not has_gained(place + 2):
            continue
        reached = level
        while before and levels[before - 1] - level < little:
            before -= 1
        since = steps[before + 1]
    return since


def _overtraining(checks: Sequence[Check], best: Check) -> str:
    """Return a sentence about a lasting rise of the mean over :data:`WINDOW` checks; empty without one."""
    ends = range(WINDOW, len(checks) + 1)
    if not ends or not checks[-1].samples:
        return ""
    sums = [0.0, *accumulate(check.loss for check in checks)]
    lowest_end = min(ends, key=lambda end: sums[end] - sums[end - WINDOW])
    lowest, last = (mean([check.samples for check in checks[end - WINDOW : end]]) for end in (lowest_end, len(checks)))
    rise = fmean(last) - fmean(lowest)
    if rise < LOST * (checks[0].loss - fmean(lowest)) or not is_above(last, lowest, 1.0):
        return ""
    return sentences.overtraining(best, fmean(last), fmean(lowest), WINDOW)


def _samples(check: Check) -> Samples:
    return check.samples or (check.loss,)


def _progress_samples(check: Check, *, of_training: bool) -> Samples:
    return check.training if of_training and check.training else _samples(check)
