"""A Make it continues after any end: a stop in each phase, a killed program, images added meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from torch import Tensor

from lib_ti.embedding import files, library
from lib_ti.errors import BadInput, Stopped
from lib_ti.make_it.pipeline import PHASES
from lib_ti.make_it.state import latest, read_state
from lib_ti.prep.edits import Edits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder, images_in
from lib_ti.signals import Control, Event, PhaseStarted, StepDone
from lib_ti.storage.lock import locked
from lib_ti.training.files.run_folder import find_runs
from tests.make_it.conftest import Workshop

ROOT = Path(__file__).parents[2]
NAMES = [phase.name for phase in PHASES]


def stopping_at(phase: str) -> Callable[[Event, Control], None]:
    def stop(event: Event, control: Control) -> None:
        if isinstance(event, PhaseStarted) and event.phase == phase:
            control.stop("a test")

    return stop


@pytest.mark.parametrize("phase", NAMES)
def test_a_stop_in_any_phase_keeps_what_is_done_and_the_next_call_continues(workshop: Workshop, phase: str) -> None:
    with pytest.raises(Stopped, match="again to continue"):
        workshop.make(stopping_at(phase), what="fog")
    state = read_state(workshop.prepared)
    assert state is not None and not state.finished
    assert latest(workshop.folder / "runs") == state
    done = workshop.make(what="fog")
    assert done.finished
    assert len(find_runs(workshop.folder / "runs", "my-style")) == 1
    assert len(library.find_all(workshop.host.folders.embeddings, "my-style")) == 1


def last_vectors(workshop: Workshop) -> Tensor:
    """The vectors after the last step, which may not be the best one."""
    (run,) = find_runs(workshop.folder / "runs", "my-style")
    step, path = run.checkpoints()[-1]
    assert step == 6
    return files.load(path).vectors["clip_l"]


def test_a_stopped_run_ends_as_one_without_a_stop(workshop: Workshop, tmp_path: Path) -> None:
    def stop(event: Event, control: Control) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            control.stop("a test")

    with pytest.raises(Stopped, match="stopped after step 3"):
        workshop.make(stop, what="fog")
    workshop.make(what="fog")
    assert [event.step for event in workshop.events if isinstance(event, StepDone)] == [4, 5, 6]
    whole = Workshop(tmp_path / "whole")
    whole.make(what="fog")
    first, second = (last_vectors(one) for one in (workshop, whole))
    assert first.equal(second)


def test_what_is_finished_is_not_trained_again(workshop: Workshop) -> None:
    before = workshop.make(what="fog")
    assert workshop.make(what="fog") == before
    assert not workshop.started()
    assert "was made already" in workshop.said("")


def test_a_run_that_had_ended_before_the_program_was_killed_is_not_trained_further(workshop: Workshop) -> None:
    with pytest.raises(Stopped):
        workshop.make(stopping_at("compare"), what="fog")
    path = workshop.prepared / "make_it.json"
    state = read_state(workshop.prepared)
    assert state is not None
    path.write_text(path.read_text().replace('"train":', '"trained-but-not-noted":'))
    workshop.make(what="fog")
    assert "train" in workshop.started()
    assert not any(isinstance(event, StepDone) for event in workshop.events)


def test_images_added_before_training_are_used_and_included_ones_stay(workshop: Workshop) -> None:
    with pytest.raises(Stopped):
        workshop.make(stopping_at("suggest"), what="fog")
    shutil.copy(ROOT / "docs" / "inspect.jpg", workshop.images / "new.jpg")
    update_edits(PreparedFolder(workshop.prepared, workshop.images), lambda _: Edits())
    workshop.make(what="fog")
    assert len(images_in(workshop.prepared)) == 11
    assert "stays as it was left" in workshop.said("inspect")


def test_uploads_that_are_gone_are_named(workshop: Workshop) -> None:
    target = workshop.host.folders.datasets / "my-style"
    with pytest.raises(BadInput, match=r"'gone.png' cannot be read .*choose the file again"):
        workshop.make(images=str(target), what="fog", incoming=(workshop.folder / "gone.png",))


def test_two_at_once_on_one_folder_are_refused(workshop: Workshop) -> None:
    with (
        locked(workshop.prepared / ".preparation" / "make_it.lock"),
        pytest.raises(BadInput, match="being worked on by another Make it"),
    ):
        workshop.make(what="fog")


def test_a_damaged_state_is_not_thrown_away(workshop: Workshop) -> None:
    workshop.prepared.mkdir()
    (workshop.prepared / "make_it.json").write_text("{")
    with pytest.raises(BadInput, match="make_it.json cannot be read"):
        workshop.make(what="fog")


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.make_it.conftest import Workshop
from lib_ti.signals import PhaseStarted, StepDone
folder, phase = Path(sys.argv[1]), sys.argv[2]
workshop = Workshop(folder)
def kill(event, control):
    at_step = isinstance(event, StepDone) and event.step == 2 and phase == "train"
    if at_step or (isinstance(event, PhaseStarted) and event.phase == phase != "train"):
        os.kill(os.getpid(), signal.SIGKILL)
workshop.make(kill, what="fog")
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.parametrize("phase", ["prepare", "create", "train"])
def test_a_killed_program_continues(tmp_path: Path, phase: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "work"), phase],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    workshop = Workshop(tmp_path / "work")
    assert workshop.make(what="fog").finished
    assert phase in workshop.started()
    assert len(find_runs(workshop.folder / "runs", "my-style")) == 1
