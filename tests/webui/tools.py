"""A WebUI of the tests' own that lends our tools: captioners, upscalers and img2img."""

from __future__ import annotations

import contextlib
import shutil
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
    """Start a WebUI as :func:`tests.webui.instance.running` does, with this probe in it too."""
    scripts = folder / "extensions" / "zz tools" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("tool_probe.py"), scripts)
    with running(folder, *more) as instance:
        yield Tools(instance)
