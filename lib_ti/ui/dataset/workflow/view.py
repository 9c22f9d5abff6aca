"""HTML of the strip above the steps, and of the end of each step.

The style sheet marks the titles of the steps by the attributes ``data-done`` and ``data-open`` of the strip.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lib_ti.ui.dataset.workflow.state import DatasetState
from lib_ti.ui.dataset.workflow.steps import STEPS, Step, blocked, step_of
from lib_ti.ui.html.fragments import empty_state, escape, file_name, shortened
from lib_ti.wording import MAX_QUOTED, counted


def overview(state: DatasetState) -> str:
    """The chosen folder, the image size, and counts."""
    progress = {step.name: step.progress(state) for step in STEPS}
    done = " ".join(name for name, one in progress.items() if one.done)
    left = " ".join(name for name, one in progress.items() if one.begun and one.todo and not one.done)
    return (
        f'<div class="ti-overview" role="group" aria-label="Dataset" data-done="{done}" data-open="{left}">'
        f"{_folder(state)}{''.join(_counts(state))}</div>"
    )


def _folder(state: DatasetState) -> str:
    if not state.source:
        return '<span class="ti-soft">No folder is chosen yet.</span>'
    name, path = file_name(Path(state.source)) or state.source, shortened(state.source, MAX_QUOTED)
    return f'<b title="{escape(path)}">{escape(shortened(name, MAX_QUOTED))}</b>'


def _counts(state: DatasetState) -> Iterator[str]:
    if state.problem:
        yield f'<span class="ti-soft">{escape(state.problem)}</span>'
        return
    if not state.source:
        return
    width, height = state.size
    yield _count(f"{width} × {height}", "Training size in pixels")
    yield _count(counted(len(state.images), "image"), "Images in the folder, each once")
    if state.excluded:
        yield _count(f"{state.excluded} excluded", "Excluded images are not prepared")
    attention = state.suggested + state.to_fix
    if attention:
        needs = "needs" if attention == 1 else "need"
        about = f"{state.suggested} to exclude, {state.to_fix} to fix"
        yield _count(f"{attention} {needs} attention", about, "ti-attention")
    elif state.not_inspected:
        yield _count(f"{state.not_inspected} not inspected", "Press Inspect in step 1")
    if state.prepared.sizes:
        yield _count(f"{len(state.trained)} prepared", "Images in the prepared folder, without excluded ones")
        missing = state.captions_missing
        if missing:
            word = "caption" if missing == 1 else "captions"
            yield _count(f"{missing} {word} missing", "Prepared images whose caption is empty or a file name")
        if state.masks:
            yield _count(counted(state.masks, "mask"), "Prepared images with a mask")


def _count(text: str, about: str, classes: str = "") -> str:
    return f'<span class="ti-count {classes}" title="{escape(about)}">{escape(text)}</span>'


def end(step: Step, state: DatasetState) -> str:
    """What is still to do in a step; its button for the next step follows."""
    progress = step.progress(state)
    if progress.todo:
        return f'<p class="ti-todo">To do: {escape("; ".join(progress.todo).rstrip("."))}.</p>'
    if progress.done:
        return '<p class="ti-todo ti-all-done"><span aria-hidden="true">✓</span> Done.</p>'
    return f'<p class="ti-todo">{"Optional: nothing to do here." if step.optional else ""}</p>'


def first_sight(step: Step, state: DatasetState) -> str:
    """What a step is for, and what comes first, while nothing can be done in it; else nothing."""
    if not step.needs:
        has_begun = not step.about or state.not_inspected < len(state.images)
        what = "Enter the folder with your images or drop them here, then press Inspect."
        return "" if has_begun else empty_state(step.about, what)
    if not blocked(step, state):
        return ""
    first = missing_step(step, state)
    what = "Choose the folder with your images" if first.name == "inspect" else "Prepare your images"
    return empty_state(step.about, f"{what} first.")


def missing_step(step: Step, state: DatasetState) -> Step:
    """Return the step that must be made before another one."""
    return step_of("prepare" if step.needs == "prepare" and state.images else "inspect")
