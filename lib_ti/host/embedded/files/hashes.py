"""Hashes of checkpoint files, remembered between programs: hashing a large file takes longer than loading its model."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from lib_ti.errors import UserError
from lib_ti.host.weights_hash import network_hash
from lib_ti.storage.atomic import write_text

LARGE = 1 << 28
"""Bytes from which on a file's hashes are worth remembering."""
_BLOCK = 1 << 20
_WRITING = threading.Lock()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a checkpoint file as 64 hexadecimal digits."""
    return _remembered(path, "file", lambda: sha256(path))


def autoencoder_hash(path: Path, autoencoder: torch.nn.Module) -> str:
    """Return the hash of an autoencoder's weights, which lie in this file."""
    return _remembered(path, "autoencoder", lambda: network_hash(autoencoder))


def sha256(path: Path) -> str:
    """Compute a file's hash."""
    digest, block = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(block):
            digest.update(block[:size])
    return digest.hexdigest()


def hashes_file() -> Path:
    """Return where hashes are remembered: a file in the user's folder for caches."""
    if os.name == "nt":
        folder = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        folder = "~/Library/Caches"
    else:
        folder = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.path.expanduser(folder)) / "textual-inversion" / "hashes.json"


def read_ahead(path: Path) -> None:
    """Have the system read a file into its cache, from begin to end, where it can be asked to."""
    if sys.platform == "linux":
        with path.open("rb") as file:
            for start in range(0, path.stat().st_size, _BLOCK):
                os.posix_fadvise(file.fileno(), start, _BLOCK, os.POSIX_FADV_WILLNEED)


def _remembered(path: Path, of_what: str, compute: Callable[[], str]) -> str:
    """Return a hash, computed once until the file is replaced.

    What is remembered counts as long as the file has the same path, size and time of change. Where it cannot be
    written, nothing is remembered.
    """
    stat = path.stat()
    if stat.st_size < LARGE:
        return compute()
    name, version = str(path.resolve()), [stat.st_size, stat.st_mtime_ns]
    known = _read().get(name, {})
    if known.get("version") == version and isinstance(known.get(of_what), str):
        return str(known[of_what])
    found = compute()
    with _WRITING, suppress(UserError, OSError):
        entries = {file: entry for file, entry in _read().items() if Path(file).exists()}
        current = entries.get(name, {})
        if current.get("version") != version:
            current = {"version": version}
        entries[name] = {**current, of_what: found}
        write_text(hashes_file(), json.dumps(entries, indent=1))
    return found


def _read() -> dict[str, dict[str, Any]]:
    with suppress(OSError, ValueError):
        content = json.loads(hashes_file().read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return {file: entry for file, entry in content.items() if isinstance(entry, dict)}
    return {}
