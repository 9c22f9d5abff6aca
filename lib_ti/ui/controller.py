"""What the tab's buttons do: from plain values to plain results. Knows the engine and no Gradio.

The engine is imported by what needs it and not by this module, since the WebUI's start waits for the tab to be built.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib_ti.background.model_use import using_model
from lib_ti.background.runs import Runs
from lib_ti.background.tasks import TASKS, BackgroundTasks
from lib_ti.config import TrainConfig, from_mapping
from lib_ti.errors import BadInput, Busy, describe_error
from lib_ti.host.base import Host
from lib_ti.paths import as_path, path_text
from lib_ti.ui import reach
from lib_ti.ui.create.actions import Creation
from lib_ti.ui.html.fragments import findings, notice
from lib_ti.ui.train.templates import Templates

if TYPE_CHECKING:
    from lib_ti.data.dataset import Dataset
    from lib_ti.ui.results.state import RunResults

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

TXT2IMG = {
    "prompt": "preview_prompt",
    "negative_prompt": "preview_negative",
    "steps": "preview_steps",
    "sampler": "preview_sampler",
    "scheduler": "preview_scheduler",
    "cfg_scale": "preview_cfg",
    "seed": "preview_seed",
    "width": "preview_width",
    "height": "preview_height",
}
"""Which setting of a run each field of the txt2img tab becomes."""


def attempt(action: Callable[[], Result]) -> tuple[Result | None, str]:
    """The result of ``action`` and no text, or nothing and a box that says what was wrong and what to do."""
    try:
        return action(), ""
    except Busy as busy:
        return None, notice("info", [str(busy)], task=busy.task)
    except Exception as error:
        report = describe_error(error)
        if report.unexpected:
            logger.exception("A button's work failed")
        return None, notice("error", report.sentences)


class Controller:
    """The work behind the tab, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks = TASKS) -> None:
        self.host, self.tasks, self.training = host, tasks, Runs(tasks)
        self.creation, self.templates = Creation(host, tasks), Templates(host.folders)

    def embeddings(self) -> list[str]:
        """Names in the embeddings folder."""
        from lib_ti.embedding import library

        return library.list_names(self.host.folders.embeddings)

    # Train

    def check(self, values: Mapping[str, Any]) -> str:
        """What is right and what is wrong with a run that has these values, as a list; nothing is begun."""
        from lib_ti.ui import preflight

        try:
            with using_model(self.tasks):
                found = preflight.check(self.host, self.train_config(values))
        except BadInput as error:
            found = [("error", problem) for problem in error.problems]
        return f'<div class="ti-check">{findings(found)}</div>'

    def start(
        self, values: Mapping[str, Any], txt2img: Mapping[str, Any] | None = None, *, new_data: bool = False
    ) -> str:
        """Begin a run in the background; with ``txt2img``, previews are generated with that tab's values.

        With ``new_data``, the user agreed to continue the embedding on another dataset.

        Returns what there is to say of it.

        Raises
        ------
        UserError
            With everything that is wrong with the values, or because a run is going on.
        """
        taken = {TXT2IMG[key]: value for key, value in (txt2img or {}).items() if value not in (None, "")}
        from lib_ti.ui.dataset.captions_editing import unsaved

        config = self.train_config({**values, **taken})
        self.training.start(self.host, config, new_data=new_data)
        said = unsaved(config.dataset)
        return notice("warning" if said else "info", [f"Training of {config.name} begins.", *filter(None, [said])])

    def train_config(self, values: Mapping[str, Any]) -> TrainConfig:
        """The settings of a run from the form's values.

        Raises
        ------
        BadInput
            With everything that is wrong with them by themselves.
        """
        config = from_mapping(TrainConfig, values, source="the form")
        reach.check(self.host.folders, {"Dataset directory": config.dataset, "Log directory": config.log_directory})
        self.templates.check_path(config.template)
        return config

    def log_directory(self, text: str) -> Path:
        """The folder of the runs; raises :class:`BadInput` where this page may not look there."""
        reach.check(self.host.folders, {"Log directory": text})
        return as_path(text, "Log directory")

    # Results

    def trained_names(self, log_directory: str) -> list[str]:
        """Embeddings that have runs there."""
        from lib_ti.ui.results import state as results

        return results.trained_names(self.log_directory(log_directory), self.embeddings())

    def runs(self, log_directory: str, name: str) -> list[str]:
        """Folders of an embedding's runs, the newest first."""
        from lib_ti.ui.results import state as results

        return results.list_runs(self.log_directory(log_directory), name)

    def run(self, log_directory: str, name: str, path: str) -> RunResults:
        """The run in the folder ``path``; the newest where there is no path, or that of another embedding's run.

        Raises
        ------
        BadInput
            When the embedding has none, or ``path`` is no run.
        """
        from lib_ti.training.rundir import is_run
        from lib_ti.ui.results.state import RunResults

        folder, there = self.log_directory(log_directory), self.runs(log_directory, name)
        newest = there and path not in there and (not path or is_run(folder, path))
        return RunResults(folder, name, there[0] if newest else path)

    def start_contact_sheet(self, run: RunResults, prompts: str) -> None:
        """Start a contact sheet of a run; see :func:`lib_ti.ui.results.contact_sheet.start`."""
        from lib_ti.ui.results import contact_sheet

        contact_sheet.start(self.tasks, run, self.host, prompts)

    # Dataset

    def scan(self, folder: str, values: Mapping[str, Any]) -> Dataset:
        """The pictures of a folder, as a run with these settings would take them.

        Raises
        ------
        BadInput
            When there is nothing to train on.
        """
        if not path_text(folder):
            raise BadInput("No folder is chosen: write the path of the folder with your pictures.")
        from lib_ti.data.dataset import Rules
        from lib_ti.data.scan import scan

        reach.check(self.host.folders, {"Dataset directory": folder})
        width, height = int(values.get("width") or 0), int(values.get("height") or 0)
        unknown = not (width and height)
        rules = Rules(
            width or 64,
            height or 64,
            # The model's own size is known only where it is loaded; then the pictures are shown in theirs.
            resize="keep" if unknown else values["resize"],
            use_alpha=bool(values["use_alpha"]),
            held_out=float(values["held_out"] or 0),
            seed=int(values["seed"] or 0),
            subfolders=bool(values["subfolders"]),
        )
        return scan(as_path(folder, "Dataset directory"), rules)
