"""The actions behind the tab's pages, for one host. Knows the engine and no Gradio.

Actions import the engine when they need it, since the WebUI's start waits for the tab to be built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib_ti.background.runs import Runs
from lib_ti.background.tasks import TASKS, BackgroundTasks
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.paths import as_path, path_text
from lib_ti.ui import reach
from lib_ti.ui.create.actions import CreateActions
from lib_ti.ui.results.actions import ResultsActions
from lib_ti.ui.train.actions import TrainActions
from lib_ti.ui.train.templates import Templates

if TYPE_CHECKING:
    from lib_ti.data.dataset import Dataset


class Controller:
    """The actions of each page, and what they share."""

    def __init__(self, host: Host, tasks: BackgroundTasks = TASKS) -> None:
        self.host, self.tasks, self.runs = host, tasks, Runs(tasks)
        self.templates = Templates(host.folders)
        self.create = CreateActions(host, tasks)
        self.train = TrainActions(host, tasks, self.templates)
        self.results = ResultsActions(host, tasks)

    def embeddings(self) -> list[str]:
        """Names in the embeddings folder."""
        from lib_ti.embedding import library

        return library.list_names(self.host.folders.embeddings)

    def scan(self, folder: str, values: Mapping[str, Any]) -> Dataset:
        """Read the images of a folder as a run with these settings would use them.

        Raises
        ------
        BadInput
            When there is nothing to train on.
        """
        if not path_text(folder):
            raise BadInput("No folder is chosen: enter the path of the folder with your images.")
        from lib_ti.data.dataset import Rules
        from lib_ti.data.scan import scan

        reach.check(self.host.folders, {"Dataset directory": folder})
        width, height = int(values.get("width") or 0), int(values.get("height") or 0)
        unknown = not (width and height)
        rules = Rules(
            width or 64,
            height or 64,
            # The model's size is known only once it is loaded; until then the images are shown at their own.
            resize="keep" if unknown else values["resize"],
            use_alpha=bool(values["use_alpha"]),
            validation_split=float(values["validation_split"] or 0),
            seed=int(values["seed"] or 0),
            subfolders=bool(values["subfolders"]),
        )
        return scan(as_path(folder, "Dataset directory"), rules)
