"""The fills of one painted area side by side, of which one is chosen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from PIL import Image

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput, Stopped, UserError
from lib_ti.host.base import Host
from lib_ti.prep.remove.inpaint import AUTO, MODEL, FillMethod, binarize, inpaint, plain_methods
from lib_ti.prep.remove.patches import InpaintedPatch, before_and_after
from lib_ti.prep.remove.removal import acquire_fill_method
from lib_ti.ui.dataset.remove.source_image import SourceImage
from lib_ti.ui.server.temporary_images import TemporaryImages

_MOST_SEEDS = 2**32
_SIDE = 768
"""Longer side in pixels of the images to compare."""


@dataclass(frozen=True)
class ComparedFill:
    """A fill by one method: the address of its image, or why there is none; ``automatic`` marks that of "auto"."""

    method: str
    address: str = ""
    patch: InpaintedPatch | None = None
    problem: str = ""
    automatic: bool = False


@dataclass(frozen=True)
class FillComparison:
    """The fills of a painted area.

    Attributes
    ----------
    key
        Identifies it.
    image
        The image as it was when the fills were made.
    name
        The image's name on the page.
    layer
        The painted layer as the page sent it.
    before
        Address of the area as it was.
    """

    key: str
    image: SourceImage
    name: str
    layer: str
    before: str
    fills: tuple[ComparedFill, ...]

    def patch(self, method: str) -> InpaintedPatch | None:
        return next((fill.patch for fill in self.fills if fill.method == method), None)


@dataclass(frozen=True)
class FillRequest:
    """What a page asks to fill: the area painted over the image of a name, with a seed for methods that have one."""

    config: PrepareConfig
    name: str
    layer: str
    seed: int = 0

    def check(self) -> None:
        """Raise :class:`BadInput` for a seed that is none."""
        if not 0 <= self.seed < _MOST_SEEDS:
            raise BadInput(f"The seed is {self.seed}; enter a number from 0 to {_MOST_SEEDS - 1}.")


class FillComparer:
    """Makes comparisons for one host; their images are kept as long as they are among the newest ones."""

    def __init__(self, host: Host, shown: TemporaryImages) -> None:
        self._host, self._shown = host, shown

    def compare(self, request: FillRequest, image: SourceImage, task: TaskContext) -> FillComparison:
        """Fill the painted area by each method, the model's among them where it can inpaint; nothing is removed.

        A method that fails is reported among the fills, and the others are shown.

        Raises
        ------
        BadInput
            When nothing is painted.
        UnreadableImage
            When the image or an earlier patch cannot be used.
        Stopped
            When the task was stopped.
        """
        request.check()
        mask, layered = binarize(image.painted(request.layer)), image.patched()
        shown_by = f"{image.item.digest} {image.patches} {request.seed} {request.config.fill_prompt}"
        key = hashlib.sha256(shown_by.encode() + mask.tobytes()).hexdigest()[:24]
        automatic = FillMethod(AUTO).for_mask(mask).method
        methods = (*plain_methods(), *((MODEL,) if self._host.tools.can_inpaint else ()))
        before = ""
        fills: list[ComparedFill] = []
        for number, method in enumerate(methods):
            task.report_progress(number, len(methods))
            if task.stop_requested():
                raise Stopped(f"Comparing the fills of {request.name} was stopped; nothing has changed.")
            try:
                config = replace(request.config, fill=method)
                with acquire_fill_method(config, self._host, task.report_message, seed=request.seed) as fill:
                    patch = inpaint(layered.image, mask, fill)
            except Stopped:
                raise
            except UserError as error:
                fills.append(ComparedFill(method, problem=str(error)))
                continue
            pair = before_and_after(layered, patch, _SIDE)
            before = before or self._address(f"{key} before", pair[0])
            address = self._address(f"{key} {method}", pair[1])
            fills.append(ComparedFill(method, address, patch, automatic=method == automatic))
        return FillComparison(key, image, request.name, request.layer, before, tuple(fills))

    def _address(self, key: str, image: Image.Image) -> str:
        return self._shown.address(key, lambda: image)
