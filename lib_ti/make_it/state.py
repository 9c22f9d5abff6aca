"""How far a Make it has come: ``make_it.json`` in the prepared folder, from which it continues after any end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lib_ti.config import MakeConfig, to_mapping
from lib_ti.errors import BadInput
from lib_ti.storage import aside
from lib_ti.storage.atomic import write_text

FILE = "make_it.json"
_LATEST = ".make_it.json"
"""In the log directory: names the prepared folder of the last Make it, so that a new page finds it."""
_FORMAT = 1


@dataclass(frozen=True)
class MakeState:
    """What is done of a Make it.

    Parameters
    ----------
    settings
        Those of :class:`lib_ti.config.MakeConfig`.
    incoming
        Files that are brought in at the beginning; none where the images were in a folder.
    done
        Sentences on what came out of each finished phase, by its name.
    facts
        What later phases need of earlier ones, as plain values.
    """

    settings: Mapping[str, Any]
    incoming: tuple[str, ...] = ()
    done: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        return bool(self.facts.get("finished"))

    def with_phase(self, phase: str, sentences: tuple[str, ...], facts: Mapping[str, Any]) -> MakeState:
        return replace(self, done={**self.done, phase: sentences}, facts={**self.facts, **facts})

    def with_facts(self, **facts: Any) -> MakeState:
        return replace(self, facts={**self.facts, **facts})


def read_state(folder: Path) -> MakeState | None:
    """Return the state in a prepared folder; None where there is none.

    Raises
    ------
    BadInput
        When the file is damaged.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']!r}")
        return MakeState(
            dict(content["settings"]),
            tuple(map(str, content["incoming"])),
            {str(phase): tuple(map(str, sentences)) for phase, sentences in content["done"].items()},
            dict(content["facts"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} cannot be read ({error}): move it away to begin again.") from error


def write_state(folder: Path, state: MakeState) -> None:
    write_text(folder / FILE, json.dumps({"format": _FORMAT, **asdict(state)}, indent=1) + "\n")


def begin(folder: Path, config: MakeConfig, incoming: tuple[str, ...]) -> MakeState:
    """Return the state to continue from: that of the folder where it is of the same keyword, else a new one.

    The state of another keyword is kept under another name. Nothing is written besides.
    """
    settings, former = to_mapping(config), read_state(folder)
    if former and former.settings.get("keyword") == config.keyword:
        same = incoming == former.incoming
        done = former.done if same else {name: said for name, said in former.done.items() if name != "bring"}
        return replace(former, settings=settings, incoming=incoming, done=done)
    if former:
        aside.set_aside(folder / FILE)
    return MakeState(settings, incoming)


def note_latest(log_directory: Path, folder: Path) -> None:
    """Note the prepared folder of the Make it that was started last."""
    write_text(log_directory / _LATEST, json.dumps({"prepared": str(folder.absolute())}) + "\n")


def latest(log_directory: Path) -> MakeState | None:
    """Return the state of the Make it that was started last; None where there is none that can be read."""
    try:
        folder = json.loads((log_directory / _LATEST).read_text(encoding="utf-8"))["prepared"]
        return read_state(Path(str(folder)))
    except (OSError, ValueError, KeyError, TypeError, BadInput):
        return None
