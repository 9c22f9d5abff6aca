"""The host that is the session of AUTOMATIC1111's WebUI. What needs torch is imported at its first use."""

from __future__ import annotations

from lib_ti.host.webui.base.folders import WebUIFolders
from lib_ti.host.webui.models import WebUIModels
from lib_ti.host.webui.tools import WebUITools


class WebUIHost:
    """The WebUI's model, tools and folders; see :class:`lib_ti.host.base.Host`."""

    def __init__(self) -> None:
        self.models, self.tools, self.folders = WebUIModels(), WebUITools(), WebUIFolders()
