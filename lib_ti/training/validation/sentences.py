"""What a verdict says, in words."""

from __future__ import annotations

import math

from lib_ti.training.validation.history import Check


def headline(
    state: str, first: Check, best: Check, done_step: int | None, *, confirmed: bool, overtrained: bool
) -> str:
    """Return the verdict in a few words.

    Parameters
    ----------
    state
        One of :data:`lib_ti.training.validation.verdict.State`.
    confirmed
        Whether two checks in a row found the run done: single ones are too often wrong.
    """
    if state == "not begun":
        return "Has not begun to learn" if first.step == 0 else f"Nothing learned since step {first.step}"
    if state == "learning":
        gain = removed(best)
        said = "Learning" if gain is None or gain <= 0 else f"Learning: {gain:.0%} less error than without the keyword"
    else:
        said = f"{'Done' if confirmed else 'Probably done'} since step {done_step}"
    return f"{said}. Best step: {best.step}" + (f". Probably overtrained since step {best.step}" if overtrained else "")


def reason(state: str, first: Check, lowest: Check, last: Check, done_step: int | None) -> str:
    """Return why a run is in that state, of the first, the lowest and the last of its checks that were due."""
    images = "the validation images" if first.unseen else "the training images"
    begun = f"The loss on {images} was {_loss(first)}"
    if state == "not begun":
        change = "a random difference" if last.loss < first.loss else "no lower"
        return f"{begun} and {_loss(last)}, {change}."
    fell = f"The loss on {images} fell from {_loss(first)} to {_loss(lowest)}"
    if state == "done":
        return f"{fell}, and hardly any further since step {done_step}."
    return f"{fell}, and was still falling." if last is lowest else f"{fell}, and was {_loss(last)}."


def _loss(check: Check) -> str:
    return f"{check.loss:.4f} at step {check.step}"


def keyword(first: Check, best: Check) -> str:
    """Return how much the keyword explains, measured against the same prompts without it; empty where unknown."""
    share, at_first = removed(best), removed(first)
    if share is None or at_first is None:
        return ""
    images = "the validation images" if best.unseen else "the images"
    before = "" if best is first else f"; at step {first.step} it was {_compared(at_first)}"
    return f"At step {best.step}, the model's error on {images} with the keyword is {_compared(share)}{before}."


def overtraining(best: Check, last: float, lowest: float, window: int) -> str:
    return (
        f"The validation loss has risen since step {best.step}: {last:.4f} on average in the last {window} checks, "
        f"{lowest:.4f} around its best. The embedding may be overtraining; compare the previews, and use the "
        f"checkpoint “best” (step {best.step}) if the later ones look worse."
    )


def no_gain(first: Check, best: Check, last: Check, *, diverged: bool) -> str:
    """Return that nothing was gained, and what to do."""
    said = f"Nothing was gained: the validation loss was {first.loss:.4f} at step {first.step}"
    if diverged:
        reached = f"{last.loss:.4f}" if math.isfinite(last.loss) else "undefined"
        return f"{said} and {reached} at step {last.step}. Lower the Embedding learning rate and start a new run."
    lowest = "not lower at any later check"
    if best is not first:
        lowest = f"{best.loss:.4f} at its lowest, a random difference"
    return (
        f"{said}, and {lowest}. Train for more steps, raise the Embedding learning rate, or create the embedding with "
        "another initialization text or more vectors."
    )


def removed(check: Check) -> float | None:
    """Return the share of the error without the keyword that the keyword removes; None where it was not measured."""
    return 1 - check.loss / check.no_keyword if check.no_keyword else None


def _compared(share: float) -> str:
    if round(100 * share) == 0:
        return "the same as without it"
    return f"{abs(share):.0%} {'lower' if share > 0 else 'higher'} than without it"
