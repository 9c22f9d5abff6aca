"""The comparison of numbers of vectors as a background task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_ti.background.kinds import VECTORS
from lib_ti.background.model_use import naming_dataset_task
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.host.base import Host
from lib_ti.signals import Event, LogMessage, Progress
from lib_ti.training.cut.compare import VectorComparison, compare

if TYPE_CHECKING:
    from lib_ti.ui.results.state import RunResults


def start(tasks: BackgroundTasks, run: RunResults, step: str, host: Host) -> None:
    """Start a task whose result is a :class:`VectorComparison` of a checkpoint.

    Raises
    ------
    BadInput
        When there is no such checkpoint.
    Busy
        When a run or another task that uses the model is in progress.
    """
    embedding, prompt = run.checkpoint(step), run.prompts()[0]

    def work(task: TaskContext) -> VectorComparison:
        def listen(event: Event) -> None:
            if isinstance(event, Progress):
                task.report_message(f"{event.stage} …")
                task.report_progress(event.done, event.total)
            elif isinstance(event, LogMessage):
                task.report_message(event.text)

        with naming_dataset_task(tasks):
            return compare(host, run.folder, embedding, prompt, listen, task.control)

    tasks.start(VECTORS, f"Comparing the numbers of vectors of {run.name}", work)
