"""Disk cache of latents: one small safetensors file for each image, written atomically, verified when read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lib_ti.storage.atomic import CannotWrite, write_atomically

_NOTHING_COUNTS = "nothing_counts"
"""A key of a cache file's metadata."""
_WRITERS = 4
"""Threads that write; more than one because each waits for the disk after every file."""


@dataclass(frozen=True)
class ItemLatents:
    """Latents of one image, float32 on the CPU: mean and std (4, h, w), already times the model's scale factor.

    ``weight`` (1, h, w) is the weight of each latent pixel in the loss, with a mean of 1; None where all weigh alike.
    ``nothing_counts`` says that transparency and mask leave nothing of the image, so that they could not weigh it.
    """

    mean: torch.Tensor
    std: torch.Tensor
    weight: torch.Tensor | None = None
    nothing_counts: bool = False


class LatentFiles:
    """Cache files in a folder; no cache where the folder is None.

    Trouble with writing never ends a run: the first is put into ``trouble`` as a sentence, and no more is written.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writers: ThreadPoolExecutor | None = None
        self._written: list[Future[None]] = []
        self.trouble = ""

    def read(self, key: str, size: tuple[int, int]) -> ItemLatents | None:
        """Return the latents of an image trained at ``size`` (width, height); None if missing or damaged."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
                metadata = file.metadata() or {}
        except (SafetensorError, OSError):
            return None
        shape = (size[1] // 8, size[0] // 8)
        whole = {"mean", "std"} <= tensors.keys() and all(tensor.shape[1:] == shape for tensor in tensors.values())
        if not whole or metadata.get("crc32") != _checksum(tensors):
            return None
        return ItemLatents(tensors["mean"], tensors["std"], tensors.get("weight"), _NOTHING_COUNTS in metadata)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let :meth:`write` work in the background within it; leaving it waits until all is on disk."""
        try:
            with ThreadPoolExecutor(_WRITERS, thread_name_prefix="latents") as self._writers:
                yield
        finally:
            self._writers = None
        for future in self._written:
            future.result()
        self._written.clear()

    def write(self, key: str, latents: ItemLatents) -> None:
        path = self._path(key)
        if path is None or self.trouble:
            return
        if self._writers is None:
            raise RuntimeError("cache files are written within writing()")
        self._written.append(self._writers.submit(self._write, path, latents))

    def _write(self, path: Path, latents: ItemLatents) -> None:
        tensors = {"mean": latents.mean, "std": latents.std}
        if latents.weight is not None:
            tensors["weight"] = latents.weight
        metadata = {"crc32": _checksum(tensors), **({_NOTHING_COUNTS: "yes"} if latents.nothing_counts else {})}
        try:
            write_atomically(path, lambda beside: save_file(tensors, beside, metadata=metadata))
        except (CannotWrite, SafetensorError) as error:
            self.trouble = self.trouble or f"Latents are not kept for the next run: {error}"

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{key}.safetensors"


def _checksum(tensors: dict[str, torch.Tensor]) -> str:
    """Return the CRC-32 of the values: after a power cut a file may have its right length and hold only zeros."""
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(tensors[name].contiguous().numpy().tobytes(), value)
    return f"{value:08x}"
