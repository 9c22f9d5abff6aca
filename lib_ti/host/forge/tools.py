"""The fork's upscalers, captioners from local folders, and inpainting by our own copy of the selected model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from lib_ti.host.base import SessionOptions
from lib_ti.host.forge.fork import Fork
from lib_ti.host.forge.models import ForkModels
from lib_ti.host.tools import DEFAULT_TAGS, Captioner, Inpainter, Report, TagOptions
from lib_ti.host.webui.base import turn
from lib_ti.host.webui.base.tools import CommonTools
from lib_ti.lazy import lazy

if TYPE_CHECKING:
    from lib_ti.host.embedded import inpainting
    from lib_ti.host.embedded.model import EmbeddedModel
    from lib_ti.host.forge import captioners
else:
    captioners = lazy("lib_ti.host.forge.captioners")
    inpainting = lazy("lib_ti.host.embedded.inpainting")


class ForkTools(CommonTools):
    """See :class:`lib_ti.host.tools.Tools`."""

    can_inpaint = True

    def __init__(self, fork: Fork, models: ForkModels) -> None:
        self._fork, self._models = fork, models

    @property
    def captioners(self) -> Sequence[str]:
        return captioners.names()

    @contextmanager
    def captioner(self, name: str, report: Report, tags: TagOptions = DEFAULT_TAGS) -> Iterator[Captioner]:
        with turn.turn(report):
            self._fork.free()
            with captioners.captioner(name, report, tags) as loaded:
                yield loaded

    @contextmanager
    def inpainter(self, report: Report) -> Iterator[Inpainter]:
        with self._models.session(SessionOptions(report=report)) as model:
            yield inpainting.EmbeddedInpainter(cast("EmbeddedModel", model))
