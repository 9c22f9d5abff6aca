"""The work behind the way through the steps: the state of the folders that a page names. Knows no Gradio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_ti.background.kinds import INSPECTION
from lib_ti.background.tasks import TASKS
from lib_ti.errors import BadInput
from lib_ti.paths import as_path, path_text
from lib_ti.prep.inspect.record import InspectionRecord, read_record
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.ui import reach
from lib_ti.ui.dataset.captions.state import EDITORS
from lib_ti.ui.dataset.prepare.state import Preparation
from lib_ti.ui.dataset.workflow.reading import read_state
from lib_ti.ui.dataset.workflow.state import DatasetState


def dataset_state(preparation: Preparation, values: Mapping[str, Any], captions_folder: str = "") -> DatasetState:
    """Return the state of the folders that a page names; a problem with them becomes part of it.

    Parameters
    ----------
    values
        Values of the form with the settings of a preparation.
    captions_folder
        Another folder whose captions are edited.
    """
    source = path_text(str(values.get("source") or ""))
    state = DatasetState(source, captions_elsewhere=bool(path_text(captions_folder)))
    if not source:
        return state
    try:
        output = preparation.output(source, str(values.get("output") or ""))
        reach.check(preparation.host.folders, {"Source folder": source, "Prepared folder": output})
        path = as_path(source, "Source folder")
        folder = PreparedFolder(as_path(output, "Prepared folder"), path)
        found = read_state(path, folder, values, _record(source, output, folder), _unsaved(folder.path))
        return replace(found, captions_elsewhere=state.captions_elsewhere)
    except BadInput as error:
        return replace(state, problem=" ".join(error.problems))


def _record(source: str, output: str, folder: PreparedFolder) -> InspectionRecord:
    """Return the inspection that all pages show where it is of these folders, else the one on disk."""
    inspection = TASKS.result(INSPECTION)
    if inspection is not None and inspection.matches(source, output):
        found: InspectionRecord = inspection.record()
        return found
    return read_record(folder)


def _unsaved(folder: Path) -> int:
    editor = EDITORS.find(folder)
    return len(editor.captions.changed) if editor else 0
