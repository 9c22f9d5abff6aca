"""Errors of a button's work as a message box."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from lib_ti.errors import Busy, describe_error
from lib_ti.ui.html.fragments import notice

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def attempt(action: Callable[[], Result]) -> tuple[Result | None, str]:
    """Return the result of ``action`` and an empty text; or None and a box that says what is wrong and what to do."""
    try:
        return action(), ""
    except Busy as busy:
        return None, notice("info", [str(busy)], task=busy.task)
    except Exception as error:
        report = describe_error(error)
        if report.unexpected:
            logger.exception("A button's action failed")
        return None, notice("error", report.sentences)
