"""What folders hold, remembered as long as no file of them changes, since every decision asks again."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from lib_ti.data.beside.captions import read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.data.beside.masks import find_mask
from lib_ti.data.folder import list_images
from lib_ti.data.preparations import MANIFEST
from lib_ti.ui.dataset.workflow.state import FolderContents


def contents_of(folder: Path, *, subfolders: bool = False) -> FolderContents:
    """List a folder.

    Raises
    ------
    BadInput
        When it cannot be listed.
    """
    return _read(folder, _fingerprint(folder, subfolders=subfolders), subfolders)


@lru_cache(8)
def _read(folder: Path, fingerprint: str, subfolders: bool) -> FolderContents:  # noqa: ARG001
    images = list_images(folder, subfolders=subfolders)
    beside = {parent: Beside(parent) for parent in {path.parent for path in images.values()}}

    def caption_of(path: Path) -> str:
        caption = read_caption(path, beside[path.parent])
        return caption.text if caption.source == "file" else ""

    return FolderContents(
        {name: _size(path) for name, path in images.items()},
        {name: caption_of(path) for name, path in images.items()},
        frozenset(name for name, path in images.items() if find_mask(path, beside[path.parent])),
    )


def _fingerprint(folder: Path, *, subfolders: bool) -> str:
    """Hash the names, lengths and times of all files of a folder; empty where it cannot be listed."""
    found = hashlib.sha256()
    try:
        folders = [folder]
        while folders:
            with os.scandir(folders.pop()) as entries:
                # The manifest changes with every decision, and nothing here depends on it.
                listed = [one for one in entries if not one.name.startswith(".") and one.name != MANIFEST]
            found.update(repr(sorted((entry.path, *_state(entry)) for entry in listed)).encode("utf-8", "replace"))
            folders += [Path(entry.path) for entry in listed if subfolders and entry.is_dir(follow_symlinks=False)]
    except OSError:
        return ""
    return found.hexdigest()


def _state(entry: os.DirEntry[str]) -> tuple[int, int]:
    try:
        found = entry.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
