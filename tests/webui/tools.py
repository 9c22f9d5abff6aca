"""A WebUI of the tests' own that lends our tools: captioners, upscalers and img2img."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.webui.instance import Instance, running


class Tools:
    """The WebUI with the probe of the tools."""

    def __init__(self, webui: Instance) -> None:
        self.webui = webui

    def __call__(self, name: str, /, **options: Any) -> Any:
        """The answer of one of the probe's functions."""
        return self.webui.call(name, at="tools", **options)


@contextlib.contextmanager
def running_with_tools(folder: Path, *more: str) -> Iterator[Tools]:
    """Start a WebUI as :func:`tests.webui.instance.running` does, with the tools' probe in it too."""
    with running(folder, *more, probes=("probe.py", "tool_probe.py")) as instance:
        yield Tools(instance)
