"""The run folder, laid out as the WebUI's Train tab does (its textual_inversion.py), and the names of what is in it."""

from __future__ import annotations

import datetime
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_ti.errors import BadInput
from lib_ti.storage.atomic import write_bytes
from lib_ti.storage.in_use import Target, obstacle
from lib_ti.training.files.run_state import RunState, load_state

BEST = "best"
"""In the name of the checkpoint with the lowest validation loss, in place of its step."""


@dataclass(frozen=True)
class RunFolder:
    """``<log directory>/<YYYY-MM-DD>/<name>/``; a second run of the day under that name has ``-2`` appended."""

    path: Path
    name: str

    @property
    def state(self) -> Path:
        return self.path / "state.safetensors"

    @property
    def target(self) -> Target:
        """Return what to lock during the run; it is beside the folder, which may not exist yet."""
        return Target(self.path.with_name(f".{self.path.name}.lock"), f"The run in {self.path}")

    @property
    def losses(self) -> Path:
        return self.path / "textual_inversion_loss.csv"

    @property
    def evaluations(self) -> Path:
        return self.path / "evaluation.csv"

    @property
    def log(self) -> Path:
        return self.path / "run.log"

    @property
    def loss_plot(self) -> Path:
        return self.path / "loss.png"

    def new_image(self, stem: str) -> Path:
        """Return a file that does not exist yet: ``contact-sheet.png``, ``contact-sheet-2.png`` and so on."""
        names = (f"{stem}.png", *(f"{stem}-{number}.png" for number in range(2, 10_000)))
        return next(path for name in names if not (path := self.path / name).exists())

    def preview(self, step: int, prompt: int = 1) -> Path:
        """Return the file of a step's preview of that prompt: ``name-50.png``, then ``name-50-prompt-2.png``."""
        other = f"-prompt-{prompt}" if prompt > 1 else ""
        return self.path / "images" / f"{self.name}-{step}{other}.png"

    def checkpoint(self, step: int | str, suffix: str) -> Path:
        """Return the file of the checkpoint after ``step`` steps; :data:`BEST` for the best one."""
        return self.path / "embeddings" / f"{self.name}-{step}{suffix}"

    def card(self, step: int) -> Path:
        return self.path / "image_embeddings" / f"{self.name}-{step}.png"

    def checkpoints(self) -> list[tuple[int, Path]]:
        """Return numbered checkpoints with their steps, earliest first."""
        return _numbered(self.path / "embeddings", self.name)

    def best_checkpoints(self) -> dict[str, Path]:
        """Return ``best`` of the current data, then ``best-until-800`` and the like of former data, newest first."""
        found: dict[int, Path] = {}
        # Where the file format was changed, the newer file is the right one.
        for path in sorted((self.path / "embeddings").glob("*"), key=lambda path: path.stat().st_mtime):
            match = re.fullmatch(rf"{re.escape(self.name)}-{BEST}(?:-until-(\d+))?", path.stem)
            if match:
                found[int(match[1] or sys.maxsize)] = path
        return {found[key].stem[len(self.name) + 1 :]: found[key] for key in sorted(found, reverse=True)}

    def previews(self) -> list[tuple[int, Path]]:
        """Return the previews of the first prompt with their steps, earliest first."""
        return _numbered(self.path / "images", self.name)

    def preview_grid(self) -> dict[int, dict[int, Path]]:
        """Return all previews by step, earliest first, and for each step by the number of the prompt, from 1."""
        pattern = re.compile(rf"{re.escape(self.name)}-(\d+)(?:-prompt-(\d+))?")
        grid: dict[int, dict[int, Path]] = {}
        for path in (self.path / "images").glob("*.png"):
            if match := pattern.fullmatch(path.stem):
                grid.setdefault(int(match[1]), {})[int(match[2] or 1)] = path
        return {step: dict(sorted(grid[step].items())) for step in sorted(grid)}

    def preview_near(self, step: int) -> Path | None:
        """Return the preview nearest to a step; that of step 0 only where there is no other."""
        found = self.previews()
        trained = [item for item in found if item[0]] or found
        return min(trained, key=lambda item: abs(item[0] - step))[1] if trained else None

    def write_settings(self, content: Mapping[str, Any]) -> Path:
        """Write ``settings-<time>.json`` beside the earlier ones; it can be given to ``--config``."""
        now = datetime.datetime.now().strftime("%Y-%m-%d-%H-%M-%S")
        path = self.path / f"settings-{now}.json"
        # A byte of a path that is not UTF-8 becomes the escape that JSON has for it, and is read back as it was.
        write_bytes(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))
        return path

    def read_settings(self) -> dict[str, Any]:
        """Return the newest ``settings-*.json``; empty when none can be read."""
        for path in sorted(self.path.glob("settings-*.json"), reverse=True):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if isinstance(content, dict):
                return content
        return {}


def new_run(log_directory: Path, name: str, today: datetime.date, *, unfinished: Sequence[RunFolder] = ()) -> RunFolder:
    """Return a folder for a run that begins today, perhaps in the place of an ``unfinished`` one; creates nothing."""
    day = log_directory / today.isoformat()
    path = day / name
    number = 2
    free = [run.path for run in unfinished]
    while path.exists() and path not in free:
        path = day / f"{name}-{number}"
        number += 1
    return RunFolder(path, name)


def unfinished_runs(log_directory: Path, name: str, step: int) -> list[RunFolder]:
    """Return folders of runs of that name that ended, or were killed, before they saved anything.

    They have a log and no state. A checkpoint of a later step than ``step``, or of the best one, is something to keep,
    and a run that is in progress is not among them.
    """
    logs = log_directory.glob("????-??-??/*/run.log")
    pattern = _named(name)
    runs = [RunFolder(log.parent, name) for log in logs if pattern.fullmatch(log.parent.name)]
    return [
        run
        for run in runs
        if not (run.state.exists() or run.best_checkpoints() or any(at > step for at, _ in run.checkpoints()))
        and not obstacle(run.target)
    ]


def find_runs(log_directory: Path, name: str) -> list[RunFolder]:
    """Return folders of runs of that name that have a state, the newest first."""
    pattern = _named(name)
    found = [state for state in _states(log_directory) if pattern.fullmatch(state.parent.name) and state.is_file()]
    found.sort(key=lambda state: state.stat().st_mtime, reverse=True)
    return [run for run in (RunFolder(state.parent, name) for state in found) if not _is_of_another(run)]


def is_run(log_directory: Path, path: str) -> bool:
    """Return whether the folder ``path`` is that of a run, whatever its name."""
    return path in map(str, (state.parent for state in _states(log_directory)))


def _named(name: str) -> re.Pattern[str]:
    """Return the pattern of a run folder's own name."""
    return re.compile(re.escape(name) + r"(-\d+)?")


def _is_of_another(run: RunFolder) -> bool:
    """Return whether ``style-2`` is the first run of an embedding of that name rather than the second of ``style``."""
    settings = run.read_settings().get("settings") or {}
    named = str(settings.get("name") or run.name)
    return named != run.name and _named(named).fullmatch(run.path.name) is not None


def _states(log_directory: Path) -> Iterator[Path]:
    return log_directory.glob("????-??-??/*/state.safetensors")


def find_run(log_directory: Path, name: str, run: str) -> tuple[RunFolder, RunState] | None:
    """Return folder and state of the run with that identity, whatever its day; None where there is none."""
    for folder in find_runs(log_directory, name):
        try:
            state = load_state(folder.state)
        except BadInput:
            continue
        if state.identity.run == run:
            return folder, state
    return None


def _numbered(folder: Path, name: str) -> list[tuple[int, Path]]:
    pattern = re.compile(re.escape(name) + r"-(\d+)")
    found = []
    for path in folder.glob("*") if folder.is_dir() else ():
        match = pattern.fullmatch(path.stem)
        if match:
            found.append((int(match[1]), path))
    return sorted(found)
