"""A finished or running run as its folder has it: previews, checkpoints, losses, settings. Knows no HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from lib_ti.config import TrainConfig, described
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.placeholders import with_name, without_name
from lib_ti.training.files import run_folder
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.tables import read_table
from lib_ti.training.images.curve import LossCurves
from lib_ti.training.images.run_curves import read_curves
from lib_ti.training.validation.history import read_history
from lib_ti.training.validation.verdict import Verdict, judge
from lib_ti.wording import quoted

_MOST_PROMPTS = 3
Item = TypeVar("Item")


@dataclass(frozen=True)
class Preview:
    """One preview of a run, and the parameters written into it."""

    step: int
    path: Path
    prompt: str
    seed: int


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
        """Previews in the order of their steps."""
        return [Preview(step, path, *_parameters(path)) for step, path in self.folder.previews()]

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

    def txt2img_values(self, step: float) -> dict[str, Any]:
        """Prompt, negative prompt and seed of the preview nearest to a step; without previews, the embedding's name."""
        previews = self.previews()
        settings = self.settings_file().get("settings", {})
        one = nearest(previews, step) if previews else Preview(0, Path(), self.name, -1)
        negative = with_name(str(settings.get("preview_negative", "")), self.name)
        return {"prompt": one.prompt or self.name, "negative_prompt": negative, "seed": one.seed}

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


def list_runs(log_directory: Path, name: str) -> list[str]:
    """Folders of an embedding's runs, the newest first."""
    return [str(run.path) for run in run_folder.find_runs(log_directory, name)] if name else []


def nearest(previews: Sequence[Preview], step: float) -> Preview:
    """Return the preview nearest to a step."""
    return min(previews, key=lambda one: abs(one.step - step))


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """Choose at most ``most`` items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _parameters(path: Path) -> tuple[str, int]:
    """Prompt and seed from an image's generation parameters."""
    try:
        with Image.open(path) as image:
            text = str(getattr(image, "text", {}).get("parameters", ""))
    except OSError:
        return "", 0
    prompt = text.partition("\nSteps: ")[0].partition("\nNegative prompt: ")[0]
    _, _, after = text.rpartition("Seed: ")
    seed = after.split(",")[0].strip()
    return prompt, int(seed) if seed.isdigit() else 0
