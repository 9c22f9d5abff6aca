"""The work behind the sub-tab Start, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.makes import Makes
from lib_ti.background.tasks import BackgroundTasks, TaskStatus
from lib_ti.config import PRESETS, MakeConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_text, resolved
from lib_ti.ui import reach, recent_folders
from lib_ti.ui.dataset.prepare.state import Preparation
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.embedding import library, names
    from lib_ti.make_it import state as make_state
    from lib_ti.make_it.state import MakeState
    from lib_ti.training import create as creation
else:
    library, names = lazy("lib_ti.embedding.library"), lazy("lib_ti.embedding.names")
    make_state = lazy("lib_ti.make_it.state")
    creation = lazy("lib_ti.training.create")


class StartService:
    """Starts, continues and stops Make its, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks) -> None:
        self._host, self._makes, self._preparation = host, Makes(tasks), Preparation(host)

    def start(self, values: Mapping[str, Any], files: Sequence[Path]) -> str:
        """Start a Make it, or continue one; return the folder of its images.

        Parameters
        ----------
        values
            Settings of :class:`lib_ti.config.MakeConfig`.
        files
            Uploaded images and zips; they are brought into a folder of the keyword's name.

        Raises
        ------
        BadInput
            With everything that is wrong with the values.
        Busy
            When a run or another Make it is in progress.
        """
        config = self._config(values, files)
        self._makes.start(self._host, config, files)
        recent_folders.remember(self._host.folders, config.images)
        return config.images

    def status(self) -> TaskStatus:
        return self._makes.status()

    def stop(self) -> None:
        self._makes.stop()

    def unfinished(self, log_directory: str) -> MakeState | None:
        """Return the last Make it where the program was ended before it was finished."""
        try:
            reach.check(self._host.folders, {"Log directory": log_directory})
            found = make_state.latest(as_path(log_directory, "Log directory"))
        except BadInput:
            return None
        return found if found and not found.finished else None

    def keyword_remarks(self, keyword: str, kind: str, log_directory: str) -> str:
        """Say whether a keyword can be used, and how many prompt tokens it takes."""
        keyword = keyword.strip()
        if not keyword:
            return ""
        try:
            creation.check_new_name(self._host.tools, keyword)
        except BadInput as error:
            return notice("warning", error.problems)
        if taken := library.find_all(self._host.folders.embeddings, keyword):
            left = self.unfinished(log_directory)
            if left and left.settings.get("keyword") == keyword:
                return hint(f"{keyword} is not finished: Make it continues.")
            return notice("warning", [f"{quoted(keyword)} is taken by {taken[0].name}: choose another keyword."])
        vectors = PRESETS[kind].vectors if kind in PRESETS else 1
        return hint(f"The keyword is free. It takes {vectors} of {CHUNK} prompt tokens.")

    def _config(self, values: Mapping[str, Any], files: Sequence[Path]) -> MakeConfig:
        folder, keyword = path_text(str(values.get("images") or "")), str(values.get("keyword") or "").strip()
        if files and folder and not self._is_own(folder, keyword):
            raise BadInput("There are images above and a folder below: use one of them, and empty the other.")
        if not files and not folder:
            raise BadInput("There are no images yet: drop some above, or name the folder that they are in.")
        if files:
            names.check_name(keyword)  # it becomes the name of a folder
            folder = str(self._host.folders.datasets / keyword)
        output = path_text(str(values.get("output") or "")) or self._preparation.suggested_output(folder)
        given = {**values, "images": folder, "keyword": keyword, "output": output}
        config = from_mapping(MakeConfig, given, source="the form")
        named = {
            "Folder with your images": config.images,
            "Prepared folder": config.output,
            "Log directory": config.log_directory,
        }
        reach.check(self._host.folders, named)
        return config

    def _is_own(self, folder: str, keyword: str) -> bool:
        """Whether the folder is the one that the keyword's images are brought into."""
        return resolved(Path(folder)) == resolved(self._host.folders.datasets / keyword)
