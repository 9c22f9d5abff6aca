"""Layout of the strip: a line for each lane of tasks, with its Interrupt."""

from __future__ import annotations

import gradio as gr

from lib_ti.background.kinds import Lane
from lib_ti.ui.activity import view
from lib_ti.ui.parts import Parts

LANES: tuple[Lane, ...] = ("model", "dataset")


def layout(parts: Parts) -> None:
    """Lay out the strip. While nothing runs, the style sheet hides it."""
    lanes = [parts.controller.tasks.lane_status(lane) for lane in LANES]
    with gr.Row(elem_id="ti_activity", elem_classes="ti-activity"):
        parts.html("activity_state", view.state(lanes, parts.seconds))
        with gr.Column(scale=1, min_width=160, elem_classes="ti-activity-lanes"):
            for lane, now in zip(LANES, lanes, strict=True):
                with gr.Row(visible=now.active, elem_classes="ti-activity-lane") as row:
                    parts.html(f"activity_{lane}", view.line(now))
                    parts.button(f"activity_{lane}_stop", "Interrupt", variant="stop", size="sm", scale=0, min_width=96)
                parts.keep(f"activity_{lane}_row", row)
        parts.button("activity_refresh", "Refresh", size="sm", scale=0, min_width=80)
        parts.keep("activity_seen", gr.State(""))
