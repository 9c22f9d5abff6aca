"""The log of a run: what happened and when, one line each."""

from __future__ import annotations

import datetime
from pathlib import Path

from lib_ti.host.base import ModelHost
from lib_ti.signals import (
    Evaluated,
    Event,
    FileSkipped,
    Listener,
    LogMessage,
    PhaseFinished,
    PhaseStarted,
    PreviewFailed,
    PreviewMade,
    RunFinished,
    RunStarted,
    Saved,
)
from lib_ti.storage.atomic import append_text
from lib_ti.wording import counted, printable, quoted


class RunLogger:
    """Passes events of a run to the host and to a listener, and writes ``run.log`` as soon as there is one."""

    def __init__(self, host: ModelHost, listen: Listener) -> None:
        self._host, self._listen = host, listen
        self._path: Path | None = None
        self._waiting: list[str] = []

    def write_to(self, path: Path) -> None:
        """Write the log to ``path`` from now on, beginning with the events so far."""
        self._path = path
        append_text(path, "".join(self._waiting))

    def __call__(self, event: Event) -> None:
        line = describe_event(event)
        if line:
            now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
            entry = f"{now}  {printable(line)}\n"
            if self._path is None:
                self._waiting.append(entry)
            else:
                append_text(self._path, entry)
        self._host.watch(event)
        self._listen(event)


def describe_event(event: Event) -> str | None:
    """Return the event as one sentence for people, None for those of every step."""
    if isinstance(event, LogMessage):
        return f"Warning: {event.text}" if event.warning else event.text
    if isinstance(event, FileSkipped):
        return f"Skipped {event.name}: {event.reason}."
    if isinstance(event, RunStarted):
        how = f"resumes after step {event.first_step}" if event.resumed else f"begins at step {event.first_step}"
        validation = f" and {counted(event.validation_images, 'validation image')}" if event.validation_images else ""
        images = counted(event.images, "image")
        where = f"The run's folder is {event.folder.absolute()}."
        return f"Training of {event.name} {how}, to step {event.max_steps}, on {images}{validation}. {where}"
    if isinstance(event, Saved):
        return f"Saved after step {event.step}: {', '.join(path.name for path in event.paths)}"
    if isinstance(event, PreviewMade):
        return f"Preview after step {event.step}: {event.path.name} (seed {event.seed}, {quoted(event.prompt)})"
    if isinstance(event, PreviewFailed):
        which = f"Preview {event.number} of {event.total}" if event.total > 1 else "The preview"
        return f"{which} after step {event.step} could not be generated: {event.reason} Training continues."
    if isinstance(event, Evaluated):
        best = "the lowest so far"
        if event.best_step is not None and event.best_step != event.step:
            best = f"the lowest was {event.best_loss:.4f} at step {event.best_step}"
        said = f"Validation loss after step {event.step}: {event.loss:.4f} ({best})."
        return " ".join(filter(None, [said, event.headline and f"{event.headline}.", event.overtraining]))
    if isinstance(event, RunFinished):
        by = f" by {event.stopped_by}" if event.stopped_by else ""
        word = "finished" if event.reason == "done" else f"was stopped{by}"
        said = f"Training {word} after step {event.step}; the embedding is {event.embedding}."
        return f"{said} {event.remark}" if event.remark else said
    return _describe_phase(event)


def _describe_phase(event: Event) -> str | None:
    if isinstance(event, PhaseStarted):
        return f"{event.number} of {event.total}: {event.title} …"
    if isinstance(event, PhaseFinished):
        return "\n".join(f"  {sentence}" for sentence in event.sentences) or None
    return None
