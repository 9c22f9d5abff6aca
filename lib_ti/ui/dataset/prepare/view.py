"""HTML of the step Prepare: the plan, and what was done, image by image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib_ti.lazy import lazy
from lib_ti.ui.html.fragments import escape, findings, folded, notice

if TYPE_CHECKING:
    from lib_ti.data.folder import Skipped
    from lib_ti.prep.recipe import write_results
    from lib_ti.prep.recipe.execute import PreparationSummary
    from lib_ti.prep.recipe.plan import Plan
else:
    write_results = lazy("lib_ti.prep.recipe.write_results")


def plan(plan: Plan) -> str:
    """A summary first, then each result in a line of its own."""
    first, *others = plan.describe()
    shown = notice("info", [first, *others], title="What Prepare would do")
    return (
        shown
        + _skipped(plan.skipped)
        + folded(f"Results ({len(plan.results)})", _lines([one.describe() for one in plan.results]))
    )


def summary(plan: Plan, done: PreparationSummary) -> str:
    first, *others = done.describe()
    shown = notice("good", [first], title=f"{plan.folder.path} is ready to train on")
    shown += notice("warning", others) + notice("info", plan.remarks)
    return (
        shown
        + _skipped((*plan.skipped, *done.failed))
        + folded(f"Results ({len(done.made)})", _lines([write_results.describe(one) for one in done.made]))
    )


def _skipped(files: Sequence[Skipped]) -> str:
    lines = [("warning", f"{one.shown} is skipped: {one.reason}.") for one in files]
    return findings(lines)  # type: ignore[arg-type]  # the kinds are literals


def _lines(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""
