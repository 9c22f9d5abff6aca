"""Messages of the step Masks about painted masks; :mod:`lib_ti.ui.dataset.painting.view` shows the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_ti.ui.html.fragments import answer, hint, notice

if TYPE_CHECKING:
    from lib_ti.ui.dataset.masks.state import SavedMask


def saved(mask: SavedMask, number: str = "", key: str = "") -> str:
    """The answer to a page whose mask is saved: its message's ``number``, and the ``key`` of the image."""
    message = notice("warning", [mask.message]) if mask.warning else hint(mask.message)
    return answer(number, message, key=key, note=mask.note, mask=mask.mask)


def not_saved(number: str, problem: str) -> str:
    return answer(number, problem, failed=True)
