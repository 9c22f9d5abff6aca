"""Which fork this is. A new one has a file beside these and a line here."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.host.forge.fork import Fork
from lib_ti.lazy import lazy

if TYPE_CHECKING:
    from lib_ti.host.forge import forge, reforge
else:
    forge = lazy("lib_ti.host.forge.forge")
    reforge = lazy("lib_ti.host.forge.reforge")


def this_fork() -> Fork:
    """Return the fork that this process is, by the package that runs its models.

    Raises
    ------
    BadInput
        When it is none that is known.
    """
    if find_spec("backend") and find_spec("modules_forge"):
        return forge.Forge()
    if find_spec("ldm_patched"):
        return reforge.ReForge()
    raise BadInput("This fork of the WebUI is not known here; train with the command line (python -m lib_ti).")
