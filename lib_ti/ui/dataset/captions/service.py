"""Folders of captions: found, opened for editing, and captioned by a model."""

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
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, folder_problem, path_text, resolved
from lib_ti.prep.captions.token_budget import measure_length
from lib_ti.ui import reach, recent_folders

if TYPE_CHECKING:
    from lib_ti.embedding import files, library
    from lib_ti.prep.captions import captioning
    from lib_ti.prep.captions.captioning import CaptioningResult
    from lib_ti.prep.captions.token_budget import CaptionLength
    from lib_ti.ui.dataset.captions import state
    from lib_ti.ui.dataset.captions.state import Editor, Editors
else:
    files = lazy("lib_ti.embedding.files")
    library = lazy("lib_ti.embedding.library")
    captioning = lazy("lib_ti.prep.captions.captioning")
    state = lazy("lib_ti.ui.dataset.captions.state")

_COUNTED = 8192
"""Captions whose length is cached, so that a list of a thousand is shown at once."""
LABEL = "Folder to caption"


@dataclass(frozen=True)
class TokenBudget:
    """Tokens of one context that remain for a caption beside the vectors of an embedding."""

    tokens: int = CHUNK
    embedding: str = ""

    @classmethod
    def beside(cls, embedding: str, vectors: int) -> TokenBudget:
        return cls(max(0, CHUNK - vectors), embedding)


@dataclass(frozen=True)
class OpenImage:
    """The image that a page has open, as the page stores it: folder, name, and the text that the page was sent."""

    folder: str = ""
    name: str = ""
    text: str = ""
    budget: TokenBudget = field(default_factory=TokenBudget)

    def to_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> OpenImage:
        """Parse what a page stored; no image is open where that is not valid."""
        try:
            content = json.loads(text)
            budget = TokenBudget(int(content["budget"]["tokens"]), str(content["budget"]["embedding"]))
            return cls(str(content["folder"]), str(content["name"]), str(content["text"]), budget)
        except (ValueError, KeyError, TypeError):
            return cls()


class CaptionService:
    """The captions of one host's pages."""

    def __init__(self, host: Host, editors: Editors | None = None) -> None:
        self.host = host
        self._editors = editors
        self.length = lru_cache(_COUNTED)(self._measure)

    @property
    def editors(self) -> Editors:
        if self._editors is None:
            self._editors = state.EDITORS
        return self._editors

    def missing_folder(self, chosen: str, prepared: str) -> str:
        """Return what to do first where there is no folder to open yet; empty where there is one."""
        own = f"or enter another folder of images into the field {LABEL}."
        if path_text(chosen):
            return ""
        if not path_text(prepared):
            return f"There is no prepared folder yet: prepare your images first, {own}"
        reach.check(self.host.folders, {"Prepared folder": prepared})
        path = as_path(prepared, "Prepared folder")
        if found := folder_problem(path, missing_ok=True):
            return f"The prepared folder {found}"
        if not path.is_dir():
            return f"The prepared folder {path} does not exist yet: press Prepare first, {own}"
        return ""

    def folder(self, chosen: str, prepared: str) -> Path:
        """Return the chosen folder, or the prepared one.

        Raises
        ------
        BadInput
            When there is none, or it is outside the folders this server allows.
        """
        missing = self.missing_folder(chosen, prepared)
        if missing:
            raise BadInput(missing)
        return self._allowed(path_text(chosen) or path_text(prepared))

    def open(self, chosen: str, prepared: str, source: str = "") -> tuple[Editor, tuple[str, ...]]:
        """Return the editor of that folder, and remarks about the folder and the reading of its captions.

        ``source`` is the source folder, which nothing else writes to.

        Raises
        ------
        BadInput
            As :meth:`folder` does, and when there are no images.
        """
        folder = self.folder(chosen, prepared)
        editor, lost = self.editors.open(folder)
        recent_folders.remember(self.host.folders, folder)
        remarks = [f"{name} no longer exists; its unsaved caption was “{text}”." for name, text in lost.items()]
        if path_text(source) and resolved(as_path(source, "Source folder")) == resolved(folder):
            remarks.append("This is the source folder: captions are saved beside the source images.")
        return editor, (*remarks, *editor.captions.remarks)

    def editor(self, folder: str) -> Editor:
        """Return the editor of a folder that a page has open.

        Raises
        ------
        BadInput
            When it is not open, such as after a restart of the program.
        """
        found = self.editors.find(self._allowed(folder)) if folder else None
        if found is None:
            raise BadInput("These captions are no longer open here: press Open.")
        return found

    def token_budget(self, embedding: str) -> TokenBudget:
        """Return the tokens that an embedding leaves; all of them where there is no such embedding."""
        name = embedding.strip()
        if not name:
            return TokenBudget()
        try:
            return TokenBudget.beside(name, files.load(library.find(self.host.folders.embeddings, name)).count)
        except BadInput:  # the Train tab reports what is wrong with it
            return TokenBudget()

    def captioning(
        self, folder: Path, values: Mapping[str, Any]
    ) -> Callable[[TaskContext], tuple[Path, CaptioningResult]]:
        """Return the action that captions a folder, for a background task.

        Raises
        ------
        BadInput
            When a setting is wrong, or the folder has unsaved captions.
        """
        config = from_mapping(CaptionConfig, values, source="the form")
        editor = self.editors.find(folder)
        unsaved = editor.captions.changed if editor else ()
        if unsaved:
            raise BadInput(
                f"Unsaved captions: {len(unsaved)}, such as that of {unsaved[0]}. Save or undo them, so that none "
                "is overwritten."
            )

        def work(task: TaskContext) -> tuple[Path, CaptioningResult]:
            done = captioning.caption_with_host(
                self.host,
                folder,
                config,
                report=task.report_message,
                progress=task.report_progress,
                stop=task.stop_requested,
            )
            return folder, done

        return work

    def _measure(self, text: str, remaining: int) -> CaptionLength:
        return measure_length(text, self.host.tools.token_spans, remaining)

    def _allowed(self, folder: str) -> Path:
        reach.check(self.host.folders, {LABEL: folder})
        return as_path(folder, LABEL)
