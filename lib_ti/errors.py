"""The errors that a user sees: one clear sentence each, with what, which value, what to do.

Everything that can go wrong by a user's doing or by a file's state is raised as one of these; any other
exception is a defect of ours. ``exit_code`` is what the command line returns for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


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


class TrainingFailed(UserError):
    """A run that had begun cannot go on. What was reached until the last good step is saved."""


class Stopped(UserError):
    """Work ended before its time because the user asked for it; what was finished is kept."""

    exit_code = 130


class UnsafePickle(BadInput):
    """A pickle asks for something other than tensors and plain data; it was not run."""


def out_of_memory(error: Exception) -> bool:
    """Whether a device or the processor's memory was full; PyTorch has no one type for both."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in said or "can't allocate memory" in said


@contextmanager
def said_when_memory_is_full(sentence: str) -> Iterator[None]:
    """Turn the error of a full memory into a :class:`UserError` that says what to do about it."""
    try:
        yield
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise UserError(sentence) from error
