"""What came of an embedding's trainings: their pictures, curves and recipes, and what can be done with their copies."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from lib_ti import in_use
from lib_ti.config import TrainConfig, described
from lib_ti.data.images import open_picture
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.placeholders import with_name, without_name
from lib_ti.training import rundir
from lib_ti.training.curve import Curve
from lib_ti.training.history import read_history, segments
from lib_ti.training.place import Placed, has_checkpoint, place
from lib_ti.training.preview import show_on_card
from lib_ti.training.rundir import RunFolder
from lib_ti.training.tables import read_losses, read_table
from lib_ti.training.verdict import Verdict, judge
from lib_ti.ui.html.chart import loss_curve
from lib_ti.ui.html.fragments import figure, folded, gallery, hint, notice, table
from lib_ti.wording import quoted

STRIP = 8
LARGE = 640


@dataclass(frozen=True)
class Preview:
    """One preview of a run and the parameters that are written into it."""

    step: int
    path: Path
    prompt: str
    seed: int


class Run:
    """One training run, as its folder has it.

    Parameters
    ----------
    log_directory, name, path
        ``path`` must be one of the embedding's run folders: it comes from a page and is not taken on trust.

    Raises
    ------
    BadInput
        When it is none of them (any more).
    """

    def __init__(self, log_directory: Path, name: str, path: str) -> None:
        runs = {str(run.path): run for run in rundir.find_runs(log_directory, name)}
        if path not in runs:
            raise BadInput(
                f"There is no training of {quoted(name)} in {quoted(path or log_directory)}; choose one from the list."
            )
        self.name = name
        self.folder: RunFolder = runs[path]

    def settings_file(self) -> dict[str, Any]:
        """The newest ``settings-*.json``; empty when it cannot be read."""
        for path in sorted(self.folder.path.glob("settings-*.json"), reverse=True):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(content, dict):
                return content
        return {}

    def copies(self) -> list[str]:
        """Checkpoints by their steps or marks, the best one first."""
        return list(self._copies())

    def copy_path(self, step: str) -> Path:
        """The file of a copy.

        Raises
        ------
        BadInput
            When there is no copy of that step.
        """
        found = self._copies()
        if str(step) not in found:
            raise BadInput(f"There is no copy of step {step or '(none)'}; there are {', '.join(found) or 'none'}.")
        return found[str(step)]

    def copy(self, step: str) -> Embedding:
        """The embedding after that step, under its own name."""
        return replace(files.load(self.copy_path(step)), name=self.name)

    def _copies(self) -> dict[str, Path]:
        return self.folder.best_copies() | {str(step): path for step, path in self.folder.copies()}

    def previews(self) -> list[Preview]:
        return [Preview(step, path, *_parameters(path)) for step, path in self.folder.previews()]

    # What a page shows

    def verdict(self) -> Verdict | None:
        """What the run's checks say of it."""
        return judge(read_history(self.folder.evaluations))

    def curve(self) -> str:
        """The run's loss curves, and what its checks say of it."""
        losses = Curve()
        for step, loss in read_losses(self.folder.losses):
            losses.add(step, loss)
        history = read_history(self.folder.evaluations)
        checks = [[(check.step, check.loss) for check in part] for part in segments(history)]
        verdict = self.verdict()
        if verdict is None:
            return loss_curve(losses.points(), checks)
        chart = loss_curve(losses.points(), checks, best=(verdict.best_step, verdict.best_loss))
        return chart + notice("info", [verdict.no_gain, verdict.overtraining])

    def recipe(self) -> str:
        """Model, pictures and those settings that are not the usual ones, then all the others folded away."""
        content = self.settings_file()
        settings, model = content.get("settings", {}), content.get("model", {})
        rows: dict[str, object] = {"Folder": self.folder.path}
        if model:
            rows["Model"] = f"{model.get('name')} [{model.get('hash')}]"
        if "pictures" in content:
            rows["Pictures"] = f"{len(content['pictures'])}, and {len(content.get('held_out', []))} held out"
        if "vectors" in content:
            rows["Number of vectors per token"] = content["vectors"]
        usual: dict[str, object] = {}
        for name, _, default, item in described(TrainConfig):
            if name in settings and name != "name":
                chosen = settings[name] != default
                (rows if chosen else usual)[item.label] = settings[name] if settings[name] != "" else "–"
        return table(rows) + (folded("Settings left as they come", table(usual)) if usual else "")

    def strip(self, previews: list[Preview]) -> str:
        """A few previews from the whole run, side by side."""
        chosen = evenly(previews, STRIP)
        return gallery([figure(one.path, _step_name(one.step), size=160) for one in chosen], "ti-strip")

    def picture(self, previews: list[Preview], step: float) -> str:
        """The preview nearest to a step, large, with its prompt."""
        if not previews:
            return hint("This run has no previews.")
        one = nearest(previews, step)
        detail = f"{one.prompt} (seed {one.seed})"
        return figure(one.path, _step_name(one.step), detail=detail, size=LARGE, classes="ti-large")

    def prompts(self) -> list[str]:
        """Different prompts of the previews, with ``[name]`` for the embedding."""
        found = dict.fromkeys(without_name(one.prompt, self.name) for one in self.previews() if one.prompt)
        return list(found)[:3] or ["a picture by [name]"]

    # What is done with a copy

    def use_copy(self, host: Host, step: str) -> Placed:
        """Make a copy the embedding of the embeddings folder, in its present format, with its picture.

        What it replaces is kept aside, unless a run of the embedding has a copy of it.

        Raises
        ------
        BadInput
            When there is no such copy, several files have the name, or the embedding is being trained.
        """
        embedding = self.copy(step)
        there = library.find_all(host.embeddings_folder, self.name)
        path = there[0] if len(there) == 1 else host.embeddings_folder / f"{self.name}.safetensors"
        if len(there) > 1:
            path = library.find(host.embeddings_folder, self.name)  # says which files are in each other's way
        with in_use.held(library.target(path), "replaced"):
            known = path.exists() and has_checkpoint(rundir.find_runs(self.folder.path.parents[1], self.name), path)
            placed = place(host, embedding, path, keep_replaced=not known)
            picture = self.folder.preview_near(embedding.step)
            kept = show_on_card(picture, path) if picture else None
        return replace(placed, replaced=(*placed.replaced, *([kept] if kept else [])))

    def export(self, step: str, suffix: str) -> Path:
        """The copy as a file of that kind, in a new temporary folder, called by the embedding's name."""
        embedding = self.copy(step)
        target = Path(tempfile.mkdtemp(prefix="textual-inversion-")) / f"{self.name}{suffix}"
        shown = self.folder.preview_near(embedding.step) if suffix == ".png" else None
        files.save(embedding, target, open_picture(shown).image if shown else None)
        return target

    def to_txt2img(self, step: float) -> dict[str, Any]:
        """Prompt, negative prompt and seed of the preview nearest to a step; without previews, the embedding's name."""
        previews = self.previews()
        settings = self.settings_file().get("settings", {})
        one = nearest(previews, step) if previews else Preview(0, Path(), self.name, -1)
        negative = with_name(str(settings.get("preview_negative", "")), self.name)
        return {"prompt": one.prompt or self.name, "negative_prompt": negative, "seed": one.seed}

    def more(self) -> dict[str, Any]:
        """Settings that train this run on: its own, and where it has reached its end, as many steps again.

        Raises
        ------
        BadInput
            When the run's settings cannot be read.
        """
        settings = dict(self.settings_file().get("settings", {}))
        if not settings:
            raise BadInput(f"The settings of {self.folder.path} cannot be read; choose them anew in the Train tab.")
        known = {name for name, _, _, _ in described(TrainConfig)}
        last = max((int(row["step"]) for row in read_table(self.folder.losses)), default=0)
        if last >= int(settings.get("max_steps", 0)):
            settings["max_steps"] = 2 * last
        return {name: value for name, value in settings.items() if name in known} | {"name": self.name}


def trained_names(log_directory: Path, known: list[str]) -> list[str]:
    """Of the embeddings that are ``known``, those that have runs there."""
    return [name for name in known if rundir.find_runs(log_directory, name)]


def list_runs(log_directory: Path, name: str) -> list[str]:
    """Folders of an embedding's runs, the newest first."""
    return [str(run.path) for run in rundir.find_runs(log_directory, name)] if name else []


def nearest(previews: list[Preview], step: float) -> Preview:
    return min(previews, key=lambda one: abs(one.step - step))


def _parameters(path: Path) -> tuple[str, int]:
    """Prompt and seed from the picture's own generation parameters."""
    try:
        with Image.open(path) as picture:
            text = str(getattr(picture, "text", {}).get("parameters", ""))
    except OSError:
        return "", 0
    prompt = text.partition("\nSteps: ")[0].partition("\nNegative prompt: ")[0]
    _, _, after = text.rpartition("Seed: ")
    seed = after.split(",")[0].strip()
    return prompt, int(seed) if seed.isdigit() else 0


def evenly(items: list[Any], most: int) -> list[Any]:
    """At most that many, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _step_name(step: int) -> str:
    return "before training" if step == 0 else f"step {step}"
