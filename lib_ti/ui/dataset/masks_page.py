"""What the step Masks says of a mask that was painted. The picture itself is shown by :mod:`paint_page`."""

from __future__ import annotations

from lib_ti.ui.dataset.masks_work import Kept
from lib_ti.ui.html.fragments import answer, hint, notice


def kept(done: Kept, number: str = "", key: str = "") -> str:
    """The answer to a page whose mask is kept: its ``number``, and the ``key`` of the picture."""
    told = notice("warning", [done.sentence]) if done.warning else hint(done.sentence)
    return answer(number, told, key=key, note=done.note)


def not_kept(number: str, problem: str) -> str:
    return answer(number, problem, failed=True)
