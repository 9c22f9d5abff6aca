"""How long work on many pictures is stopped from outside."""

from __future__ import annotations

from lib_ti.errors import UserError


class Stopped(UserError):
    """The work was stopped on request; what was finished is kept, and doing the same again continues from there."""

    exit_code = 130
