"""Where the time of a step goes, and what it keeps.

Times are of this thread's processor, so that other programs on the machine do not count.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lib_ti.config import TrainConfig
from lib_ti.host.model import Conditions
from tests.benchmarks.row import Row
from tests.benchmarks.studio import Studio, studio

STEPS = 60
BATCH = 4


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder), "striped") as made:
        yield from _gradients(made)
        yield from _share(made)
        yield from _backward(made)


def measure_memory() -> Iterator[Row]:
    """Memory of the process after 200 steps and after 2,000."""
    with tempfile.TemporaryDirectory() as folder, studio(Path(folder), "striped") as made:
        trainer = made.trainer(TrainConfig(max_steps=200))
        trainer.run()
        gc.collect()
        early = _memory()
        trainer.limits = replace(trainer.limits, max_steps=2000)
        trainer.run()
        gc.collect()
        growth = _memory() - early
    yield Row("growth of the process from step 200 to 2,000", f"{growth:.1f} MB", "flat (5 MB)", growth < 5)


def _gradients(made: Studio) -> Iterator[Row]:
    trainer = made.trainer(TrainConfig(max_steps=1, batch_size=BATCH))
    seen: list[bool] = []
    step = trainer.optimizer.step

    def look(gradients: dict[str, torch.Tensor], learning_rate: float, apply: torch.Tensor) -> torch.Tensor:
        parameters = [thing for thing in gc.get_objects() if isinstance(thing, torch.nn.Parameter)]
        seen.append(not parameters or any(p.grad is not None or p.requires_grad for p in parameters))
        return step(gradients, learning_rate, apply)

    trainer.optimizer.step = look  # type: ignore[method-assign,assignment]
    trainer.run()
    yield Row(
        "tensors with a gradient",
        "the vectors only" if seen == [False] else "others too",
        "the vectors only",
        seen == [False],
    )


def _share(made: Studio) -> Iterator[Row]:
    """Time outside forward and backward of UNet and text encoder."""
    inside = 0.0

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal inside
            start = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                inside += time.thread_time() - start

        return call

    trainer = made.trainer(TrainConfig(max_steps=5, batch_size=BATCH))
    trainer.run()
    trainer = made.trainer(TrainConfig(max_steps=STEPS, batch_size=BATCH))
    model, backward = made.model, torch.Tensor.backward
    kept = model.encode_prompts, model.predict
    model.encode_prompts, model.predict = timed(kept[0]), timed(kept[1])  # type: ignore[method-assign]
    torch.Tensor.backward = timed(backward)  # type: ignore[method-assign]
    try:
        start = time.thread_time()
        trainer.run()
        whole = time.thread_time() - start
    finally:
        model.encode_prompts, model.predict = kept  # type: ignore[method-assign]
        torch.Tensor.backward = backward  # type: ignore[method-assign]
    outside = (whole - inside) / STEPS
    share = (whole - inside) / whole
    yield Row(
        f"time of a step ({1000 * whole / STEPS:.0f} ms at batch {BATCH}) outside forward and backward",
        f"{1000 * outside:.2f} ms, {100 * share:.1f} %",
        "3 ms and 5 %",
        outside < 0.003 and share < 0.05,
    )


def _backward(made: Studio) -> Iterator[Row]:
    """Forward and backward against the forward alone, in turn."""
    config = TrainConfig(max_steps=1, batch_size=BATCH)
    trainer, batch = made.trainer(config), made.batches(config)(0)
    ratios = []
    for index in range(12):
        start = time.thread_time()
        with torch.no_grad():
            _pass(made, trainer.live, batch.latents, batch.conditions)
        forward = time.thread_time() - start
        start = time.thread_time()
        _pass(made, trainer.live, batch.latents, batch.conditions).backward()
        both = time.thread_time() - start
        if index >= 2:
            ratios.append(both / (2 * forward))
    ratio = statistics.median(ratios)
    yield Row("forward + backward, in units of two forwards", f"{ratio:.2f}", "1.15", ratio < 1.15)


def _pass(made: Studio, embedding: Any, latents: torch.Tensor, conditions: Conditions) -> torch.Tensor:
    timesteps = torch.full((len(latents),), 500)
    return made.model.predict(latents, timesteps, made.model.encode_prompts(conditions, [embedding])).square().mean()


def _memory() -> float:
    """Resident memory of this process in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("this system does not say how much memory a process has")
