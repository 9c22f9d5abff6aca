"""Pictures that are made only to be shown, as files of this process: the newest few are kept."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from lib_ti.ui.server import image_addresses

_MOST = 50
_QUALITY = 92


class ShownPictures:
    """Serves what is no file by itself, such as a picture with parts of it erased. Threads may ask at once."""

    def __init__(self, most: int = _MOST) -> None:
        """``most`` pictures are kept; pages that show older ones must ask again."""
        self._most = most
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # removed with this object, or at the end
        self._files: dict[str, Path] = {}
        self._lock = threading.Lock()

    def address(self, key: str, make: Callable[[], Image.Image]) -> str:
        """Where a page finds the RGB picture of that key, which is made when it is not kept any more."""
        with self._lock:
            path = self._files.pop(key, None)
            if path is None:
                path = self._path(key)
                make().save(path, quality=_QUALITY)
            self._files[key] = path  # the newest is the last
            while len(self._files) > self._most:
                self._files.pop(next(iter(self._files))).unlink(missing_ok=True)
            return image_addresses.address(path, image_addresses.AS_IT_IS)

    def _path(self, key: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="textual-inversion-")
        return Path(self._folder.name) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.jpg"
