"""A run's results as HTML: previews, loss curves with the verdict, the recipe."""

from __future__ import annotations

from collections.abc import Sequence

from lib_ti.config import TrainConfig, described
from lib_ti.ui.html.chart import loss_curve
from lib_ti.ui.html.fragments import figure, folded, gallery, hint, notice, table
from lib_ti.ui.results.state import Preview, RunResults, evenly, nearest

PICK = "ti_results_pick"
"""The field that a page's script writes a chosen step into."""
_STRIP = 8
_SMALL, _LARGE = 160, 640
"""Sides of previews in pixels."""


def curve(run: RunResults) -> str:
    """Loss curves, and what they say about the run."""
    chart, verdict = loss_curve(run.curves(), pick=PICK), run.verdict()
    if verdict is None:
        return chart
    return chart + notice("info", [verdict.reason or verdict.overtraining, verdict.no_gain], title=verdict.headline)


def recipe(run: RunResults) -> str:
    """Model, images and settings that differ from the defaults; the other settings are folded."""
    content = run.settings_file()
    settings, model = content.get("settings", {}), content.get("model", {})
    rows: dict[str, object] = {"Folder": run.folder.path}
    if model:
        rows["Model"] = f"{model.get('name')} [{model.get('hash')}]"
    if "pictures" in content:
        rows["Images"] = f"{len(content['pictures'])}, and {len(content.get('held_out', []))} for validation"
    if "vectors" in content:
        rows["Number of vectors per token"] = content["vectors"]
    defaults: dict[str, object] = {}
    for name, _, default, item in described(TrainConfig):
        if name in settings and name != "name":
            changed = settings[name] != default
            (rows if changed else defaults)[item.label] = settings[name] if settings[name] != "" else "–"
    return table(rows) + (folded("Settings at their defaults", table(defaults)) if defaults else "")


def strip(previews: Sequence[Preview]) -> str:
    """A few previews from the whole run, side by side."""
    chosen = evenly(previews, _STRIP)
    return gallery([figure(one.path, _step_name(one.step), size=_SMALL) for one in chosen], "ti-strip")


def preview(previews: Sequence[Preview], step: float) -> str:
    """The preview nearest to a step, large, with its prompt."""
    if not previews:
        return hint("This run has no previews.")
    one = nearest(previews, step)
    detail = f"{one.prompt} (seed {one.seed})"
    return figure(one.path, _step_name(one.step), detail=detail, size=_LARGE, classes="ti-large")


def _step_name(step: int) -> str:
    return "before training" if step == 0 else f"step {step}"
