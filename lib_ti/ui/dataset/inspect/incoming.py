"""Images that are brought in by the browser, into a new folder of the host's datasets. Knows no Gradio."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from lib_ti.background.tasks import TaskContext
from lib_ti.host.base import Folders
from lib_ti.prep.incoming.archive import is_zip
from lib_ti.prep.incoming.bring_in import bring_in

_PLAIN = "images"
"""Name of the folder where no zip has a name for it."""


def new_folder(folders: Folders, files: Sequence[Path]) -> Path:
    """Return a folder for these uploads that does not exist yet, named after their first zip."""
    zips = (re.sub(r"[^\w -]+", "_", file.stem).strip(" _-") for file in files if is_zip(file))
    name = next(filter(None, zips), _PLAIN)
    numbered = (name if number == 1 else f"{name}-{number}" for number in itertools.count(1))
    return next(folders.datasets / one for one in numbered if not (folders.datasets / one).exists())


def bring_into(files: Sequence[Path], folder: Path, task: TaskContext) -> tuple[str, ...]:
    """Bring files into a folder; return what was brought in and what was not, as sentences.

    Raises
    ------
    BadInput
        When there is no image, or a zip is refused.
    Stopped
        When the task was stopped.
    """
    task.report_message("Bringing the images in.")
    done = bring_in(files, folder, progress=task.report_progress, stop=task.stop_requested)
    task.report_message("")
    return done.describe()
