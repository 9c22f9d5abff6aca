"""The work behind the tab's pages, for one host. Knows the engine and no Gradio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_ti.background.runs import Runs
from lib_ti.background.tasks import TASKS, BackgroundTasks
from lib_ti.host.base import Host
from lib_ti.lazy import lazy
from lib_ti.ui.create.service import CreateService
from lib_ti.ui.results.service import ResultsService
from lib_ti.ui.start.service import StartService
from lib_ti.ui.train.service import TrainService
from lib_ti.ui.train.templates import Templates

if TYPE_CHECKING:
    from lib_ti.embedding import library
else:
    library = lazy("lib_ti.embedding.library")


class Controller:
    """The services of the pages, and what they share."""

    def __init__(self, host: Host, tasks: BackgroundTasks = TASKS) -> None:
        self.host, self.tasks, self.runs = host, tasks, Runs(tasks)
        self.templates = Templates(host.folders)
        self.start = StartService(host, tasks)
        self.create = CreateService(host, tasks, self.templates)
        self.train = TrainService(host, tasks, self.templates)
        self.results = ResultsService(host, tasks)

    def embeddings(self) -> list[str]:
        """Names in the embeddings folder."""
        return library.list_names(self.host.folders.embeddings)
