"""Messages that a page's script sends through a field: one JSON object each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from lib_ti.errors import BadInput

Parsed = TypeVar("Parsed")


def read(text: str, what: str, parse: Callable[[Any], Parsed]) -> Parsed:
    """Parse a message.

    Raises
    ------
    BadInput
        When it is not a message of this program's pages; ``what`` names its content.
    """
    try:
        return parse(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"The page sent {what} that cannot be read; reload the page.") from error
