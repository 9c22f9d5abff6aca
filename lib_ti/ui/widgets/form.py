"""Gradio inputs made from the declared settings, so that the tab says the same as the command line and the README."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import gradio as gr

from lib_ti.config import Setting, described
from lib_ti.ui.widgets import folder_field
from lib_ti.ui.widgets.folder_field import FolderField

Build = Callable[[Setting, str], Any]
"""Makes the input of a setting from its description and the element's id."""
SMALLEST_SIDE, DEFAULT_SIDE = 64, 512
_MOST_RADIO = 4
_PROMPT_LINES = 4
_SLIDER_VALUES = 150
"""Numbers with at most this many values get a slider."""


class Form:
    """Inputs of one kind of settings. Lay them out with :meth:`add`, in any order, each once.

    Parameters
    ----------
    kind
        A class of settings, such as :class:`lib_ti.config.TrainConfig`.
    prefix
        Start of the elements' ids: ``ti_train`` gives ``ti_train_max_steps``.
    overrides
        Inputs made in another way, by the setting's name.
    defaults
        Default values that replace those of the settings.
    """

    def __init__(
        self,
        kind: type[Any],
        prefix: str,
        *,
        overrides: Mapping[str, Build] | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self._described = {name: (value_type, default, item) for name, value_type, default, item in described(kind)}
        self._prefix = prefix
        self._overrides, self._defaults = dict(overrides or {}), dict(defaults or {})
        self.inputs: dict[str, Any] = {}
        self.folder_fields: list[FolderField] = []
        """The inputs for folders, each with its button 📂."""
        self._filled: dict[str, Any] = {}

    def add(self, *names: str) -> None:
        """Make the inputs of these settings at this place of the layout."""
        for name in names:
            value_type, default, item = self._described[name]
            default = self._defaults.get(name, default)
            elem_id = f"{self._prefix}_{name}"
            if name in self._overrides:
                self.inputs[name] = self._overrides[name](item, elem_id)
            elif item.path.endswith("folder"):
                with gr.Row(elem_classes="ti-listed"):
                    self.inputs[name] = _input(value_type, default, item, elem_id)
                    may_be_new = item.path == "new folder"
                    self.folder_fields.append(folder_field.beside(self.inputs[name], may_be_new=may_be_new))
            else:
                self.inputs[name] = _input(value_type, default, item, elem_id)

    def filled(self, name: str) -> Any:
        """Make and return a hidden value: what :meth:`updates` last filled in for the setting.

        Gradio 4 reports values that a program fills in as if a person had chosen them; this tells them apart.
        """
        self._filled[name] = gr.State(self.inputs[name].value)
        return self._filled[name]

    def __getitem__(self, name: str) -> Any:
        return self.inputs[name]

    @property
    def components(self) -> list[Any]:
        return [*self.inputs.values(), *self._filled.values()]

    def values(self, data: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the settings' values from the data of an event whose inputs were a set."""
        return {name: _given(data[component]) for name, component in self.inputs.items()}

    def updates(self, values: Mapping[str, Any]) -> list[Any]:
        """Updates of :attr:`components`; inputs without a value stay unchanged."""
        shown = [gr.update(value=values[name]) if name in values else gr.update() for name in self.inputs]
        return [*shown, *(values.get(name, gr.update()) for name in self._filled)]

    def missing(self) -> list[str]:
        """Settings that have no input yet."""
        return [name for name in self._described if name not in self.inputs]


def dropdown(choices: Iterable[str] = (), default: str = "") -> Build:
    """A dropdown that can be filled later. Other text can be typed, since files come and go."""

    def build(item: Setting, elem_id: str) -> Any:
        return gr.Dropdown(
            list(choices),
            value=default or None,
            label=item.label,
            info=item.help,
            allow_custom_value=True,
            elem_id=elem_id,
        )

    return build


def radio(labels: Mapping[str, str] = MappingProxyType({})) -> Build:
    """All choices of a setting at a glance, however many they are; ``labels`` are shown in place of their values."""

    def build(item: Setting, elem_id: str) -> Any:
        choices = [(labels.get(choice, choice), choice) for choice in item.choices]
        return gr.Radio(choices, value=item.choices[0], label=item.label, info=item.help, elem_id=elem_id)

    return build


def image_side(help: str) -> Build:
    """A side of the training images in pixels; the page fills in the model's own size."""

    def build(item: Setting, elem_id: str) -> Any:
        return gr.Slider(
            SMALLEST_SIDE,
            item.maximum,
            value=DEFAULT_SIDE,
            step=item.multiple,
            label=item.label,
            info=help,
            elem_id=elem_id,
        )

    return build


def _input(value_type: type[Any], default: Any, item: Setting, elem_id: str) -> Any:
    common = {"label": item.label, "info": item.help, "elem_id": elem_id}
    if value_type is bool:
        return gr.Checkbox(default, **common)
    if value_type is str:
        if not item.choices:
            most = _PROMPT_LINES if "prompt" in elem_id else 1
            return gr.Textbox(default, lines=2 if item.lines else 1, max_lines=most, **common)
        make = gr.Radio if len(item.choices) <= _MOST_RADIO else gr.Dropdown
        return make(list(item.choices), value=default, **common)
    if _is_slider(item):
        finest = 0.01 if item.maximum is not None and item.maximum <= 1 else 0.5
        step = item.multiple or (1 if value_type is int else finest)
        return gr.Slider(item.minimum, item.maximum, value=default, step=step, **common)
    return gr.Number(default, precision=0 if value_type is int else None, **common)


def _is_slider(item: Setting) -> bool:
    if item.minimum is None or item.maximum is None:
        return False
    return bool(item.multiple) or item.maximum - item.minimum <= _SLIDER_VALUES


def _given(value: Any) -> Any:
    """Turn an emptied field into empty text, which the check of the settings reports."""
    return "" if value is None else value
