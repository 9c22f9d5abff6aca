"""The phases of a Make it in their order, and how it begins, continues and ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lib_ti.config import MakeConfig, problems
from lib_ti.embedding import library
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.make_it import comparison, embedding, images, training
from lib_ti.make_it.making import STOPPED, Making, Outcome
from lib_ti.make_it.state import MakeState, begin, note_latest, read_state, write_state
from lib_ti.paths import folder_problem
from lib_ti.prep.folder_checks import folder_problems
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.signals import Control, Listener, PhaseFinished, PhaseStarted
from lib_ti.storage.lock import locked

SUFFIX = "-prepared"
"""End of a prepared folder's name, where none is given."""


@dataclass(frozen=True)
class Phase:
    """A phase; ``again`` says that it is done again as long as training has not begun, since images may be added."""

    name: str
    title: str
    run: Callable[[Making], Outcome]
    again: bool = False


PHASES = (
    Phase("bring", "Bring images in", images.bring),
    Phase("inspect", "Inspect images, exclude unusable ones", images.inspect, again=True),
    Phase("prepare", "Crop and scale images", images.prepare, again=True),
    Phase("caption", "Caption images", images.caption, again=True),
    Phase("suggest", "Choose a word to start from", embedding.choose_text),
    Phase("create", "Create the embedding", embedding.create_embedding),
    Phase("check", "Check the run", training.check),
    Phase("train", "Train, and restore the best step", training.run),
    Phase("compare", "Compare before and after", comparison.compare),
)


def make_it(
    host: Host, config: MakeConfig, listen: Listener, control: Control, *, incoming: Sequence[Path] = ()
) -> MakeState:
    """Make a keyword of a folder of images; continue where an earlier call for this keyword and folder ended.

    Parameters
    ----------
    incoming
        Files to bring into the folder of images first, see :func:`lib_ti.prep.incoming.bring_in.bring_in`.

    Returns
    -------
    MakeState
        With the facts of all phases, such as the run's folder and the verdict.

    Raises
    ------
    BadInput
        When a setting, a folder, the keyword, the images or the run cannot be used; what is done is kept.
    Stopped
        When the user asked to stop; the next call continues.
    """
    folder = PreparedFolder(prepared_folder(config), Path(config.images))
    former = read_state(folder.path)
    given = _incoming(config, former, incoming)
    _check(host, config, folder.path, former, given)
    busy = f"{folder.path} is being worked on by another Make it: wait until that has ended, or interrupt it."
    with locked(folder.inner / "make_it.lock", busy=busy):
        state = begin(folder.path, config, given)
        making = Making(host, config, folder, state, listen, control)
        if state.finished and library.find_all(host.folders.embeddings, config.keyword):
            listen(PhaseFinished("", (f"{config.keyword} was made already: train it further in Train.",)))
            return state
        write_state(folder.path, state)
        note_latest(Path(config.log_directory), folder.path)
        for number, phase in enumerate(PHASES, 1):
            making = _after(making, phase, number)
        finished = making.state.with_facts(finished=True)
        write_state(folder.path, finished)
    return finished


def prepared_folder(config: MakeConfig) -> Path:
    """Return the folder for the cropped images."""
    source = Path(config.images)
    return Path(config.output) if config.output else source.absolute().with_name(f"{source.absolute().name}{SUFFIX}")


def _incoming(config: MakeConfig, former: MakeState | None, incoming: Sequence[Path]) -> tuple[str, ...]:
    """Return the files to bring in: the given ones, else those of the call that is continued.

    Raises
    ------
    BadInput
        When other files are given than those that training has begun with.
    """
    given = tuple(str(path.absolute()) for path in incoming)
    if former is None or former.settings.get("keyword") != config.keyword:
        return given
    if given and given != former.incoming and "check" in former.done:
        raise BadInput(
            f"Training of {config.keyword} has begun with the images in {former.settings.get('images')}: continue "
            "without new files, or choose another keyword."
        )
    return given or former.incoming


def _check(host: Host, config: MakeConfig, output: Path, former: MakeState | None, incoming: Sequence[str]) -> None:
    """Raise :class:`BadInput` with all that is wrong with settings, keyword and folders; nothing is written."""
    found = problems(config)
    if config.keyword.strip():
        try:
            embedding.check_keyword(host, config.keyword, former)
        except BadInput as error:
            found += error.problems
    if config.images.strip():
        if not incoming and (wrong := folder_problem(Path(config.images))):
            found.append(f"Folder with your images {wrong}")
        found += folder_problems(Path(config.images), output)
    if found:
        raise BadInput(found)


def _after(making: Making, phase: Phase, number: int) -> Making:
    """Carry out a phase unless it is done, and return what the next one works with."""
    making.check_stop()
    if _is_done(making, phase):
        making.listen(PhaseFinished(phase.name, tuple(making.state.done[phase.name])))
        return making
    making.listen(PhaseStarted(phase.name, phase.title, number, len(PHASES)))
    try:
        outcome = phase.run(making)
    except Stopped as stopped:
        raise Stopped(str(stopped) if STOPPED in str(stopped) else f"{phase.title}: stopped. {STOPPED}") from stopped
    state = making.state.with_phase(phase.name, outcome.sentences, outcome.facts)
    write_state(making.folder.path, state)
    making.listen(PhaseFinished(phase.name, outcome.sentences))
    return replace(making, state=state)


def _is_done(making: Making, phase: Phase) -> bool:
    done = making.state.done
    if phase.name not in done or (phase.again and "check" not in done):
        return False
    exists = phase.name != "create" or library.find_all(making.host.folders.embeddings, making.config.keyword)
    return bool(exists)
