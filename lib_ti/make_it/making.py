"""What all phases of a Make it work with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lib_ti.config import MakeConfig
from lib_ti.errors import Busy, Stopped
from lib_ti.host.base import Host
from lib_ti.make_it.state import MakeState
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.signals import Control, Listener, LogMessage, Progress

Result = TypeVar("Result")
STOPPED = "Stopped; everything so far is kept. Press Make it (or give the same command) again to continue."
_WAIT_SECONDS = 0.5


@dataclass(frozen=True)
class Making:
    """A Make it in progress.

    Parameters
    ----------
    state
        What is done so far.
    """

    host: Host
    config: MakeConfig
    folder: PreparedFolder
    state: MakeState
    listen: Listener
    control: Control

    @property
    def source(self) -> Path:
        return Path(self.config.images)

    def progress(self, stage: str) -> Callable[[int, int], None]:
        """Return a function that reports progress of a stage."""
        return lambda done, total: self.listen(Progress(stage, done, total))

    def report(self, sentence: str) -> None:
        self.listen(LogMessage(sentence))

    def stop(self) -> bool:
        """Whether the user asked to stop.

        The host's own Interrupt is asked for by what uses the model: before that, it may be from an earlier job.
        """
        return self.control.stop_requested

    def check_stop(self) -> None:
        if self.stop():
            raise Stopped(STOPPED)

    def when_free(self, action: Callable[[], Result]) -> Result:
        """Return the result of an action that is refused while something else uses the model: wait until it is free.

        Raises
        ------
        Stopped
            When the user asked to stop meanwhile.
        """
        said = False
        while True:
            try:
                return action()
            except Busy as busy:
                if not said:
                    self.report(f"Waiting for the model: {busy}")
                said = True
            self.check_stop()
            time.sleep(_WAIT_SECONDS)


@dataclass(frozen=True)
class Outcome:
    """What came out of a phase: sentences for the user, and facts that later phases need."""

    sentences: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
