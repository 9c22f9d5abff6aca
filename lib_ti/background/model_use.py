"""Short work that needs the model: it is refused at once when a task uses the model, and never waits unseen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.errors import Busy


@contextmanager
def using_model(tasks: BackgroundTasks) -> Iterator[None]:
    """Do what needs the model within this context.

    Raises
    ------
    Busy
        What is in progress and how far it is, where that is known.
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
