"""What a page's script sends through a field: one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from lib_ti.errors import BadInput

Meant = TypeVar("Meant")


def read(text: str, what: str, meaning: Callable[[Any], Meant]) -> Meant:
    """What ``meaning`` makes of a message.

    Raises
    ------
    BadInput
        When it is nothing that a page of this program sends; ``what`` names it.
    """
    try:
        return meaning(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"The page sent {what} that cannot be understood; load the page again.") from error
