"""The snapshot of a Make it that pages show, built from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lib_ti.config import MakeConfig, to_mapping
from lib_ti.make_it.pipeline import PHASES
from lib_ti.make_it.state import MakeState
from lib_ti.signals import Event, LogMessage, PhaseFinished, PhaseStarted, Progress, RunStarted
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.snapshot import Snapshot, SnapshotBuilder

PhaseState = Literal["open", "active", "done"]
_TRAIN = "train"


@dataclass(frozen=True)
class PhaseSnapshot:
    """A phase of the list: what it does, how far it is, and what came out of it."""

    name: str
    title: str
    state: PhaseState = "open"
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class MakeSnapshot:
    """A Make it at one moment. ``stage``, ``done`` and ``total`` are the progress of the active phase.

    ``run`` is the run's snapshot once it has begun, ``facts`` what came out of the finished phases.
    """

    settings: Mapping[str, Any]
    phases: tuple[PhaseSnapshot, ...]
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    run: Snapshot | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keyword(self) -> str:
        return str(self.settings.get("keyword", ""))

    @property
    def finished(self) -> bool:
        return bool(self.facts.get("finished"))


def of_state(state: MakeState) -> MakeSnapshot:
    """Return the snapshot of a Make it that is not in progress, from the file that it left."""
    phases = (
        PhaseSnapshot(phase.name, phase.title, "done", tuple(state.done[phase.name]))
        if phase.name in state.done
        else PhaseSnapshot(phase.name, phase.title)
        for phase in PHASES
    )
    return MakeSnapshot(dict(state.settings), tuple(phases), facts=dict(state.facts))


class MakeSnapshotBuilder:
    """Builds the snapshot of one Make it from its events. Not thread-safe."""

    def __init__(self, config: MakeConfig) -> None:
        self._now = of_state(MakeState(to_mapping(config)))
        first = Snapshot(state="waiting", name=config.keyword, max_steps=config.max_steps)
        self._run = SnapshotBuilder(first)
        self._trains = False

    def snapshot(self) -> MakeSnapshot:
        return replace(self._now, run=self._run.snapshot()) if self._trains else self._now

    def add(self, event: Event) -> None:
        if isinstance(event, PhaseStarted):
            self._trains = self._trains or event.phase == _TRAIN
            self._change(event.phase, "active")
            self._now = replace(self._now, stage="", done=0, total=0, message="")
        elif isinstance(event, PhaseFinished):
            self._change(event.phase, "done", event.sentences)
        elif isinstance(event, Progress):
            self._now = replace(self._now, stage=event.stage, done=event.done, total=event.total, message="")
        elif isinstance(event, LogMessage) and not self._active(_TRAIN):
            self._now = replace(self._now, message=event.text)
        if self._active(_TRAIN) and not isinstance(event, PhaseStarted):
            self._run.add(event)
        if isinstance(event, RunStarted):
            # The Train tab fills in its fields from them.
            settings = RunFolder(event.folder, event.name).read_settings().get("settings", {})
            self._run.change(settings=settings)

    def finish(self, state: MakeState) -> None:
        """Take over what came out of all phases."""
        self._now = replace(self._now, facts=dict(state.facts), phases=of_state(state).phases)

    def _active(self, phase: str) -> bool:
        return any(one.name == phase and one.state == "active" for one in self._now.phases)

    def _change(self, phase: str, state: PhaseState, sentences: tuple[str, ...] = ()) -> None:
        phases = (
            replace(one, state=state, sentences=sentences) if one.name == phase else one for one in self._now.phases
        )
        self._now = replace(self._now, phases=tuple(phases))
