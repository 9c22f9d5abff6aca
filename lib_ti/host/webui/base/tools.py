"""Tools that AUTOMATIC1111's WebUI and its forks have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lib_ti.host.clip.tokenizer import token_spans
from lib_ti.host.tools import Report, Upscaler
from lib_ti.host.webui.base import turn
from lib_ti.lazy import lazy

if TYPE_CHECKING:
    from lib_ti.host.webui.base import upscalers
else:
    upscalers = lazy("lib_ti.host.webui.base.upscalers")


class CommonTools:
    """Token spans and upscalers of :class:`lib_ti.host.tools.Tools`."""

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """By our own vocabulary files: the WebUI's tokenizer exists only while a model is loaded."""
        return token_spans(text)

    @property
    def upscalers(self) -> Sequence[str]:
        return upscalers.upscalers()

    @contextmanager
    def upscaler(self, name: str, report: Report) -> Iterator[Upscaler]:
        with turn.turn(report), upscalers.upscaler(name, report) as loaded:
            yield loaded
