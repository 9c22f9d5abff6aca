"""The one error ladder: tasks, pages and the command line report the same exception in the same words."""

from __future__ import annotations

import pytest

from lib_ti.errors import BadInput, Busy, NeedsConsent, Stopped, TrainingFailed, UserError, describe_error


@pytest.mark.parametrize(
    ("error", "outcome", "exit_code", "unexpected"),
    [
        (Stopped("Stopped."), "stopped", 130, False),
        (KeyboardInterrupt(), "stopped", 130, False),
        (NeedsConsent("Continue?"), "asking", 2, False),
        (BadInput(["one.", "two."]), "failed", 2, False),
        (UserError("It failed."), "failed", 1, False),
        (TrainingFailed("It failed."), "failed", 1, False),
        (Busy("Something else is running."), "failed", 1, False),
        (BrokenPipeError(), "failed", 1, False),
        (OSError(28, "No space left on device"), "failed", 1, True),
        (ZeroDivisionError("division by zero"), "failed", 1, True),
    ],
)
def test_each_kind_of_error_has_one_outcome_and_exit_code(
    error: BaseException, outcome: str, exit_code: int, unexpected: bool
) -> None:
    report = describe_error(error)
    assert (report.outcome, report.exit_code, report.unexpected) == (outcome, exit_code, unexpected)


def test_each_problem_is_a_sentence_and_nothing_is_said_to_a_closed_pipe() -> None:
    assert describe_error(BadInput(["one.", "two."])).sentences == ("one.", "two.")
    assert describe_error(BrokenPipeError()).sentences == describe_error(KeyboardInterrupt()).sentences == ()


def test_full_disk_and_full_memory_are_explained_with_advice() -> None:
    (full,) = describe_error(OSError(28, "No space left on device")).sentences
    assert "No space left on device" in full
    assert "free space" in full
    advice, report = describe_error(RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")).sentences
    assert "smaller Batch size" in advice
    assert "CUDA out of memory" in report
