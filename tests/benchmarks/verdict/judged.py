"""What the verdict would have said in a measured run, and whether that was right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from lib_ti.training.validation.cadence import Cadence
from lib_ti.training.validation.history import Check, new_check
from lib_ti.training.validation.samples import sample_count
from lib_ti.training.validation.verdict import State, Verdict, due_progress, judge

BEGUN, NOT_BEGUN = 0.25, 0.05
"""Shares of the gap above and below which it is clear whether a run has begun to learn."""
LEARNED = 0.3
REACHED, WHOLE, NEAR = 0.9, 0.95, 0.05
LOST, KEPT = 0.1, 0.03
"""Shares of the gap that an overtrained run has lost at its end, at least, and a healthy one at most."""
SMOOTHED = 3
"""Measurements that are averaged for the loss of an overtrained run."""


@dataclass(frozen=True)
class Judged:
    """A run with the verdicts after each of its checks.

    Parameters
    ----------
    samples
        Of a check.
    step_seconds, check_seconds
        CPU time of a step and of a check.
    gaps
        (step, share of the gap), as measured.
    verdicts, over
        By step: the verdict, and whether a run that is to stop when done ends there.
    """

    key: str
    kind: str
    batch: int
    samples: int
    step_seconds: float
    check_seconds: float
    gaps: tuple[tuple[int, float], ...]
    verdicts: tuple[tuple[int, Verdict], ...]
    over: tuple[tuple[int, bool], ...]

    def gap(self, step: int) -> float:
        """Return the true share of the gap at a step, interpolated."""
        for (before, low), (after, high) in zip(self.gaps, self.gaps[1:], strict=False):
            if step <= after:
                return low + (high - low) * (step - before) / (after - before)
        return self.gaps[-1][1]

    @property
    def best(self) -> float:
        return max(gap for _, gap in self.gaps)

    @property
    def last_step(self) -> int:
        return self.gaps[-1][0]

    @property
    def learned(self) -> bool:
        return self.best >= LEARNED

    @property
    def whole_step(self) -> int:
        """The first step at 95 % of the best gap."""
        return next(step for step, gap in self.gaps if gap >= WHOLE * self.best)

    @property
    def done_step(self) -> int | None:
        """The step at which the verdict says for the first time that the run is done."""
        return next((step for step, verdict in self.verdicts if verdict.state == "done"), None)

    @property
    def end_step(self) -> int | None:
        """The step at which it ends where it is to stop when done."""
        return next((step for step, over in self.over if over), None)

    def is_false(self, step: int | None) -> bool:
        """Return whether it is false that the run is done at a step; None is never false."""
        if step is None:
            return False
        return not self.learned or max(gap for at, gap in self.gaps if at <= step) < REACHED * self.best

    @property
    def lost(self) -> float:
        gaps = [gap for _, gap in self.gaps]
        means = [fmean(gaps[end - SMOOTHED : end]) for end in range(SMOOTHED, len(gaps) + 1)]
        return max(means) - means[-1]

    @property
    def final(self) -> Verdict:
        return self.verdicts[-1][1]

    @property
    def cost(self) -> float:
        """Time of the checks, of which one is that without the keyword, as a share of the time of the steps."""
        return (len(self.verdicts) + 1) * self.check_seconds / (self.last_step * self.step_seconds)

    def cost_of_long(self, images: int = 5000) -> float:
        """Return the same of a run on so many images that learns from 1,000 to 1,500."""
        samples, steps = sample_count(images), images // self.batch
        check_seconds = self.check_seconds * samples / self.samples
        return (_checks(self.batch, samples, steps) + 2) * check_seconds / (steps * self.step_seconds)

    def begun(self) -> Iterator[bool]:
        """Yield for each check of which it is clear whether the verdict is right about the beginning.

        A run that has lost again what it learned has begun.
        """
        for step, verdict in self.verdicts[1:]:
            reached = max(gap for at, gap in self.gaps if at <= step)
            if reached < NOT_BEGUN:
                yield verdict.state == "not begun"
            elif reached > BEGUN:
                yield verdict.state != "not begun"


def _checks(batch: int, samples: int, steps: int) -> int:
    cadence = Cadence(batch, samples)
    due, state = [Check(0, 1.0, 1.0)], _state(0)
    for step in range(1, steps + 1):
        if cadence.is_due(step, due, state):
            due.append(Check(step, 1.0, 1.0))
            state = _state(step * batch)
    return len(due)


def _state(images: int) -> State:
    if images < 1000:
        return "not begun"
    return "learning" if images < 1500 else "done"


def judged(record: Mapping[str, Any]) -> Judged:
    """Judge a run at the checks that the automatic cadence chooses, and at its last step."""
    checks = record["checks"]
    truth = [(check["step"], check["truth"]) for check in checks]
    first = truth[0][1]
    # The end of the scale is the true word, or what training reached where that is better than the word.
    whole = first - min(record["true"], *(loss for _, loss in truth))
    history, verdicts = _validated(checks, record["batch"]), []
    for end in range(1, len(history) + 1):
        verdict = judge(history[:end])
        assert verdict is not None
        verdicts.append((history[end - 1].step, verdict))
    gaps = tuple((step, (first - loss) / whole) for step, loss in truth)
    samples = len(checks[0]["validation"])
    seconds = record["step_seconds"], record["check_seconds"]
    over = tuple((check.step, due_progress(history[:end]).confirmed) for end, check in enumerate(history, 1))
    return Judged(record["key"], record["kind"], record["batch"], samples, *seconds, gaps, tuple(verdicts), over)


def _validated(checks: Sequence[Mapping[str, Any]], batch: int) -> list[Check]:
    cadence = Cadence(batch, len(checks[0]["validation"]))
    found: list[Check] = []
    state: State = "unknown"
    for number, measured in enumerate(checks):
        due = number == 0 or cadence.is_due(measured["step"], [check for check in found if check.due], state)
        if not due and measured is not checks[-1]:
            continue
        check = new_check(measured["step"], measured["validation"], norm=1.0, data="", unseen=True)
        found.append(replace(check, due=due))
        state = due_progress(found).state
    return found
