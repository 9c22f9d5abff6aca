"""Actions of the folder browser: open it for a field, walk through folders, and fill the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_ti.errors import BadInput
from lib_ti.ui.attempt import attempt
from lib_ti.ui.event_options import QUIET
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.folder_browser import view
from lib_ti.ui.widgets.folder_browser.listing import Listing
from lib_ti.ui.widgets.folder_browser.service import FolderBrowser
from lib_ti.ui.widgets.folder_field import FolderField

Data = dict[Any, Any]


def connect(parts: Parts) -> None:
    """Connect the panel, and the 📂 of every field; ``parts.folder_chosen`` is the event after a field was filled."""
    panel = FolderPanel(parts)
    for field in parts.folder_fields:
        field.button.click(panel.opening(field), inputs={field.field}, outputs=panel.opened, **QUIET)
    for event, action in (
        (parts["folders_open"].click, panel.open),
        (parts["folders_location"].submit, panel.go),
        (parts["folders_recent"].input, panel.go_to_recent),
        (parts["folders_up"].click, panel.up),
    ):
        event(action, inputs=panel.inputs, outputs=panel.walked, **QUIET)
    parts["folders_cancel"].click(panel.close, inputs=[], outputs=panel.closed, **QUIET)
    parts.folder_chosen = parts["folders_choose"].click(
        panel.choose, inputs=panel.inputs, outputs=[*panel.closed, *panel.fields], **QUIET
    )


class FolderPanel:
    """The panel of one tab, and the fields that it fills."""

    def __init__(self, parts: Parts) -> None:
        self._browser = FolderBrowser(parts.controller.host.folders)
        self._by_name = {field.name: field for field in parts.folder_fields}
        self.fields = [field.field for field in self._by_name.values()]
        self._target, self._shown, self._location, self._list, self._recent = (
            parts[f"folders_{name}"] for name in ("field", "shown", "location", "list", "recent")
        )
        message, title = parts["folders_message"], parts["folders_title"]
        self.inputs = {self._target, self._shown, self._location, self._list, self._recent}
        self.walked = [self._location, self._shown, self._list, parts["folders_up"], message]
        """The components that show a list of folders."""
        self.closed = [parts["folders"], title, message]
        self.opened = [parts["folders"], title, self._target, self._recent, *self.walked]

    def opening(self, field: FolderField) -> Callable[[Data], list[Any]]:
        """Return the action of the button of a field: the panel shows the folder that the field holds."""

        def open_panel(data: Data) -> list[Any]:
            listing, problem = attempt(lambda: self._browser.start(data[field.field] or ""))
            shown = _shown(listing) if listing else [*_shown(Listing(None, ()))[:-1], problem]
            known = self._browser.recent()
            recent = gr.update(choices=known, value=None, visible=bool(known))
            return [gr.update(visible=True), view.title(field.label), field.name, recent, *shown]

        return open_panel

    def close(self) -> list[Any]:
        return [gr.update(visible=False), "", ""]

    def open(self, data: Data) -> list[Any]:
        """Show the selected folder, or the one whose path was typed."""
        return self._walk(data, self._meant(data))

    def go(self, data: Data) -> list[Any]:
        return self._walk(data, data[self._location] or "")

    def go_to_recent(self, data: Data) -> list[Any]:
        return self._walk(data, data[self._recent] or "")

    def up(self, data: Data) -> list[Any]:
        """Show the folder above, with the present one selected."""
        here = data[self._shown] or ""
        return self._answer(lambda: self._browser.up(here), here)

    def choose(self, data: Data) -> list[Any]:
        """Fill the field with the selected folder, or with the one whose path was typed, and close the panel."""

        def chosen() -> tuple[Any, str]:
            field = self._field(data)
            return field.field, self._browser.choose(self._meant(data), field.label, may_be_new=field.may_be_new)

        found, problem = attempt(chosen)
        if found is None:
            return [gr.update(), gr.update(), problem, *[gr.update()] * len(self.fields)]
        return [*self.close(), *(gr.update(value=found[1]) if one is found[0] else gr.update() for one in self.fields)]

    def _walk(self, data: Data, text: str) -> list[Any]:
        def listing() -> Listing:
            field = self._field(data)
            return self._browser.open(text, field.label, may_be_new=field.may_be_new)

        return self._answer(listing)

    def _answer(self, action: Callable[[], Listing], selected: str = "") -> list[Any]:
        listing, problem = attempt(action)
        return _shown(listing, selected) if listing else [*[gr.update()] * (len(self.walked) - 1), problem]

    def _meant(self, data: Data) -> str:
        """Return the selected folder, unless another one was typed since the list was made."""
        typed = data[self._location] or ""
        return (data[self._list] or "") if typed == data[self._shown] else typed

    def _field(self, data: Data) -> FolderField:
        if data[self._target] not in self._by_name:
            raise BadInput("The program was restarted since this page was loaded: reload the page.")
        return self._by_name[data[self._target]]


def _shown(listing: Listing, selected: str = "") -> list[Any]:
    """Updates of ``walked``; the folder itself is selected where ``selected`` is not in the list."""
    choices = [(entry.label, str(entry.path)) for entry in listing.entries]
    chosen = selected if any(selected == path for _, path in choices) else listing.location or None
    return [
        listing.location,
        listing.location,
        gr.update(choices=choices, value=chosen),
        gr.update(interactive=listing.above is not None),
        view.remarks(listing),
    ]
