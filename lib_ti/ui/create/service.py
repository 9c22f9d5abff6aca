"""The work behind the sub-tab Create, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.kinds import SUGGESTION
from lib_ti.background.model_use import naming_dataset_task, using_model
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.config import CreateConfig, SuggestConfig, described, from_mapping
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_text
from lib_ti.signals import Event, LogMessage, Progress
from lib_ti.ui import reach
from lib_ti.ui.html.fragments import hint, notice
from lib_ti.wording import counted

if TYPE_CHECKING:
    from lib_ti.embedding import files, library
    from lib_ti.training import create as creation
    from lib_ti.training.files import run_folder
    from lib_ti.training.suggest import initial_text
    from lib_ti.training.suggest.suggestions import Suggestions
    from lib_ti.ui.train.templates import Templates
else:
    files = lazy("lib_ti.embedding.files")
    library = lazy("lib_ti.embedding.library")
    creation = lazy("lib_ti.training.create")
    run_folder = lazy("lib_ti.training.files.run_folder")
    initial_text = lazy("lib_ti.training.suggest.initial_text")

_FEW_TOKENS = 20
"""Remaining tokens that are hardly enough for a caption."""


class CreateService:
    """Creates embeddings, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks, templates: Templates) -> None:
        self.host, self.tasks, self.templates = host, tasks, templates

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

    def start_suggesting(self, values: Mapping[str, Any]) -> None:
        """Start a task whose result are :class:`Suggestions` of an initialization text.

        Parameters
        ----------
        values
            Of the Train tab: dataset, template and folders.

        Raises
        ------
        BadInput
            When no dataset is chosen, or with everything that is wrong with the values alone.
        Busy
            When the model is in use.
        """
        if not path_text(str(values.get("dataset") or "")):
            raise BadInput("Words are compared on your images: choose the Dataset directory in the Train tab first.")
        names = [name for name, *_ in described(SuggestConfig) if name in values]
        config = from_mapping(SuggestConfig, {name: values[name] for name in names}, source="the form")
        reach.check(self.host.folders, {"Dataset directory": config.dataset, "Log directory": config.log_directory})
        self.templates.check_path(config.template)

        def work(task: TaskContext) -> Suggestions:
            def listen(event: Event) -> None:
                if isinstance(event, Progress):
                    task.report_message(f"{event.stage} …")
                    task.report_progress(event.done, event.total)
                elif isinstance(event, LogMessage):
                    task.report_message(event.text)

            with naming_dataset_task(self.tasks):
                return initial_text.suggest(self.host, config, listen, task.control)

        self.tasks.start(SUGGESTION, f"Suggesting an initialization text for {as_path(config.dataset).name}", work)

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
