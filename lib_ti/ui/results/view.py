"""A run's results as HTML: previews, loss curves with the verdict, the recipe."""

from __future__ import annotations

from collections.abc import Sequence

from lib_ti.config import TrainConfig, described
from lib_ti.ui.html.chart import loss_curve
from lib_ti.ui.html.fragments import escape, folded, gallery, hint, notice, step_name, table
from lib_ti.ui.html.viewer import viewed
from lib_ti.ui.results.selection import Selection
from lib_ti.ui.results.state import Preview, RunResults
from lib_ti.wording import precise_size

PICK = "ti_results_pick"
"""The field that a page's script writes a chosen step into."""
_GROUP = "results"
"""Of the previews, in the viewer."""
_SMALL, _LARGE = 160, 1024
"""Longest sides of previews in pixels."""


def curve(run: RunResults) -> str:
    """Loss curves, and what they say about the run."""
    chart, verdict = loss_curve(run.curves(), pick=PICK), run.verdict()
    if verdict is None:
        return chart or hint("This run has no losses yet.")
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
    """All previews as small images: steps across, prompts down. The page's script has a press choose the step."""
    steps = list(dict.fromkeys(one.step for one in previews))
    if len(steps) < 2:
        return ""
    rows = max(one.number for one in previews)
    # A cell's place, since a step may lack the image of a prompt. Below the last row are the names of the steps.
    cells = "".join(
        f'<div style="grid-column: {steps.index(one.step) + 1}; grid-row: {one.number}">'
        f"{_small(one, '' if one.number == rows else 'ti-unnamed')}</div>"
        for one in sorted(previews, key=lambda one: (one.number, one.step))
    )
    return f'<div class="ti-steps" role="group" aria-label="Previews by step">{cells}</div>'


def images(selection: Selection) -> str:
    """The images of the chosen step, large, with their prompts; ``data-chosen`` is the step for the page's script."""
    if not selection.images:
        shown = hint("This run has no previews.")
    elif len(selection.images) == 1:
        shown = _large(selection.images[0], "ti-large")
    else:
        shown = gallery([_large(one, "") for one in selection.images], "ti-chosen-images")
    missing = ""
    if selection.image and selection.image.step != selection.step:
        missing = hint(f"There is no preview of step {selection.step}; this is the nearest.")
    image = f' data-image="{selection.image.step} {selection.image.number}"' if selection.image else ""
    return f'<div data-chosen="{selection.step}"{image}>{shown}{missing}</div>'


def chosen(selection: Selection, current: int | None) -> str:
    """Say which checkpoint the buttons use, and of which step the embedding is now."""
    if not selection.checkpoint:
        return hint("This run has no checkpoints.")
    step = selection.checkpoint_step
    said = f"The buttons use the checkpoint of step {step}"
    if step != selection.step:
        said = f"There is no checkpoint of step {selection.step}; the buttons use the nearest one, of step {step}"
    now = "" if current is None else f". The embedding is that of step {current} now"
    return hint(f"{said}{now}.")


def _small(one: Preview, classes: str) -> str:
    name = step_name(one.step)
    return viewed(one.path, name, group=_GROUP, detail=_detail(one), size=_SMALL, classes=classes, pick=_pick(one))


def _large(one: Preview, classes: str) -> str:
    name, detail = step_name(one.step), _detail(one)
    return viewed(
        one.path, name, group=_GROUP, detail=detail, size=_LARGE, classes=classes, elsewhere=True, pick=_pick(one)
    )


def _pick(one: Preview) -> str:
    return f"{one.step} {one.number}"


def _detail(one: Preview) -> str:
    return f"{one.prompt} (seed {one.seed})" if one.prompt else ""


def download(name: str, address: str, size: int) -> str:
    """A link to a file that was made for the visitor; the page's script follows it at once."""
    return (
        f'<p class="ti-download"><a href="{escape(address)}" download="{escape(name)}" data-download="yes">'
        f"{escape(name)}</a> ({precise_size(size)})</p>"
    )
