"""The comparison of two runs: their settings and results, their previews of equal prompts, and new images of both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lib_ti.background.kinds import COMPARISON
from lib_ti.background.model_use import naming_dataset_task
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.config import TrainConfig, described
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host, SessionOptions
from lib_ti.placeholders import without_name
from lib_ti.training.files import run_folder
from lib_ti.training.images.contact_sheet import compare_embeddings
from lib_ti.ui.results.contact_sheet import ContactSheet, read_prompts
from lib_ti.ui.results.state import Preview, RunResults
from lib_ti.wording import counted

_UNTOLD = ("name", "log_directory", "preview_seed")
"""Settings that differ without meaning."""


@dataclass(frozen=True)
class Side:
    """A run and the checkpoint of it that is compared."""

    run: RunResults
    checkpoint: str

    @property
    def step(self) -> int:
        """Steps after which the checkpoint was saved.

        Raises
        ------
        BadInput
            When the run has no such checkpoint.
        """
        found = self.run.checkpoint_steps().get(self.checkpoint)
        return self.embedding().step if found is None else found

    def embedding(self) -> Embedding:
        return self.run.checkpoint(self.checkpoint)

    @property
    def title(self) -> str:
        return f"{self.run.name} ({self.run.folder.path.parent.name}/{self.run.folder.path.name})"


def other_runs(log_directory: Path, names: Iterable[str], run: RunResults) -> dict[str, tuple[str, str]]:
    """Return name and folder of all runs but one, by what the list calls them."""
    found = [(name, folder.path) for name in names for folder in run_folder.find_runs(log_directory, name)]
    return {
        f"{name}: {path.parent.name}/{path.name}": (name, str(path)) for name, path in found if path != run.folder.path
    }


def best_checkpoint(run: RunResults) -> str:
    """Return the best checkpoint, else the last one.

    Raises
    ------
    BadInput
        When the run has none.
    """
    steps = run.checkpoint_steps()
    if not steps:
        raise BadInput(f"The run in {run.folder.path} has no checkpoints: choose another one.")
    return next((key for key in steps if not key.isdigit()), list(steps)[-1])


def differences(one: RunResults, other: RunResults) -> dict[str, tuple[str, str]]:
    """Return what two runs reached, and the settings that differ, by their names."""
    found = {name: (_reached(one)[name], _reached(other)[name]) for name in _reached(one)}
    settings = [run.settings_file().get("settings", {}) for run in (one, other)]
    contents = [run.settings_file() for run in (one, other)]
    pairs = [("Model", [content.get("model", {}).get("name") for content in contents])]
    pairs += [("Number of vectors per token", [content.get("vectors") for content in contents])]
    pairs += [
        (item.label, [values.get(name, default) for values in settings])
        for name, _, default, item in described(TrainConfig)
        if name not in _UNTOLD
    ]
    found |= {label: (_text(values[0]), _text(values[1])) for label, values in pairs if values[0] != values[1]}
    return found


def equal_previews(one: RunResults, other: RunResults, steps: tuple[int, int]) -> list[tuple[Preview, Preview]]:
    """Return pairs of previews of equal prompt, seed and size, of each run those nearest to its step."""
    theirs: dict[object, list[Preview]] = {}
    for preview in other.previews():
        theirs.setdefault(_request(preview, other.name), []).append(preview)
    own: dict[object, list[Preview]] = {}
    for preview in one.previews():
        own.setdefault(_request(preview, one.name), []).append(preview)
    return [(_near(own[key], steps[0]), _near(theirs[key], steps[1])) for key in own if key in theirs]


def start(tasks: BackgroundTasks, one: Side, other: Side, prompts: str, host: Host) -> None:
    """Start a task that generates the same prompts with both; its result is a :class:`ContactSheet`.

    Raises
    ------
    BadInput
        When there is no prompt, more prompts than fit a sheet, or no such checkpoint.
    Busy
        When a run or another task that uses the model is in progress.
    """
    lines, pair = read_prompts(prompts), (one.embedding(), other.embedding())
    seed = int(one.run.settings_file().get("preview_seed", 0)) % 2**31

    def work(task: TaskContext) -> ContactSheet:
        path = one.run.folder.new_image("comparison")
        headings = [f"{embedding.name}, step {embedding.step}" for embedding in pair]
        options = SessionOptions(report=task.report_message, stop=task.stop_requested)
        with naming_dataset_task(tasks), host.models.session(options) as model:
            task.report_message("")
            compare_embeddings(
                model,
                pair,
                headings,
                lines,
                path,
                seed=seed,
                progress=task.report_progress,
                stop=task.stop_requested,
            )
        sides = " and ".join(
            f"{side.title} at step {embedding.step}" for side, embedding in zip((one, other), pair, strict=True)
        )
        said = f"{counted(len(lines), 'prompt')}, the same seeds, with {sides}: {path}"
        return ContactSheet(path, one.run.folder.path, said)

    tasks.start(COMPARISON, f"Comparing {one.run.name} with {other.run.name}", work)


def _reached(run: RunResults) -> dict[str, str]:
    curves = run.curves()
    best, current = curves.best, curves.current
    share = current.removed(best[1]) if best and current else None
    return {
        "Best step": str(best[0]) if best else "–",
        "Validation loss there": f"{best[1]:.4f}" if best else "–",
        "Less error with the keyword": "–" if share is None else f"{share:.0%}",
    }


def _text(value: object) -> str:
    return "–" if value in (None, "") else str(value)


def _request(preview: Preview, name: str) -> tuple[object, ...]:
    """What a preview was generated from, but for the embedding."""
    parameters = dict(preview.parameters)
    prompt = without_name(str(parameters.pop("prompt", "")), name)
    negative = without_name(str(parameters.pop("negative_prompt", "")), name)
    return (prompt, negative, *sorted(parameters.items()))


def _near(previews: list[Preview], step: int) -> Preview:
    return min(previews, key=lambda one: abs(one.step - step))
