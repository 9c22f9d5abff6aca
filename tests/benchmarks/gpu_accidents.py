"""A memory that is really full: what the product says, and that it goes on afterwards."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

import torch

from lib_ti.errors import UserError
from lib_ti.host.embedded import networks
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.signals import Event, PreviewFailed, StepDone
from lib_ti.training.callbacks.previewer import FULL_MEMORY
from tests.benchmarks.gpu_place import Check, Place, Result, Runs

SPARE = 64 * 2**20
"""Bytes that a full card still has."""
BEFORE, AFTER = ("Out of memory before the first step", "A step needs about"), ("Out of memory after step",)
"""Starts of messages; the second of the first is what the trial before the run says, where it has memory for itself."""
FULL_AT = 2
"""The step after which the memory is full, where that happens during the steps."""


class Memory:
    """The memory of the device, which can be made full."""

    def __init__(self, place: Place, owner: Any, name: str) -> None:
        """On the processor, which has no limit, the function ``name`` of ``owner`` finds the memory full."""
        self._place, self._owner, self._name = place, owner, name
        self._undo = ExitStack()

    def fill(self) -> None:
        if not self._place.on_card:
            error = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            self._undo.enter_context(patch.object(self._owner, self._name, side_effect=error))
            return
        self._tidy()
        whole = torch.cuda.get_device_properties(self._place.device).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + SPARE) / whole)
        self._undo.callback(torch.cuda.set_per_process_memory_fraction, 1.0)

    def free(self) -> None:
        self._undo.close()
        self._tidy()

    def _tidy(self) -> None:
        gc.collect()
        if self._place.on_card:
            torch.cuda.empty_cache()


def accidents(place: Place) -> Iterator[Check]:
    """Where the memory becomes full, what is to be said then, and whether the host trains afterwards."""
    for where, promised, memory, accident in (
        ("loading", BEFORE, Memory(place, networks, "build"), partial(_at_the_start, place.precisions[-1])),
        ("encoding", BEFORE, Memory(place, EmbeddedModel, "encode_images"), partial(_at_the_start, "auto")),
        ("a step", AFTER, Memory(place, EmbeddedModel, "predict"), _at_a_step),
        ("a preview", (FULL_MEMORY[:-1],), Memory(place, EmbeddedModel, "generate"), _at_a_preview),
    ):
        what = f"memory full in {where}"
        yield Check(what, partial(_survived, place, what, promised, memory, accident))


def _survived(
    place: Place, what: str, promised: tuple[str, ...], memory: Memory, accident: Callable[[Runs, str, Memory], str]
) -> Result:
    runs = Runs(place, place.host, place.size.side)
    name = what.replace(" ", "-")
    runs.create(name)
    try:
        said = accident(runs, name, memory)
    finally:
        memory.free()
    step = runs.embedding(name).step
    runs.train(name, max_steps=step + 2)
    went_on = runs.embedding(name).step == step + 2
    saved = promised != AFTER or step >= FULL_AT
    return Result(
        what, f"{said} Trained afterwards: {went_on}.", promised[0], said.startswith(promised) and saved and went_on
    )


def _at_the_start(precision: str, runs: Runs, name: str, memory: Memory) -> str:
    """With the model loaded in another precision than "auto", it is loaded again; else its images are the first."""
    memory.fill()
    return _failure(runs, name, precision=precision, max_steps=2)


def _at_a_step(runs: Runs, name: str, memory: Memory) -> str:
    def fill(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == FULL_AT:
            memory.fill()

    return _failure(runs, name, fill, max_steps=6, batch_size=4)


def _at_a_preview(runs: Runs, name: str, memory: Memory) -> str:
    said: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == FULL_AT:
            memory.fill()
        if isinstance(event, PreviewFailed):
            said.append(event.reason)
            memory.free()

    end = runs.train(name, listen, max_steps=FULL_AT + 2, save_image_every=FULL_AT)
    return said[0] if said and end.reason == "done" else f"The run ended as {end.reason}; previews failed: {said}."


def _failure(runs: Runs, name: str, listen: Callable[[Event], None] = lambda event: None, **changes: Any) -> str:
    try:
        end = runs.train(name, listen, **changes)
    except UserError as error:
        return str(error)
    return f"The run ended as {end.reason}."
