"""Upscalers from model files, by the package ``spandrel``; large images are processed in tiles."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file

from lib_ti.embedding.formats.tensor_files import load_tensors
from lib_ti.errors import BadInput, said_when_memory_is_full

SUFFIXES = (".pth", ".safetensors")
_TILE = 256
"""Side in pixels of a tile, without its margins."""
_MARGIN = 24
"""Pixels around a tile that the model sees as well, so that tiles meet without a seam."""
_MOST_PASSES = 3

Network = Callable[[torch.Tensor], torch.Tensor]
"""(1, 3, H, W) in 0..1 to (1, 3, scale·H, scale·W)."""


def model_files(folder: Path) -> dict[str, Path]:
    """Return the upscalers' model files directly in a folder by name without suffix, ``.safetensors`` first."""
    files = sorted(folder.iterdir(), key=lambda path: path.name.casefold()) if folder.is_dir() else []
    ordered = sorted(files, key=lambda path: path.suffix.lower() == ".safetensors")
    found = {path.stem: path for path in ordered if path.suffix.lower() in SUFFIXES and path.is_file()}
    return dict(sorted(found.items(), key=lambda item: item[0].casefold()))


class TiledUpscaler:
    """An upscaler; see :class:`lib_ti.host.tools.Upscaler`.

    Parameters
    ----------
    scale
        Factor of the network for each side.
    device, dtype
        Those of the network's input.
    """

    def __init__(self, network: Network, scale: int, device: torch.device, dtype: torch.dtype) -> None:
        self._network, self._scale = network, scale
        self._device, self._dtype = device, dtype

    def upscale(self, image: Image.Image, factor: float) -> Image.Image:
        wanted = round(image.width * factor), round(image.height * factor)
        for _ in range(_MOST_PASSES):
            if image.width >= wanted[0] and image.height >= wanted[1]:
                break
            with said_when_memory_is_full("Out of memory while upscaling by the model; use Lanczos."):
                image = self._pass(image)
        return image.resize(wanted, Image.Resampling.LANCZOS)

    def _pass(self, image: Image.Image) -> Image.Image:
        levels = np.asarray(image.convert("RGB"))
        height, width = levels.shape[:2]
        scale = self._scale
        result = np.empty((height * scale, width * scale, 3), np.uint8)
        for top in range(0, height, _TILE):
            for left in range(0, width, _TILE):
                bottom, right = min(top + _TILE, height), min(left + _TILE, width)
                above, before = max(0, top - _MARGIN), max(0, left - _MARGIN)
                tile = self._run(levels[above : bottom + _MARGIN, before : right + _MARGIN])
                inner = tile[(top - above) * scale :, (left - before) * scale :]
                place = result[top * scale : bottom * scale, left * scale : right * scale]
                place[:] = inner[: place.shape[0], : place.shape[1]]
        return Image.fromarray(result)

    @torch.no_grad()
    def _run(self, levels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        tile = torch.from_numpy(np.array(levels)).to(self._device, self._dtype).permute(2, 0, 1)[None] / 255
        upscaled = self._network(tile)[0].float().clamp(0, 1) * 255
        found: np.ndarray[Any, Any] = upscaled.permute(1, 2, 0).round().to("cpu", torch.uint8).numpy()
        return found


def load(path: Path, device: torch.device) -> TiledUpscaler:
    """Load an upscaler's model file without running its code; in half precision on a GPU where the model supports it.

    Raises
    ------
    BadInput
        When the package is missing, or the file is damaged or no upscaler.
    """
    spandrel = _package(path)
    weights = _weights(path)
    try:
        found = spandrel.ModelLoader(device).load_from_state_dict(spandrel.canonicalize_state_dict(weights))
    except (spandrel.UnsupportedModelError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        # Damaged weights make the architectures' own code stumble in all of these ways.
        raise BadInput(f"{path} is no upscaler that spandrel knows ({type(error).__name__}); use another.") from error
    colours = getattr(found, "input_channels", 0), getattr(found, "output_channels", 0)
    if not isinstance(found, spandrel.ImageModelDescriptor) or found.scale < 2 or colours != (3, 3):
        raise BadInput(f"{path} is a model of {found.architecture.name} that does not upscale images; use another.")
    half = device.type == "cuda" and found.supports_half
    dtype = torch.float16 if half else torch.float32
    # The module's own method: that of the descriptor takes no data type in the spandrel 0.1 of WebUI 1.9.4.
    found.model.to(device, dtype).eval()
    return TiledUpscaler(found, found.scale, device, dtype)


def _package(path: Path) -> Any:
    try:
        return import_module("spandrel")
    except (ImportError, RuntimeError) as error:  # it needs torchvision, which has to fit torch
        raise BadInput(
            f"The upscaler {path.name} needs the package spandrel, which cannot be used here "
            f"({str(error).splitlines()[0]}): install spandrel, and the torchvision that fits your torch, or use "
            "Lanczos."
        ) from error


def _weights(path: Path) -> dict[str, Any]:
    if path.suffix.lower() != ".safetensors":
        content = load_tensors(path)
        if not isinstance(content, dict):
            raise BadInput(f"{path} holds no table of weights; use another upscaler.")
        return content
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{path} is truncated or damaged ({error}); download or copy it again.") from error
