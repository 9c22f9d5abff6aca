"""The WebUI's captioners, upscalers and img2img, each in our turn of its queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.host.tools import DEFAULT_TAGS, Captioner, Inpainter, Report, TagOptions
from lib_ti.host.webui.base import forks, turn
from lib_ti.host.webui.base.tools import CommonTools
from lib_ti.lazy import lazy

if TYPE_CHECKING:
    from lib_ti.host.webui.image_tools import captioners, inpainting
else:
    captioners = lazy("lib_ti.host.webui.image_tools.captioners")
    inpainting = lazy("lib_ti.host.webui.image_tools.inpainting")


class WebUITools(CommonTools):
    """See :class:`lib_ti.host.tools.Tools`."""

    @property
    def captioners(self) -> Sequence[str]:
        return captioners.names()

    @contextmanager
    def captioner(self, name: str, report: Report, tags: TagOptions = DEFAULT_TAGS) -> Iterator[Captioner]:
        with turn.turn(report), captioners.captioner(name, report, tags) as loaded:
            yield loaded

    @property
    def can_inpaint(self) -> bool:
        return not forks.is_old()

    @contextmanager
    def inpainter(self, report: Report) -> Iterator[Inpainter]:
        if not self.can_inpaint:
            raise BadInput(
                "Inpainting by the model works in AUTOMATIC1111's WebUI from 1.9 on; choose a plain fill method."
            )
        with turn.turn(report), inpainting.inpainter(report) as acquired:
            yield acquired
