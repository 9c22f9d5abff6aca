"""Pieces of HTML of the folder browser."""

from __future__ import annotations

from itertools import count

from lib_ti.ui.html.fragments import escape, findings
from lib_ti.ui.widgets.folder_browser.listing import Listing

ANYWHERE = "all folders that this server allows"
KEYS = (
    '<p class="ti-hint">Enter: open · Backspace: up · Ctrl+Enter: choose · Esc: cancel. “This folder” is the '
    "one in Location.</p>"
)
_NUMBERS = count(1)


def title(label: str) -> str:
    """The panel's title; each is a new one, so that the page's script notices that the panel was opened."""
    number = next(_NUMBERS)
    return f'<h3 id="ti_folders_heading" class="ti-title" data-opened="{number}">Choose a folder: {escape(label)}</h3>'


def remarks(listing: Listing) -> str:
    """Remarks on a list, with a number by which the page's script notices that it is a new one."""
    shown = findings(("info", remark) for remark in listing.remarks)
    return f'<div data-listed="{next(_NUMBERS)}" role="status">{shown}</div>'
