"""Which WebUI this is: AUTOMATIC1111's, an old one, or a fork whose model cannot be trained through."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from lib_ti.errors import BadInput


def is_fork() -> bool:
    return "modules_forge" in sys.modules or find_spec("modules_forge") is not None


def is_old() -> bool:
    """Whether this WebUI is from before 1.9."""
    return find_spec("modules.sd_schedulers") is None


def check_trainable() -> None:
    """Raise :class:`BadInput` where this is not AUTOMATIC1111's WebUI of 1.9 or later."""
    if is_fork():
        raise BadInput(
            "This is Forge or reForge, whose models cannot be trained through; train with the command line "
            "(python -m lib_ti), or in AUTOMATIC1111's WebUI."
        )
    if is_old():
        raise BadInput("This WebUI is older than 1.9; update it, then train.")
