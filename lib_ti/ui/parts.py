"""What the pages share: the controller, the forms, and the components that one page updates for another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from lib_ti.ui.controller import Controller
from lib_ti.ui.dataset.prepare.state import Preparation
from lib_ti.ui.widgets import folder_field
from lib_ti.ui.widgets.folder_field import FolderField
from lib_ti.ui.widgets.form import Form
from lib_ti.ui.widgets.task_line import TaskLine


@dataclass
class Parts:
    """The tab's components: filled by the ``layout`` of each page, used by its ``connect``."""

    controller: Controller
    txt2img: Mapping[str, Any]
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...]
    defaults: Mapping[str, Any]
    """Defaults that replace those of the settings: ``log_directory``, ``file_format``; and ``seconds``."""
    tabs: Any = None
    task_line: TaskLine = None  # type: ignore[assignment]  # set by dataset/page
    """The task of the sub-tab Dataset."""
    sheet_line: TaskLine = None  # type: ignore[assignment]  # set by results/page
    """The task of a contact sheet."""
    vectors_line: TaskLine = None  # type: ignore[assignment]  # set by results/vectors/page
    """The task of a comparison of numbers of vectors."""
    compare_line: TaskLine = None  # type: ignore[assignment]  # set by results/compare/page
    """The task of a comparison of two runs."""
    suggest_line: TaskLine = None  # type: ignore[assignment]  # set by create/page
    """The task of a suggested initialization text."""
    steps: Any = None
    """The tabs of the sub-tab Dataset."""
    make: Form = None  # type: ignore[assignment]  # set by start/page
    make_buttons: Any = None
    """The row of buttons for what was made."""
    create: Form = None  # type: ignore[assignment]  # set by create/page
    train: Form = None  # type: ignore[assignment]  # set by train/page
    prepare: Form = None  # type: ignore[assignment]  # set by dataset/page
    inspect: Form = None  # type: ignore[assignment]  # set by the step Inspect
    caption: Form = None  # type: ignore[assignment]  # set by the step Captions
    folder_chosen: Any = None  # set by folder_browser/actions
    """The event after the folder browser has filled a field, for what a field's own events do as well."""
    own: dict[str, Any] = field(default_factory=dict)
    """Components by their elem_id without ``ti_``."""
    answered_by: dict[str, str] = field(default_factory=dict)
    """Message boxes, and the box whose success removes their error; see :mod:`lib_ti.ui.widgets.boxes`."""

    _folder_fields: list[FolderField] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.preparation = Preparation(self.controller.host)

    @property
    def folder_fields(self) -> list[FolderField]:
        """All fields for folders: those of the forms, and those added by :meth:`browse`."""
        forms = (self.make, self.create, self.train, self.prepare, self.inspect, self.caption)
        return [*(one for form in forms for one in form.folder_fields), *self._folder_fields]

    def browse(self, field: Any, *, may_be_new: bool = False) -> None:
        """Add the button 📂 beside a text field that no form made; both are in a row of the class ``ti-listed``."""
        self._folder_fields.append(folder_field.beside(field, may_be_new=may_be_new))

    @property
    def seconds(self) -> float:
        """Seconds between two refreshes of a page during a run."""
        return float(self.defaults.get("seconds", 2))

    def keep(self, name: str, component: Any) -> Any:
        self.own[name] = component
        return component

    def __getitem__(self, name: str) -> Any:
        return self.own[name]

    def html(self, name: str, value: str = "") -> Any:
        return self.keep(name, gr.HTML(value, elem_id=f"ti_{name}"))

    def box(self, name: str, *, answered_by: str) -> Any:
        """A box for a button's result. An error in it is removed once the box ``answered_by`` reports a success."""
        self.answered_by[name] = answered_by
        return self.html(name)

    def button(self, name: str, text: str, **options: Any) -> Any:
        return self.keep(name, gr.Button(text, elem_id=f"ti_{name}", **options))


def choices(values: Iterable[str], chosen: str | None = None) -> Any:
    """Update a dropdown's choices, and its value if one is given."""
    listed = list(values)
    return gr.update(choices=listed) if chosen is None else gr.update(choices=listed, value=chosen)
