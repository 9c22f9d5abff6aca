"""A run as HTML: its state in words and numbers, the loss curves, the newest previews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lib_ti.signals import PreviewMade
from lib_ti.training.checks.findings import Finding
from lib_ti.training.images.curve import LossCurves, ValidationCurve
from lib_ti.training.snapshot import Snapshot
from lib_ti.ui.html.chart import loss_curve
from lib_ti.ui.html.fragments import (
    bar,
    duration,
    escape,
    facts,
    file_name,
    findings,
    folded,
    gallery,
    hint,
    notice,
    step_name,
    table,
)
from lib_ti.ui.html.preview_grid import preview_grid
from lib_ti.ui.html.viewer import viewed
from lib_ti.ui.server.image_addresses import address
from lib_ti.wording import counted

SHOWN_PREVIEWS = 6
SHOWN_IMAGES = 10
PREVIEW_SIZE = 320
VIEWED = "previews"
"""Group of the previews in the viewer."""
CHECK_SECONDS = 0.5
"""Between two requests of a page for the result of a check in progress."""


def status(now: Snapshot, seconds: float) -> str:
    """State, progress, numbers, messages and errors. The page's script refreshes it every ``seconds`` during a run."""
    active = "yes" if now.active else "no"
    return (
        f'<div class="ti-status" data-active="{active}" data-seconds="{seconds:g}" data-refresh="ti_refresh">'
        f"{_headline(now)}{_numbers(now)}{_saved(now)}{_notes(now)}{_preview_settings(now.settings)}</div>"
    )


def curve(now: Snapshot) -> str:
    """Loss curves with a little space for the next steps; space for all of them would squeeze the curves."""
    last = min(now.max_steps, now.step + max(20, now.step // 8)) if now.active else 0
    no_keywords = now.no_keywords or (None,) * len(now.evaluations)
    curves = LossCurves(
        now.losses,
        [ValidationCurve(points, no_keyword) for points, no_keyword in zip(now.evaluations, no_keywords, strict=True)],
        now.noise,
        best=now.best,
        done_step=now.done_step,
        others=now.others,
    )
    return loss_curve(curves, last_step=last)


def previews(now: Snapshot) -> str:
    """The newest previews, the last one first; those of several prompts as a grid, with a row for each step."""
    if any(preview.number > 1 for preview in now.previews):
        return _preview_grid(now.previews)
    shown = reversed(now.previews[-SHOWN_PREVIEWS:])
    return gallery(
        [
            viewed(
                preview.path,
                step_name(preview.step),
                group=VIEWED,
                detail=f"{preview.prompt} (seed {preview.seed})",
                size=PREVIEW_SIZE,
            )
            for preview in shown
        ],
        "ti-previews",
    )


def previews_key(now: Snapshot) -> str:
    """A key that changes with :func:`previews`, so that images are sent to a page only when they are new."""
    return "|".join(f"{one.path}:{one.step}" for one in now.previews[-1:]) or now.name


def _preview_grid(shown: Sequence[PreviewMade]) -> str:
    steps: dict[int, dict[int, Path]] = {}
    for one in shown:
        steps.setdefault(one.step, {})[one.number] = one.path
    rows = [(step_name(step), steps[step]) for step in reversed(list(steps)[-SHOWN_PREVIEWS:])]
    prompts = {one.number: one.prompt for one in shown}
    return preview_grid(rows, dict(sorted(prompts.items())), group=VIEWED)


def checked(found: Sequence[Finding]) -> str:
    """What Check found: the problems of the run, and one line, from which the rest unfolds with a click."""
    problems = findings((one.kind, one.text) for one in found if one.kind in ("error", "warning"))
    rest = findings((one.kind, one.text) for one in found if one.kind not in ("error", "warning"))
    line = _outcome(found)
    head = folded(line, rest) or f'<p class="ti-title">{escape(line)}</p>'
    return f'<div class="ti-check" role="status">{problems}{head}</div>'


def folded_check(found: Sequence[Finding]) -> str:
    """What the check that runs by itself found: one line, from which everything unfolds with a click."""
    all_found = findings((one.kind, one.text) for one in found)
    note = hint("Found without the model. Check also tries a step, and whether the memory suffices.")
    return f'<div class="ti-check">{folded(_outcome(found), all_found + note)}</div>'


def checking(former: str) -> str:
    """The result of the former settings, while those of now are checked; the page's script asks for the new one."""
    state = f'data-active="yes" data-seconds="{CHECK_SECONDS:g}" data-refresh="ti_check_refresh"'
    return f'<div class="ti-outdated" {state}>{hint("Checking …")}{former}</div>'


def outdated(former: str) -> str:
    """A result that other settings had; empty without one."""
    note = hint("Settings have changed since this check.")
    return f'<div class="ti-outdated">{note}{former}</div>' if former else ""


def _outcome(found: Sequence[Finding]) -> str:
    counts = Counter(finding.kind for finding in found)
    warnings = [counted(counts["warning"], "warning")] if counts["warning"] else []
    return ", ".join([f"✗ {counted(counts['error'], 'problem')}" if counts["error"] else "✓ Ready", *warnings])


def dataset_strip(images: Sequence[Path], remarks: Iterable[str]) -> str:
    """The first images of the dataset, their number, and remarks on what else its folder holds."""
    shown = "".join(
        f'<img src="{escape(address(path))}" alt="{escape(file_name(path))}" title="{escape(file_name(path))}" '
        'loading="lazy">'
        for path in images[:SHOWN_IMAGES]
    )
    total = f'<span class="ti-hint">{counted(len(images), "image")}</span>'
    return f'<div class="ti-dataset-strip">{shown}{total}</div>{"".join(map(hint, remarks))}'


def _headline(now: Snapshot) -> str:
    name = f"“{now.name}”"
    if now.state == "idle":
        return hint("No run is in progress. Choose an embedding and a folder with images, and press Train Embedding.")
    if now.state == "waiting":
        message = now.notes[-1].text if now.notes else "Loading the model and the images."
        return bar(0.0, f"Training of {name} is starting") + hint(message)
    if now.state == "encoding":
        return bar(now.done / max(1, now.total), f"{name}: encoding image {now.done} of {now.total}")
    if now.state == "failed":
        return notice("error", now.errors, title=f"The run of {name} ended with an error")
    if now.state == "asking":
        return notice("warning", now.errors, title=f"The run of {name} has not started: please confirm")
    if now.state == "cancelled":
        by = f" by {now.stopped_by}" if now.stopped_by else ""
        return notice("info", now.errors, title=f"The run of {name} was stopped before its first step{by}")
    if now.state in ("stopped", "done"):
        return _ending(now, name)
    share = (now.step - now.first_step) / max(1, now.max_steps - now.first_step)
    return bar(share, f"{name}: step {now.step} of {now.max_steps}") + _activity(now)


def _activity(now: Snapshot) -> str:
    """What the run does between steps, while the progress bar does not move."""
    if now.previewing is not None:
        doing = "Interrupting" if now.stopping else "Generating"
        one = now.previewing
        which = f"preview {one.number} of {one.total}" if one.total > 1 else "a preview"
        return hint(f"{doing} {which} at step {one.step} …")
    return hint("Stopping after this step …") if now.stopping else ""


def _ending(now: Snapshot, name: str) -> str:
    if now.state == "stopped":
        by = f" by {now.stopped_by}" if now.stopped_by else ""
        title = f"The run of {name} was stopped{by} after step {now.step} of {now.max_steps}"
        sentences = ["Everything up to this step is saved. Press Train Embedding to continue."]
    else:
        title = f"The run of {name} is finished: {counted(now.steps, 'step')} in {duration(now.seconds)}"
        of_step = f", of step {now.restored_step}, the best one" if now.restored_step is not None else ""
        sentences = [f"The embedding is {now.embedding}{of_step}.", "See its previews in Results."]
    # What the verdict says below is not said twice.
    remark = now.remark if now.remark != now.overtraining else ""
    return notice("info" if now.state == "stopped" else "good", sentences, title=title) + notice("warning", [remark])


def _numbers(now: Snapshot) -> str:
    if now.smoothed is None:
        return ""
    numbers = {
        "Step": f"{now.step} / {now.max_steps}",
        "Loss (smoothed)": f"{now.smoothed:.4f}",
        "Seconds per step": f"{now.step_seconds:.2f}" if now.step_seconds >= 0.1 else f"{now.step_seconds:.3f}",
        "Learning rate": f"{now.learning_rate:.3g}",
    }
    if now.state == "training":
        numbers["Time left"] = duration(now.seconds_left)
    if now.evaluations:
        numbers["Validation loss"] = f"{now.evaluations[-1][-1][1]:.4f}"
    if now.best:
        numbers["Best step"] = str(now.best[0])
    return _verdict(now) + facts(numbers)


def _verdict(now: Snapshot) -> str:
    """Whether the embedding learns, and why, with the warning about overtraining."""
    if not now.headline:
        return ""
    return notice("warning" if now.overtraining else "info", [now.reason], title=now.headline)


def _saved(now: Snapshot) -> str:
    if now.saved is None:
        return ""
    paths = "".join(f"<li><code>{escape(path)}</code></li>" for path in now.saved.paths)
    return (
        f'<div class="ti-saved"><p class="ti-title">Last saved after step {now.saved.step}, verified'
        f"</p><ul>{paths}</ul></div>"
    )


def _notes(now: Snapshot) -> str:
    if not now.notes:
        return ""
    warnings = [note.text for note in now.notes if note.warning]
    others = [note.text for note in now.notes if not note.warning]
    shown = notice("warning", warnings)
    if others:
        items = "".join(f"<li>{escape(text)}</li>" for text in others)
        shown += folded(f"Notes ({len(others)})", f"<ul>{items}</ul>")
    return shown


def _preview_settings(settings: Mapping[str, Any]) -> str:
    """Preview settings as they were when the run started."""
    if not settings or not settings.get("save_image_every"):
        return ""
    seed = settings["preview_seed"]
    width, height = settings["preview_width"], settings["preview_height"]
    rows = {
        "Prompt": settings["preview_prompt"] or "the captions in turn",
        "Negative prompt": settings["preview_negative"] or "–",
        "Sampler": f"{settings['preview_sampler']}, {settings['preview_scheduler']}, {settings['preview_steps']} steps",
        "CFG scale": settings["preview_cfg"],
        "Seed": "a random one for the whole run" if seed == -1 else seed,
        "Size": f"{width or 'training width'} × {height or 'training height'}",
    }
    return folded("Preview settings", table(rows))
