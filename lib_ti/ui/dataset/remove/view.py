"""HTML of the step Remove."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lib_ti.ui.html.fragments import figure, gallery, hint


def compared_fills(fills: Mapping[str, str]) -> str:
    """The painted area as several fill methods would leave it, by their names; values are the images' addresses."""
    shown = gallery([figure(Path(), name, source=source) for name, source in fills.items()], "ti-fills")
    return shown + hint("Nothing is removed yet: choose one of them as Fill method, then press Remove.")
