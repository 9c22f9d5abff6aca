"""Images made only to be shown, as temporary files: the newest few are kept."""

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


class TemporaryImages:
    """Addresses of images that are not files, such as an image with regions removed. Thread-safe."""

    def __init__(self, most: int = _MOST) -> None:
        """Keep the newest ``most`` images; pages request older ones again."""
        self._most = most
        self._folder: tempfile.TemporaryDirectory[str] | None = None  # removed with this object, or at the end
        self._files: dict[str, Path] = {}
        self._lock = threading.Lock()

    def address(self, key: str, make: Callable[[], Image.Image]) -> str:
        """Return the address of the RGB image with that key; ``make`` is called when it is not kept."""
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
