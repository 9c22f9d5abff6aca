"""What the step Captions does, from plain values to plain results. Knows the engine and no Gradio."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import CaptionConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.host.base import Host
from lib_ti.paths import as_path, folder_problem, path_text, resolved
from lib_ti.ui import reach

if TYPE_CHECKING:
    from lib_ti.prep.captions.captioning import CaptioningResult
    from lib_ti.prep.captions.token_budget import CaptionLength
    from lib_ti.ui.dataset.captions_editing import Editor, Editors

_COUNTED = 8192
"""Captions whose length is remembered, so that a list of a thousand is shown at once."""
LABEL = "Folder to caption"


@dataclass(frozen=True)
class Room:
    """How many tokens of a caption are read as one whole: those that the vectors of an embedding leave."""

    tokens: int = CHUNK
    embedding: str = ""

    @classmethod
    def beside(cls, embedding: str, vectors: int) -> Room:
        return cls(max(0, CHUNK - vectors), embedding)


@dataclass(frozen=True)
class Shown:
    """What a page has open, as it keeps it itself: a folder, a picture, and the text that it was given for that."""

    folder: str = ""
    name: str = ""
    text: str = ""
    room: Room = field(default_factory=Room)

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Shown:
        """What a page kept; nothing is open where that is not to be understood."""
        try:
            content = json.loads(text)
            room = Room(int(content["room"]["tokens"]), str(content["room"]["embedding"]))
            return cls(str(content["folder"]), str(content["name"]), str(content["text"]), room)
        except (ValueError, KeyError, TypeError):
            return cls()


class Captions:
    """The work behind the step, for one host."""

    def __init__(self, host: Host, editors: Editors | None = None) -> None:
        self.host = host
        self._editors = editors
        self.length = lru_cache(_COUNTED)(self._measure)

    @property
    def editors(self) -> Editors:
        if self._editors is None:
            from lib_ti.ui.dataset.captions_editing import EDITORS

            self._editors = EDITORS
        return self._editors

    def nothing_yet(self, chosen: str, prepared: str) -> str:
        """What to do first, where there is no folder to open yet; empty where there is one."""
        own = f"or write a folder of pictures into the field {LABEL}, your own one perhaps."
        if path_text(chosen):
            return ""
        if not path_text(prepared):
            return f"There is no prepared folder yet: prepare your pictures first, {own}"
        reach.check(self.host.folders, {"Prepared folder": prepared})
        path = as_path(prepared, "Prepared folder")
        if found := folder_problem(path, missing_ok=True):
            return f"The prepared folder {found}"
        if not path.is_dir():
            return f"The prepared folder {path} is not there yet: press Prepare first, {own}"
        return ""

    def folder(self, chosen: str, prepared: str) -> Path:
        """The folder that a person chose, or the prepared one.

        Raises
        ------
        BadInput
            When there is none, or it is out of reach for this page.
        """
        missing = self.nothing_yet(chosen, prepared)
        if missing:
            raise BadInput(missing)
        return self._reached(path_text(chosen) or path_text(prepared))

    def open(self, chosen: str, prepared: str, source: str = "") -> tuple[Editor, tuple[str, ...]]:
        """The editor of that folder, and what there is to know about it and about how its captions were read.

        ``source`` is the folder of the found pictures, which nothing else writes to.

        Raises
        ------
        BadInput
            As :meth:`folder` does, and where there are no pictures.
        """
        folder = self.folder(chosen, prepared)
        editor, gone = self.editors.open(folder)
        said = [f"{name} is no longer there; its unsaved caption was “{text}”." for name, text in gone.items()]
        if path_text(source) and resolved(as_path(source, "Source folder")) == resolved(folder):
            said.append("These are the pictures as you found them: their captions are written beside them.")
        return editor, (*said, *editor.captions.remarks)

    def editor(self, folder: str) -> Editor:
        """The editor of a folder that a page says it has open.

        Raises
        ------
        BadInput
            When it is not open: the program was started again since, or the page makes things up.
        """
        found = self.editors.find(self._reached(folder)) if folder else None
        if found is None:
            raise BadInput("These captions are no longer open here: press Open.")
        return found

    def room(self, embedding: str) -> Room:
        """What an embedding leaves of the tokens; all of them where there is no such embedding."""
        from lib_ti.embedding import files, library

        name = embedding.strip()
        if not name:
            return Room()
        try:
            return Room.beside(name, files.load(library.find(self.host.folders.embeddings, name)).count)
        except BadInput:  # the Train tab says what is wrong with it
            return Room()

    def captioning(
        self, folder: Path, values: Mapping[str, Any]
    ) -> Callable[[TaskContext], tuple[Path, CaptioningResult]]:
        """The work of captioning a folder, to be begun.

        Raises
        ------
        BadInput
            When a setting is wrong, or captions of the folder are edited and not saved.
        """
        config = from_mapping(CaptionConfig, values, source="the form")
        open_there = self.editors.find(folder)
        unsaved = open_there.captions.changed if open_there else ()
        if unsaved:
            raise BadInput(
                f"There are unsaved captions, {len(unsaved)} of them, such as that of {unsaved[0]}: save or undo them "
                "first, so that none is overwritten."
            )

        def work(task: TaskContext) -> tuple[Path, CaptioningResult]:
            from lib_ti.prep.captions.captioning import caption_with_host

            done = caption_with_host(
                self.host,
                folder,
                config,
                report=task.report_message,
                progress=task.report_progress,
                stop=task.stop_requested,
            )
            return folder, done

        return work

    def _measure(self, text: str, room: int) -> CaptionLength:
        from lib_ti.prep.captions.token_budget import measure_length

        return measure_length(text, self.host.tools.token_spans, room)

    def _reached(self, folder: str) -> Path:
        reach.check(self.host.folders, {LABEL: folder})
        return as_path(folder, LABEL)
