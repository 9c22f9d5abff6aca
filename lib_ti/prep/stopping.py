"""How long work on many pictures is stopped from outside."""

from __future__ import annotations

from lib_ti.errors import Stopped

__all__ = ["Stopped"]
