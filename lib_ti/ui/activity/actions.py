"""Actions of the strip: refresh it, and interrupt what is in progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_ti.background.kinds import Lane
from lib_ti.ui.activity import view
from lib_ti.ui.activity.page import LANES
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.parts import Parts


def connect(parts: Parts) -> None:
    tasks, outputs = parts.controller.tasks, _outputs(parts)

    def interrupting(lane: Lane) -> Callable[[], list[Any]]:
        def interrupt() -> list[Any]:
            now = tasks.lane_status(lane)
            if now.active and now.kind:
                tasks.control(now.kind).stop("Interrupt")
            return updates(parts, "")

        return interrupt

    for lane in LANES:
        parts[f"activity_{lane}_stop"].click(interrupting(lane), inputs=[], outputs=outputs, **QUIET)
    seen = parts["activity_seen"]
    parts["activity_refresh"].click(
        lambda data: updates(parts, data[seen] or ""), inputs={seen}, outputs=outputs, **QUIET
    )


def updates(parts: Parts, seen: str) -> list[Any]:
    """Updates of the strip; ``seen`` is the state that the last ones left in the page."""
    lanes = [parts.controller.tasks.lane_status(lane) for lane in LANES]
    state = " ".join(f"{now.number} {now.version} {now.state}" for now in lanes)
    if state == seen:
        return [gr.update()] * len(_outputs(parts))
    shown: list[Any] = [state, view.state(lanes, parts.seconds)]
    for now in lanes:
        shown += [gr.update(visible=now.active), view.line(now), gr.update(interactive=now.state != "stopping")]
    return shown


def on_load(blocks: gr.Blocks, parts: Parts) -> None:
    """A new page shows what is in progress."""
    blocks.load(lambda: updates(parts, ""), inputs=[], outputs=_outputs(parts), **QUIET)


def _outputs(parts: Parts) -> list[Any]:
    of_lanes = (name for lane in LANES for name in (f"{lane}_row", lane, f"{lane}_stop"))
    return [parts[f"activity_{name}"] for name in ("seen", "state", *of_lanes)]
