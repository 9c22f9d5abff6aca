"""What the sub-tabs share: the controller, the forms and the components that one sub-tab sets for another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from lib_ti.ui.controller import Controller
from lib_ti.ui.preparation import Preparation
from lib_ti.ui.widgets.form import Form

QUIET: Mapping[str, Any] = {"show_progress": "hidden", "api_name": False, "queue": False}
"""Of events that answer at once: no spinner, and no waiting behind a long job in Gradio's queue."""
BUSY: Mapping[str, Any] = {"show_progress": "minimal", "api_name": False}
"""Of events that read many files or use the model."""


@dataclass
class Parts:
    """Filled by each sub-tab's ``layout``, used by each one's ``connect``."""

    controller: Controller
    txt2img: Mapping[str, Any]
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...]
    beginnings: Mapping[str, Any]
    """What begins otherwise than usual: ``log_directory``, ``file_format``, ``seconds``."""
    tabs: Any = None
    steps: Any = None
    """The tabs of the sub-tab Dataset."""
    create: Form = None  # type: ignore[assignment]  # set by create_tab.layout
    train: Form = None  # type: ignore[assignment]  # set by train_tab.layout
    prepare: Form = None  # type: ignore[assignment]  # set by dataset_tab.layout
    look: Form = None  # type: ignore[assignment]  # set by the step Look over
    caption: Form = None  # type: ignore[assignment]  # set by the step Captions
    own: dict[str, Any] = field(default_factory=dict)
    """Components by their id without ``ti_``."""
    answered_by: dict[str, str] = field(default_factory=dict)
    """Result boxes, and those whose success answers their errors; see :mod:`lib_ti.ui.widgets.boxes`."""

    def __post_init__(self) -> None:
        self.preparation = Preparation(self.controller.host)

    @property
    def seconds(self) -> float:
        """Between two looks of a page at a running training."""
        return float(self.beginnings.get("seconds", 2))

    def keep(self, name: str, component: Any) -> Any:
        self.own[name] = component
        return component

    def __getitem__(self, name: str) -> Any:
        return self.own[name]

    def html(self, name: str, value: str = "") -> Any:
        return self.keep(name, gr.HTML(value, elem_id=f"ti_{name}"))

    def box(self, name: str, *, answered_by: str) -> Any:
        """A place for what a button did or could not do; an error there goes once another box says a success."""
        self.answered_by[name] = answered_by
        return self.html(name)

    def button(self, name: str, text: str, **options: Any) -> Any:
        return self.keep(name, gr.Button(text, elem_id=f"ti_{name}", **options))


def choices(values: Iterable[str], chosen: str | None = None) -> Any:
    """An update of a dropdown's choices, and of its value where one is given."""
    listed = list(values)
    return gr.update(choices=listed) if chosen is None else gr.update(choices=listed, value=chosen)
