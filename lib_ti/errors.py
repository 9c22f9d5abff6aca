"""The errors that a user sees: one clear sentence each, with what, which value, what to do.

Everything that can go wrong by a user's doing or by a file's state is raised as one of these; any other
exception is a defect of ours. ``exit_code`` is what the command line returns for it.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """A run that had begun cannot go on. What was reached until the last good step is saved."""


class ModelInUse(UserError):
    """The model is used by something else, and the caller did not want to wait for it."""


class Busy(UserError):
    """Something else is running, and only one can; nothing was begun."""


class Stopped(UserError):
    """Work ended before its time because the user asked for it; what was finished is kept."""

    exit_code = 130


class UnsafePickle(BadInput):
    """A pickle asks for something other than tensors and plain data; it was not run."""


def out_of_memory(error: Exception) -> bool:
    """Whether a device or the processor's memory was full; PyTorch has no one type for both."""
    said = str(error).lower()
    # The last one is of cuBLAS and cuDNN, which take memory of their own.
    signs = ("out of memory", "can't allocate memory", "status_alloc_failed")
    return isinstance(error, MemoryError) or any(sign in said for sign in signs)


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
    """Return what the system said, without numbers and names of functions."""
    return error.strerror or str(error) or type(error).__name__


def os_problem(error: OSError) -> str:
    """Return what the system refused, in a sentence; the file is named where the error knows it."""
    file = quoted(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else "A file"
    return f"{file} cannot be used: {reason(error)}. Check its path, its permissions and the free space of the disk."


def explain(error: Exception) -> tuple[str, ...]:
    """An unexpected exception for a person: what happened, where, and what to do where that is known."""
    if isinstance(error, OSError) and error.filename is not None:
        return (os_problem(error),)
    message = str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else "no message"
    place = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(place[-1].filename).name}, line {place[-1].lineno}, in {place[-1].name})" if place else ""
    said = f"{type(error).__name__}: {message}{where}."
    if out_of_memory(error):
        advice = (
            "The memory is full: choose a smaller Batch size or smaller Width and Height, switch Gradient "
            "checkpointing on, or close other programs that use the graphics card."
        )
        return (advice, said)
    return (f"An unexpected error ended it. {said}", "The whole traceback is in the console.")
