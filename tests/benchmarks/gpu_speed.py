"""Time, memory and waits of training steps on a graphics card."""

from __future__ import annotations

import gc
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast, get_args

import torch

from lib_ti.host.base import Precision, SessionOptions
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import Checkpointing, Optimization
from lib_ti.training.trainer import Trainer
from tests.benchmarks.gpu_place import Check, Place, Result, trainer

WARM_UP = 2
BATCHES = (1, 4)
ONLY_ON_CARD = "only on a graphics card"


def steps(place: Place) -> Iterator[Check]:
    """Waits in a step, and steps per second, by precision and batch size."""
    for precision in place.precisions:
        with place.host.models.session(SessionOptions(cast("Precision", precision))) as model:
            what = f"{precision}: waits for the device in a step"
            yield Check(what, partial(_waits, place, model, what))
            for batch in BATCHES:
                what = f"{precision}, batch {batch}, {place.size.side} px: speed"
                yield Check(what, partial(_speed, place, model, batch, what))


def memory(place: Place) -> Iterator[Check]:
    """The most memory that a step takes, by set of settings."""
    options = SessionOptions(cast("Precision", place.precisions[0]))
    with place.host.models.session(options) as model:
        for blocks in get_args(Checkpointing):
            for side in (place.size.side, place.size.large):
                for batch in BATCHES:
                    what = f"{place.precisions[0]}, batch {batch}, {side} px: memory with checkpointing {blocks}"
                    yield Check(what, partial(_memory, place, model, batch, side, blocks, what))


def optimizations(place: Place) -> Iterator[Check]:
    """Steps per second by UNet optimization; on the processor without compiling, which takes minutes there."""
    precision = place.precisions[0]
    for how in get_args(Optimization) if place.on_card else ("off", "channels-last"):
        with place.host.models.session(SessionOptions(cast("Precision", precision))) as model:
            for batch in BATCHES:
                what = f"{precision}, batch {batch}, {place.size.side} px: speed with UNet optimization {how}"
                yield Check(what, partial(_optimized_speed, place, model, batch, how, what))


def _optimized_speed(place: Place, model: EmbeddedModel, batch: int, how: Optimization, what: str) -> Result:
    remark = model.optimize(how)
    return Result(what, remark, kept=False) if remark else _speed(place, model, batch, what)


def _speed(place: Place, model: EmbeddedModel, batch: int, what: str) -> Result:
    made = trainer(model, batch=batch, side=place.size.side)
    train_steps(made, WARM_UP)
    start = time.perf_counter()
    train_steps(made, place.size.steps)  # its last step's figures are read, so that all work is done then
    rate = place.size.steps / (time.perf_counter() - start)
    return Result(
        what,
        f"{rate:.2f} steps/s, {rate * batch:.2f} images/s",
        numbers={"steps_per_second": rate, "images_per_second": rate * batch},
    )


def _waits(place: Place, model: EmbeddedModel, what: str) -> Result:
    made = trainer(model, batch=2, side=place.size.short_side, gradient_accumulation=2, clip="norm")
    train_steps(made, WARM_UP)
    if not place.on_card:
        train_steps(made, place.size.steps)
        return Result(what, ONLY_ON_CARD)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            train_steps(made, place.size.steps)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    places = sorted({f"{one.filename}:{one.lineno}" for one in found if "synchroniz" in str(one.message)})
    count = sum("synchroniz" in str(one.message) for one in found) / place.size.steps
    return Result(what, f"{count:g} ({', '.join(places)})", "1", count <= 1, {"waits": count})


def _memory(place: Place, model: EmbeddedModel, batch: int, side: int, blocks: str, what: str) -> Result:
    made = trainer(model, batch=batch, side=side, gradient_checkpointing=blocks)
    if not place.on_card:
        train_steps(made, 1)
        return Result(what, ONLY_ON_CARD)
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    train_steps(made, 2)
    used, held = torch.cuda.max_memory_allocated() / 2**30, torch.cuda.max_memory_reserved() / 2**30
    return Result(
        what, f"{used:.2f} GiB, {held:.2f} GiB with torch's reserve", numbers={"allocated": used, "reserved": held}
    )


def train_steps(made: Trainer, count: int) -> Any:
    """Take so many steps more."""
    made.limits = replace(made.limits, max_steps=made.step + count)
    return made.run()
