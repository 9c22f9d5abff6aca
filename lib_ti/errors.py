"""The errors that a user sees: one clear sentence each, with what, which value, what to do.

Everything that can go wrong by a user's doing or by a file's state is raised as one of these; any other
exception is a defect of ours. ``exit_code`` is what the command line returns for it.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_ti.wording import quoted


class UserError(Exception):
    """Base of all errors whose text is meant for the user.

    The text is a full sentence that names the thing, the value it has and what to do about it.
    """

    exit_code = 1


class BadInput(UserError):
    """Something that was given cannot be used; nothing was begun and nothing was written.

    Parameters
    ----------
    problems
        One sentence, or several: all problems of a configuration are reported together.
    """

    exit_code = 2

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        if not self.problems:
            raise ValueError("BadInput needs at least one problem")
        super().__init__("\n".join(self.problems))


class NeedsConsent(BadInput):
    """Something that can be done, but only when the user asks for it; the text says what happens then."""


class TrainingFailed(UserError):
    """A run that had begun cannot continue. Its state at the last good step is saved."""


class Busy(UserError):
    """Something else is running or has the model; nothing was begun, and the same can be tried again after it.

    Parameters
    ----------
    task
        Number of the background task that is in the way, see :mod:`lib_ti.background.tasks`; 0 for something else.
    """

    def __init__(self, sentence: str, task: int = 0) -> None:
        super().__init__(sentence)
        self.task = task


class Stopped(UserError):
    """Work ended before its time because the user asked for it; what was finished is kept."""

    exit_code = 130


class UnsafePickle(BadInput):
    """A pickle asks for something other than tensors and plain data; it was not run."""


def out_of_memory(error: BaseException) -> bool:
    """Whether a device or the processor's memory was full; PyTorch has no one type for both."""
    report = str(error).lower()
    # The last one is of cuBLAS and cuDNN, which take memory of their own.
    signs = ("out of memory", "can't allocate memory", "status_alloc_failed")
    return isinstance(error, MemoryError) or any(sign in report for sign in signs)


@contextmanager
def said_when_memory_is_full(sentence: str) -> Iterator[None]:
    """Turn the error of a full memory into a :class:`UserError` that says what to do about it."""
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise UserError(sentence) from error


def reason(error: OSError) -> str:
    """Return the system's message, without numbers and names of functions."""
    return error.strerror or str(error) or type(error).__name__


def os_problem(error: OSError) -> str:
    """Return what the system refused, in a sentence; the file is named where the error knows it."""
    file = quoted(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else "A file"
    return f"{file} cannot be used: {reason(error)}. Check its path, its permissions and the free space of the disk."


@dataclass(frozen=True)
class ErrorReport:
    """How an exception is reported to the user, whoever reports it.

    ``sentences`` may be empty where there is nothing to say. ``unexpected`` is true for a defect, whose traceback
    helps.
    """

    outcome: Literal["stopped", "asking", "failed"]
    sentences: tuple[str, ...]
    exit_code: int
    unexpected: bool = False


def describe_error(error: BaseException) -> ErrorReport:
    """Return how an exception is reported; the one place that tells the kinds of errors apart.

    Background tasks take the outcome from it, pages the sentences, the command line the exit code.
    """
    if isinstance(error, Stopped):
        return ErrorReport("stopped", (str(error),), error.exit_code)
    if isinstance(error, BadInput):
        return ErrorReport("asking" if isinstance(error, NeedsConsent) else "failed", error.problems, error.exit_code)
    if isinstance(error, UserError):
        return ErrorReport("failed", (str(error),), error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return ErrorReport("stopped", (), Stopped.exit_code)
    if isinstance(error, BrokenPipeError):  # nobody reads what is reported
        return ErrorReport("failed", (), UserError.exit_code)
    sentences = (os_problem(error),) if isinstance(error, OSError) else explain(error)
    return ErrorReport("failed", sentences, UserError.exit_code, unexpected=True)


def explain(error: BaseException) -> tuple[str, ...]:
    """An unexpected exception for a person: what happened, where, and what to do where that is known."""
    message = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no message"
    place = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(place[-1].filename).name}, line {place[-1].lineno}, in {place[-1].name})" if place else ""
    report = f"{type(error).__name__}: {message}{where}."
    if out_of_memory(error):
        advice = (
            "The memory is full: choose a smaller Batch size or smaller Width and Height, set Gradient "
            "checkpointing to auto, or close other programs that use the graphics card."
        )
        return (advice, report)
    return (f"An unexpected error ended it. {report}", "The whole traceback is in the console.")
