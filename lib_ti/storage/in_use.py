"""Notes of what a program works on: meanwhile no other may write there, and its refusal names the program."""

from __future__ import annotations

import datetime
import json
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lib_ti.errors import BadInput
from lib_ti.storage.lock import Held, holder, reserved

TRAINED = "trained"


@dataclass(frozen=True)
class Target:
    """Something that one program at a time may write: its lock file, and what it is called in sentences."""

    lock: Path
    title: str = field(compare=False)


@contextmanager
def held(target: Target, doing: str) -> Iterator[None]:
    """Keep everyone else from writing a target.

    Parameters
    ----------
    doing
        What is done to it, as a participle that completes "is being …": :data:`TRAINED`, "created".

    Raises
    ------
    BadInput
        At once, when someone else is at work on it: who, and since when.
    CannotWrite
        When the lock file cannot be created.
    """
    now = datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S")
    note = {"doing": doing, "since": now, "process": os.getpid(), "machine": socket.gethostname()}
    with ExitStack() as stack:
        try:
            stack.enter_context(reserved(target.lock, json.dumps(note)))
        except Held as error:
            raise BadInput(_sentence(target, error.note)) from error
        yield


def obstacle(target: Target) -> str | None:
    """Return the sentence that names who works on a target; None where nobody does. Nothing is written."""
    note = holder(target.lock)
    return None if note is None else _sentence(target, note)


def _sentence(target: Target, note: str) -> str:
    try:
        content = json.loads(note)
        doing, since, process, machine = (content[key] for key in ("doing", "since", "process", "machine"))
    except (ValueError, KeyError, TypeError):  # locked a moment ago, and not written yet
        return f"{target.title} is being written by another program: wait until that has ended."
    here = (process, machine) == (os.getpid(), socket.gethostname())
    who = "this program" if here else f"another program (process {process} on {machine})"
    advice = "wait until that run has ended, or interrupt it" if doing == TRAINED else "wait until that has ended"
    return f"{target.title} is being {doing} by {who} since {since}: {advice}."
