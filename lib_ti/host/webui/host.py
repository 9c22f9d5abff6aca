"""The host that is the WebUI's session. What this module imports exists in the WebUI's forks, too.

So the tab can be built there and report why it does not train; what needs more of the WebUI is imported lazily.
"""

from __future__ import annotations

from lib_ti.host.webui.folders import WebUIFolders
from lib_ti.host.webui.models import WebUIModels
from lib_ti.host.webui.tools import WebUITools


class WebUIHost:
    """The WebUI's model, tools and folders; see :class:`lib_ti.host.base.Host`."""

    def __init__(self) -> None:
        self.models, self.tools, self.folders = WebUIModels(), WebUITools(), WebUIFolders()
