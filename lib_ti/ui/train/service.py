"""The work behind the sub-tab Train, from plain values to plain results. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_ti.background.model_use import using_model
from lib_ti.background.runs import Runs
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import TrainConfig, from_mapping, one_prompt
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.paths import as_path, path_text
from lib_ti.training.checks.findings import Finding, findings, worst_first
from lib_ti.ui import reach, recent_folders
from lib_ti.ui.html.fragments import notice
from lib_ti.ui.train import view
from lib_ti.ui.train.automatic_check import AutomaticChecks
from lib_ti.ui.train.templates import Templates

if TYPE_CHECKING:
    from lib_ti.data import folder as folders
    from lib_ti.training import check as checking
    from lib_ti.training import run_plan
    from lib_ti.ui.dataset.captions import state as captions_state
else:
    folders = lazy("lib_ti.data.folder")
    checking = lazy("lib_ti.training.check")
    run_plan = lazy("lib_ti.training.run_plan")
    captions_state = lazy("lib_ti.ui.dataset.captions.state")

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
"""The setting of a run that each field of the txt2img tab becomes."""


class TrainService:
    """Checks and starts runs, for one host."""

    def __init__(self, host: Host, tasks: BackgroundTasks, templates: Templates) -> None:
        self._host, self._tasks, self._templates = host, tasks, templates
        self._runs = Runs(tasks)
        self.automatic_checks = AutomaticChecks(tasks, self._survey)

    def check(self, values: Mapping[str, Any]) -> str:
        """List what is right and wrong with a run that has these values; nothing is started."""
        try:
            config = self.config(values)
            warning = captions_state.unsaved(config.dataset)
            with using_model(self._tasks):
                found = [*([Finding("warning", warning)] if warning else []), *checking.check_run(self._host, config)]
        except BadInput as error:
            found = [Finding("error", problem) for problem in error.problems]
        return view.checked(worst_first(found))

    def _survey(self, values: Mapping[str, Any], progress: Callable[[int, int], None]) -> list[Finding]:
        """Return what a check finds without the model; ``progress`` may raise to stop it."""
        try:
            config = self.config(values)
            warning = captions_state.unsaved(config.dataset)
            found = run_plan.survey_run(self._host, config, progress)
        except BadInput as error:
            return list(findings("error", error.problems))
        return worst_first([*findings("warning", [warning] if warning else []), *found])

    def images(self, folder: str, *, subfolders: bool) -> tuple[list[Path], tuple[str, ...]]:
        """Return the images of a folder, and sentences about what else it holds; nothing without a folder.

        Raises
        ------
        BadInput
            When the folder cannot be listed, or is outside the folders that the server allows.
        """
        if not path_text(folder):
            return [], ()
        reach.check(self._host.folders, {"Dataset directory": folder})
        path = as_path(folder, "Dataset directory")
        images = list(folders.list_images(path, subfolders=subfolders).values())
        return images, folders.list_files(path, subfolders=subfolders).remarks

    def start(
        self, values: Mapping[str, Any], txt2img: Mapping[str, Any] | None = None, *, new_data: bool = False
    ) -> str:
        """Start a run in the background, and return a message about it.

        Parameters
        ----------
        txt2img
            Values of the txt2img tab for the previews.
        new_data
            The user agreed to continue the embedding on another dataset.

        Raises
        ------
        UserError
            With everything that is wrong with the values, or because a run is in progress.
        """
        taken = {TXT2IMG[key]: value for key, value in (txt2img or {}).items() if value not in (None, "")}
        if "preview_prompt" in taken:
            taken["preview_prompt"] = one_prompt(taken["preview_prompt"])
        config = self.config({**values, **taken})
        self._runs.start(self._host, config, new_data=new_data)
        recent_folders.remember(self._host.folders, config.dataset)
        warning = captions_state.unsaved(config.dataset)
        sentences = [f"Training of {config.name} begins.", *filter(None, [warning])]
        return notice("warning" if warning else "info", sentences)

    def config(self, values: Mapping[str, Any]) -> TrainConfig:
        """Return the settings of a run from the form's values.

        Raises
        ------
        BadInput
            With everything that is wrong with the values alone.
        """
        config = from_mapping(TrainConfig, values, source="the form")
        named = {"Dataset directory": config.dataset, "Log directory": config.log_directory}
        reach.check(self._host.folders, named)
        self._templates.check_path(config.template)
        return config
