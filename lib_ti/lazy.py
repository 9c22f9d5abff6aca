"""Modules that are imported at their first use: the one way to put an import off.

There are two reasons for it. The WebUI builds our tab at every start, and the command line starts for each command,
while torch takes a second to import and diffusers and transformers take several; and the forks of the WebUI lack some
of its modules, which is no error before a model is acquired. A module is named to :func:`lazy` in full, beside an
import for type checking::

    if TYPE_CHECKING:
        from lib_ti.host.embedded import networks
    else:
        networks = lazy("lib_ti.host.embedded.networks")
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Stands for the module of its name, and imports it when an attribute is first read."""

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self.__name__), attribute)


def lazy(name: str) -> LazyModule:
    """Return a stand-in for the module ``name``."""
    return LazyModule(name)
