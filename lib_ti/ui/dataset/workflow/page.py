"""Layout of the strip above the steps, and of what all steps have around their own content."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from lib_ti.ui.dataset.workflow import view
from lib_ti.ui.dataset.workflow.state import DatasetState
from lib_ti.ui.dataset.workflow.steps import Step, blocked, next_step
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets import html_changes

TRAIN = "Next: use for training"
"""Label of the last step's button."""
PAST = {"crop": "Prepare the images", "captions": "Use for training"}
"""Labels of the buttons that pass over an optional step, by the step before it, and do what comes then."""
BOXES = (
    "inspect_summary", "inspect_message", "crop_message", "remove_message", "review_message", "review_saved",
    "prepare_message", "masks_message", "captions_state", "captions_message", "captions_result",
)  # fmt: skip
"""Elements whose contents change with everything that is done in the steps."""


def strip(parts: Parts) -> None:
    parts.html("dataset_overview", view.overview(DatasetState()))
    parts.keep("workflow_seen", gr.State(""))
    html_changes.layout(parts, "workflow_changed", BOXES)


def frame(
    parts: Parts, step: Step, content: Callable[[Parts], None], advanced: Callable[[Parts], None] | None = None
) -> None:
    """Lay out a step: what comes first where nothing can be done yet, its own content, and the way to the next step.

    ``advanced`` adds what can be used even then.
    """
    nothing = DatasetState()
    if step.about and not step.needs:
        parts.html(f"about_{step.name}", view.first_sight(step, nothing))
    elif step.needs:
        with gr.Column(visible=blocked(step, nothing), elem_classes="ti-empty") as first:
            parts.keep(f"first_{step.name}", first)
            parts.html(f"about_{step.name}", view.first_sight(step, nothing))
            parts.button(f"go_{step.name}", f"Go to {view.missing_step(step, nothing).label}", variant="primary")
    with gr.Column(visible=not blocked(step, nothing)) as inside:
        parts.keep(f"content_{step.name}", inside)
        content(parts)
    if advanced:
        advanced(parts)
    with gr.Column(visible=not blocked(step, nothing)) as end:
        parts.keep(f"end_{step.name}", end)
        following = next_step(step.name)
        with gr.Row(elem_classes="ti-step-end"):
            parts.html(f"todo_{step.name}", view.end(step, nothing))
            if step.name in PAST:
                parts.button(f"past_{step.name}", PAST[step.name], scale=0)
            parts.button(f"next_{step.name}", f"Next: {following.label}" if following else TRAIN, scale=0)
        if step.name in ("captions", "masks"):
            parts.html(f"used_{step.name}")
