"""Buttons that need the model: they say at once what else is using it, and never wait with nothing to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lib_ti.errors import ModelInUse
from lib_ti.training.job import Jobs
from lib_ti.ui.work import WORKS, Works


@contextmanager
def using_model(jobs: Jobs, works: Works = WORKS) -> Iterator[None]:
    """Do what needs the model within this context.

    Raises
    ------
    ModelInUse
        What is in progress and how far it is, where that is known.
    """
    run = jobs.snapshot()
    if run.active:
        raise ModelInUse(
            f"A run is in progress ({run.name}, step {run.step} of {run.max_steps}). Try again once it has ended, or "
            "press Interrupt in the Train tab."
        )
    try:
        yield
    except ModelInUse:
        work = works.now()
        if not work.running:
            raise
        how_far = f" ({work.done} of {work.total})" if work.total else ""
        raise ModelInUse(
            f"{work.title} is in progress{how_far} and uses the model. Try again once it has ended, or press Stop in "
            "the Dataset tab."
        ) from None
