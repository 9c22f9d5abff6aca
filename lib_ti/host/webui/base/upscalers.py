"""The WebUI's upscalers, those that are installed and those that it downloads when they are first used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from modules import devices, errors, shared
from modules.upscaler import UpscalerLanczos, UpscalerNearest, UpscalerNone
from PIL import Image

from lib_ti.errors import BadInput, Stopped, UserError, said_when_memory_is_full
from lib_ti.host.tools import Report, Upscaler
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.wording import quoted

_BEST = "R-ESRGAN 4x+"
_PLAIN = (UpscalerNone, UpscalerLanczos, UpscalerNearest)
_MOST_PASSES = 3


def upscalers() -> tuple[str, ...]:
    """Return the WebUI's upscalers, without those that only resample, in its order, the one for photos first."""
    names = list(dict.fromkeys(data.name for data in shared.sd_upscalers if not isinstance(data.scaler, _PLAIN)))
    return tuple(sorted(names, key=lambda name: name != _BEST))


@contextmanager
def upscaler(name: str, report: Report) -> Iterator[Upscaler]:
    """Load an upscaler; called with the WebUI's queue lock held.

    Raises
    ------
    BadInput
        When there is none of that name.
    """
    found = next((data for data in shared.sd_upscalers if data.name == name), None)
    if found is None or isinstance(found.scaler, _PLAIN):
        raise BadInput(f"There is no upscaler {quoted(name)} here; use one of {', '.join(upscalers())}, or Lanczos.")
    report(f"Upscaling with {name}; the WebUI downloads its model first, if it is not there yet.")
    try:
        with preserved_random_state():  # each image builds a model, which samples random numbers
            yield _Upscaler(found)
    finally:
        devices.torch_gc()


class _Upscaler:
    """Upscales until the image is large enough, and downscales it to the requested size.

    So does the WebUI's own ``upscale``, but where its model cannot be loaded, it returns a resampled image without an
    error, and it crops sizes that are not multiples of 8.
    """

    def __init__(self, data: Any) -> None:
        self._data = data

    def upscale(self, image: Image.Image, factor: float) -> Image.Image:
        wanted = round(image.width * factor), round(image.height * factor)
        scaler = self._data.scaler
        for _ in range(_MOST_PASSES):
            if image.width >= wanted[0] and image.height >= wanted[1]:
                break
            scaler.scale = max(wanted[0] / image.width, wanted[1] / image.height)
            image = self._pass(image)
        return image.convert("RGB").resize(wanted, Image.Resampling.LANCZOS)

    def _pass(self, image: Image.Image) -> Image.Image:
        reported = errors.exception_records[-1:]
        with said_when_memory_is_full(
            f"Out of graphics memory while upscaling with {self._data.name}; set a smaller tile size in "
            "Settings, Upscaling."
        ):
            upscaled = self._data.scaler.do_upscale(image, self._data.data_path)
        if shared.state.interrupted or shared.state.skipped:
            raise Stopped("Upscaling was interrupted.")
        if upscaled.width <= image.width:
            now = errors.exception_records[-1:]
            reason = f" ({now[0]['exception']})" if now != reported else ""
            raise UserError(
                f"The upscaler {self._data.name} did not upscale the image{reason}: its model may be damaged, or may "
                "not have been downloaded; see the WebUI's console, or choose another."
            )
        return upscaled
