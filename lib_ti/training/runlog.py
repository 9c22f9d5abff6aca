"""The run's own log: what happened and when, one line each, for reading after the window is closed."""

from __future__ import annotations

import datetime
from pathlib import Path

from lib_ti.atomic import append_text
from lib_ti.signals import Evaluated, Event, Note, PreviewFailed, PreviewMade, RunFinished, RunStarted, Saved


class RunLog:
    """A listener that appends to ``run.log``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, event: Event) -> None:
        line = sentence(event)
        if line:
            now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
            append_text(self._path, f"{now}  {line}\n")


def sentence(event: Event) -> str | None:
    """The event in one line for a person, or nothing for those that come at every step."""
    if isinstance(event, Note):
        return f"Warning: {event.text}" if event.warning else event.text
    if isinstance(event, RunStarted):
        how = f"goes on after step {event.first_step}" if event.resumed else f"begins at step {event.first_step}"
        held_out = f", {event.held_out} more held out to measure with" if event.held_out else ""
        return f"Training of {event.name} {how}, to step {event.max_steps}, on {event.pictures} pictures{held_out}."
    if isinstance(event, Saved):
        return f"Saved after step {event.step}: {', '.join(path.name for path in event.paths)}"
    if isinstance(event, PreviewMade):
        return f"Preview after step {event.step}: {event.path.name} (seed {event.seed}, {event.prompt!r})"
    if isinstance(event, PreviewFailed):
        return f"The preview after step {event.step} could not be made: {event.reason} Training goes on."
    if isinstance(event, Evaluated):
        best = "the best so far" if event.best_step == event.step else f"the best was step {event.best_step}"
        worse = "; it is overtraining" if event.overtraining else ""
        return f"Measured loss after step {event.step}: {event.loss:.4f} ({best}){worse}."
    if isinstance(event, RunFinished):
        word = "finished" if event.reason == "done" else "stopped"
        return f"Training {word} after step {event.step}; the embedding is {event.embedding}."
    return None
