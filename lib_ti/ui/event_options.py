"""Options of events, by how long their answer takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_name": False, "queue": False}
"""Options of events that answer at once: no spinner, and no waiting behind a long job in Gradio's queue."""
BUSY: Mapping[str, Any] = {"show_progress": "minimal", "api_name": False}
"""Options of events that read many files or use the model."""
