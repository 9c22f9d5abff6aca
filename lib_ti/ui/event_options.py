"""Options of events, by how long their answer takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_name": False, "queue": False}
"""Options of events that answer at once: no spinner, and no waiting behind a long job in Gradio's queue."""
BUSY: Mapping[str, Any] = {"show_progress": "minimal", "api_name": False}
"""Options of events that read many files or use the model."""


def quick(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a handler that Gradio connects faster, for one that many events have.

    Gradio evaluates the annotations of each handler at each event that it is connected to, which takes a third of the
    time to build the tab; those of a partial function it leaves alone.
    """
    return partial(handler)
