"""Folders that a page may use: all of them on this machine, some of them for other visitors."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib_ti.errors import BadInput
from lib_ti.host.base import Folders
from lib_ti.paths import as_path, path_problem, path_text, resolved
from lib_ti.wording import quoted


def check(folders: Folders, named: Mapping[str, str]) -> None:
    """Refuse paths outside the host's allowed folders before they are opened.

    Parameters
    ----------
    named
        Paths by label, such as ``{"Dataset directory": "images"}``; other checks handle empty ones.

    Raises
    ------
    BadInput
        One sentence for each path, with the allowed folders.
    """
    roots = allowed_roots(folders)
    if roots is None:
        return
    problems = []
    for label, text in named.items():
        # Links and ".." are resolved first, so that neither leads outside.
        if path_text(text) and not any(resolved(as_path(text, label)).is_relative_to(root) for root in roots):
            problems.append(
                f"{label} {quoted(text)} is outside the folders this server allows: choose a folder in "
                f"{', '.join(map(str, roots))}."
            )
    if problems:
        raise BadInput(problems)


def allowed_roots(folders: Folders) -> list[Path] | None:
    """Return the host's allowed folders as resolved paths; None for all folders."""
    return None if folders.allowed is None else [resolved(folder.expanduser()) for folder in folders.allowed]


def is_allowed(folders: Folders, path: Path) -> bool:
    """Whether a page may use a path."""
    try:
        check(folders, {"Folder": str(path)})
    except BadInput:
        return False
    return True


def check_uploads(files: Sequence[Path]) -> None:
    """Refuse paths that a page made up instead of those that the server gave to its uploads.

    Raises
    ------
    BadInput
        With the name of the file.
    """
    # As Gradio chooses its folder for uploads, in all versions.
    root = resolved(Path(os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / "gradio"))
    for file in files:
        if path_problem(str(file)) or not resolved(file).is_relative_to(root):
            raise BadInput(f"{quoted(file.name)} was not uploaded here: choose the file again.")
