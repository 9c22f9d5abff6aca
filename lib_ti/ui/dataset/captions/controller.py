"""Fields of the caption editor on a page: how they are read and updated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_ti.lazy import lazy
from lib_ti.prep.captions.search import Search
from lib_ti.prep.captions.tags import frequency
from lib_ti.ui.attempt import attempt
from lib_ti.ui.dataset.captions import view
from lib_ti.ui.dataset.captions.listing import Listing
from lib_ti.ui.dataset.captions.page import CASE, LACKING, REGEX, WHOLE, WORDS
from lib_ti.ui.dataset.captions.query import ALL, Query
from lib_ti.ui.dataset.captions.service import CaptionService, OpenImage
from lib_ti.ui.event_options import BUSY
from lib_ti.ui.parts import Parts
from lib_ti.ui.widgets.history import labelled

if TYPE_CHECKING:
    from lib_ti.prep.captions import bulk_edits
    from lib_ti.prep.captions.caption_set import CaptionSet
    from lib_ti.ui.dataset.captions.state import Editor
else:
    bulk_edits = lazy("lib_ti.prep.captions.bulk_edits")

FILES: Mapping[str, Any] = {**BUSY, "queue": False}
"""Options of events that read or write many small files: they do not wait behind a generated image in Gradio's
queue."""

Action = Callable[[Listing], tuple[str, str]]
"""Does something; returns the name of the image to open and a box that says what was done."""


class CaptionEditorController:
    """Shared by all handlers of the editor."""

    def __init__(self, parts: Parts, service: CaptionService) -> None:
        self._parts, self._service = parts, service
        self.inputs = {parts[f"captions_{name}"] for name in "shown text find options show count".split()}
        names = "shown text image length position state undo redo resolve list counts"
        self.outputs = [parts[f"captions_{name}"] for name in names.split()]
        """The components that :meth:`updates` updates."""
        self.action_outputs = [parts["captions_notice"], *self.outputs]
        """The components that :meth:`run` updates: the notice, and all others."""

    def run(self, data: dict[Any, Any], action: Action) -> list[Any]:
        """Take the text of the field, run a button's action, and update the page."""

        def done() -> list[Any]:
            listing = self.listing(data)
            name, message = action(listing)
            return [message, *self.updates(data, listing.editor, listing.opened, name)]

        updates, problem = attempt(done)
        return updates or [problem, *self.unchanged()]

    def listing(self, data: dict[Any, Any]) -> Listing:
        """Take the text of the field into the editor, and return what the page lists."""
        opened = self.opened(data)
        editor = self._service.editor(opened.folder)
        editor.type(opened.name, opened.text, self._value(data, "text"))
        return self._listing(data, editor, opened, opened.name)

    def opened(self, data: dict[Any, Any]) -> OpenImage:
        return OpenImage.from_text(self._value(data, "shown"))

    def updates(self, data: dict[Any, Any], editor: Editor, opened: OpenImage, name: str) -> list[Any]:
        """Update the page with one of the images open."""
        listing = self._listing(data, editor, opened, name)
        before, typed = self.opened(data), self._value(data, "text")
        # An unchanged text is not updated, which would move the cursor.
        same = replace(listing.opened, text=before.text) == before and typed.split() == listing.opened.text.split()
        return [
            gr.update() if same else listing.opened.to_text(),
            gr.update() if same else listing.opened.text,
            listing.image(),
            listing.length(),
            str(listing.position or ""),
            *self.edits(listing),
            gr.update(visible=bool(editor.conflicts)),
            listing.rows(),
            self.counts(data, listing.captions),
        ]

    def edits(self, listing: Listing) -> list[Any]:
        """Update what is not saved, and the buttons that undo and redo."""
        return [listing.state(), *(labelled(word, label) for word, label in view.history(listing.captions).items())]

    def unchanged(self) -> list[Any]:
        """Return updates that change nothing."""
        return [gr.update() for _ in self.outputs]

    def counts(self, data: dict[Any, Any], captions: CaptionSet) -> str:
        count = bulk_edits.word_frequency if self._value(data, "count") == WORDS else frequency
        return view.counts(count(captions.texts.values()))

    def _listing(self, data: dict[Any, Any], editor: Editor, opened: OpenImage, name: str) -> Listing:
        options = self._value(data, "options") or ()
        search = Search(self._value(data, "find"), REGEX in options, WHOLE in options, CASE in options)
        query = Query(search, LACKING in options, self._value(data, "show") or ALL)
        return Listing.of(self._service, editor, opened, query, name)

    def _value(self, data: dict[Any, Any], name: str) -> Any:
        return data[self._parts[f"captions_{name}"]] or ""
