"""A finished or running run as its folder has it: previews, checkpoints, losses, settings. Knows no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from lib_ti.config import TrainConfig, described
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.placeholders import without_name
from lib_ti.training.files import run_folder
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.tables import read_table
from lib_ti.training.images.curve import LossCurves
from lib_ti.training.images.run_curves import read_curves
from lib_ti.training.validation.history import read_history
from lib_ti.training.validation.verdict import Verdict, judge
from lib_ti.ui.results.parameters import read_parameters
from lib_ti.wording import quoted

_MOST_PROMPTS = 3
Item = TypeVar("Item")


@dataclass(frozen=True)
class Preview:
    """One preview of a run, of prompt ``number`` from 1, and the parameters written into it."""

    step: int
    path: Path
    number: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """As :func:`lib_ti.ui.results.parameters.read_parameters` returns them."""

    @property
    def prompt(self) -> str:
        return str(self.parameters.get("prompt", ""))

    @property
    def seed(self) -> int:
        return int(self.parameters.get("seed", 0))


class RunResults:
    """Results of one run of an embedding.

    Parameters
    ----------
    log_directory, name, path
        ``path`` must be one of the embedding's run folders: it comes from a page and is not trusted.

    Raises
    ------
    BadInput
        When it is none of them, or no longer.
    """

    def __init__(self, log_directory: Path, name: str, path: str) -> None:
        runs = {str(run.path): run for run in run_folder.find_runs(log_directory, name)}
        if path not in runs:
            raise BadInput(
                f"There is no run of {quoted(name)} in {quoted(path or log_directory)}: choose one from the list."
            )
        self.name = name
        self.folder: RunFolder = runs[path]

    def settings_file(self) -> dict[str, Any]:
        """Return the newest ``settings-*.json``; empty when it cannot be read."""
        return self.folder.read_settings()

    def checkpoints(self) -> dict[str, Path]:
        """Checkpoint files by step or mark ("best"), the best one first."""
        return self.folder.best_checkpoints() | {str(step): path for step, path in self.folder.checkpoints()}

    def checkpoint_steps(self) -> dict[str, int]:
        """Steps of the checkpoints by their entry in the list, the best one first; without unreadable files."""
        found = {}
        for key, path in self.checkpoints().items():
            try:
                found[key] = int(key) if key.isdigit() else files.load(path).step
            except BadInput:
                continue
        return found

    def checkpoint(self, step: str) -> Embedding:
        """Load the embedding of that step, under its own name.

        Raises
        ------
        BadInput
            When there is no checkpoint of that step.
        """
        found = self.checkpoints()
        if str(step) not in found:
            there = ", ".join(found) or "none"
            raise BadInput(f"There is no checkpoint of step {step or '(none)'}. The run has: {there}.")
        return replace(files.load(found[str(step)]), name=self.name)

    def previews(self) -> list[Preview]:
        """Previews in the order of their steps; those of one step in that of the prompts."""
        return [
            Preview(step, path, number, read_parameters(path))
            for step, there in self.folder.preview_grid().items()
            for number, path in there.items()
        ]

    def curves(self) -> LossCurves:
        """Training and validation losses, and those of the embedding's other runs."""
        return read_curves(self.folder)

    def verdict(self) -> Verdict | None:
        """Verdict of the run's validation losses; None without any."""
        return judge(read_history(self.folder.evaluations))

    def prompts(self) -> list[str]:
        """Up to three different prompts of the previews, with ``[name]`` for the embedding."""
        found = dict.fromkeys(without_name(one.prompt, self.name) for one in self.previews() if one.prompt)
        return list(found)[:_MOST_PROMPTS] or ["a picture by [name]"]

    def settings_to_continue(self) -> dict[str, Any]:
        """Settings that continue this run: its own, with Max steps doubled where the run has reached it.

        Raises
        ------
        BadInput
            When the run's settings cannot be read.
        """
        settings = dict(self.settings_file().get("settings", {}))
        if not settings:
            raise BadInput(f"The settings of {self.folder.path} cannot be read: enter them in the Train tab.")
        known = {name for name, _, _, _ in described(TrainConfig)}
        last = max((int(row["step"]) for row in read_table(self.folder.losses)), default=0)
        if last >= int(settings.get("max_steps", 0)):
            settings["max_steps"] = 2 * last
        return {name: value for name, value in settings.items() if name in known} | {"name": self.name}


def trained_names(log_directory: Path, known: Sequence[str]) -> list[str]:
    """Names among ``known`` that have runs in the log directory."""
    return [name for name in known if run_folder.find_runs(log_directory, name)]


def last_trained(log_directory: Path, names: Sequence[str]) -> str:
    """Return the name whose run was saved last; empty without names."""
    saved = {name: run_folder.find_runs(log_directory, name)[0].state.stat().st_mtime for name in names}
    return max(names, key=saved.__getitem__, default="")


def list_runs(log_directory: Path, name: str) -> list[str]:
    """Folders of an embedding's runs, the newest first."""
    return [str(run.path) for run in run_folder.find_runs(log_directory, name)] if name else []


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Choose at most ``most`` items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
