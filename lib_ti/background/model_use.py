"""Short actions that need the model, such as a check: refused at once while a task uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.errors import Busy


@contextmanager
def using_model(tasks: BackgroundTasks) -> Iterator[None]:
    """Run the block only while no task uses the model.

    Raises
    ------
    Busy
        When something else uses the model; names the task and its progress where they are known.
    """
    tasks.check_free("model")
    with naming_dataset_task(tasks):
        yield


@contextmanager
def naming_dataset_task(tasks: BackgroundTasks) -> Iterator[None]:
    """Name the dataset task that has the model, when the host says only that the model is in use."""
    try:
        yield
    except Busy as busy:
        if busy.task:
            raise
        # It may use a model of its own, such as a captioner; the host has refused already, so it is the likely cause.
        tasks.check_free("dataset")
        raise
