"""The work behind the sub-tab Create, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.model_use import using_model
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CreateConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_text
from lib_ti.ui import reach
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.embedding import files, library
    from lib_ti.training import create as creation
    from lib_ti.training.files import run_folder
else:
    files = lazy("lib_ti.embedding.files")
    library = lazy("lib_ti.embedding.library")
    creation = lazy("lib_ti.training.create")
    run_folder = lazy("lib_ti.training.files.run_folder")

_FEW_TOKENS = 20
"""Remaining tokens that are hardly enough for a caption."""


class CreateService:
    """Creates embeddings, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks) -> None:
        self.host, self.tasks = host, tasks

    def create(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Create an embedding; return its name and a message that says where it is."""
        config = from_mapping(CreateConfig, values, source="the form")
        with using_model(self.tasks):
            created = creation.create(self.host, config)
        vectors = counted(config.vectors, "vector")
        message = f"Created {config.name} with {vectors}: {created.path}. It is selected in the Train tab."
        return config.name, notice("good", [message]) + notice("info", created.notes) + notice(
            "warning", created.warnings
        )

    def name_remarks(self, name: str, log_directory: str) -> str:
        """Say whether a name can be used and what already uses it."""
        if not name.strip():
            return ""
        try:
            creation.check_new_name(self.host.tools, name)
        except BadInput as error:
            return notice("warning", error.problems)
        folder = self.host.folders.embeddings
        found = [_describe_file(path, library.shown_path(folder, path)) for path in library.find_all(folder, name)]
        reach.check(self.host.folders, {"Log directory": log_directory})
        runs = run_folder.find_runs(as_path(log_directory), name) if path_text(log_directory) else []
        if runs:
            found.append(f"There are runs of this name: {', '.join(str(run.path) for run in runs[:3])}.")
        if not found:
            return hint(f"The name is free. Write {name} in a prompt to use the embedding.")
        return notice("info", found, title="This name is in use")

    @staticmethod
    def tokens_left(vectors: Any) -> str:
        count = int(vectors or 0)
        left = CHUNK - count
        few = " That is hardly enough for a caption." if left < _FEW_TOKENS else ""
        return hint(f"It takes {count} of {CHUNK} prompt tokens, {left} remain for the rest of the prompt.{few}")


def _describe_file(path: Path, shown: str) -> str:
    try:
        embedding = files.load(path)
    except BadInput as error:
        return f"{shown}: {error}"
    return f"{shown}: {counted(embedding.count, 'vector')}, trained for {counted(embedding.step, 'step')}."
