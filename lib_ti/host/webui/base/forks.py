"""Which WebUI this is: AUTOMATIC1111's, an old one, or a fork of the Forge family."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def is_fork() -> bool:
    """Whether this is Forge, or a fork of it."""
    return "modules_forge" in sys.modules or find_spec("modules_forge") is not None


def is_old() -> bool:
    """Whether this WebUI is from before 1.9."""
    return find_spec("modules.sd_schedulers") is None
