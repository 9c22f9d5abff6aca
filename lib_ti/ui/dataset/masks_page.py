"""What the step Masks says of a mask that was painted. The picture itself is shown by :mod:`paint_page`."""

from __future__ import annotations

from lib_ti.ui.dataset.masks_work import Kept
from lib_ti.ui.fragments import escape, hint, notice


def kept(done: Kept, number: str = "", key: str = "") -> str:
    """The answer to a page whose mask is kept: its ``number``, and the ``key`` of the picture."""
    told = notice("warning", [done.sentence]) if done.warning else hint(done.sentence)
    return f'<div data-saved="{escape(number)}" data-key="{escape(key)}" data-note="{escape(done.note)}">{told}</div>'


def not_kept(number: str, problem: str) -> str:
    return f'<div data-saved="{escape(number)}" data-failed="yes">{problem}</div>'
