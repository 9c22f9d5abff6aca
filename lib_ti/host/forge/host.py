"""The host that is a fork's session."""

from __future__ import annotations

from lib_ti.host.forge.known import this_fork
from lib_ti.host.forge.models import ForkModels
from lib_ti.host.forge.tools import ForkTools
from lib_ti.host.webui.base.folders import WebUIFolders


class ForkHost:
    """Models, tools and folders of the fork that this process is; see :class:`lib_ti.host.base.Host`."""

    def __init__(self) -> None:
        fork = this_fork()
        self.models = ForkModels(fork)
        self.tools, self.folders = ForkTools(fork, self.models), WebUIFolders()
