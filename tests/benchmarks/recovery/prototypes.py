"""What is measured before it is a setting: changes to a trainer that the engine made."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.schedule import FINAL_SHARE
from lib_ti.training.step.diffusion import TIMESTEPS, Draw
from lib_ti.training.step.objective import DenoisingObjective
from lib_ti.training.trainer import Trainer
from tests.benchmarks.recovery.monitor import Check, Monitor

Adapting = Callable[[Trainer, EmbeddedModel, Monitor], AbstractContextManager[None]]


@dataclass
class HoldThenCosine:
    """A constant learning rate up to step ``hold``, then a cosine over ``decay`` steps down to 5 %."""

    rate: float
    hold: int
    decay: int

    def learning_rate(self, step: int) -> float:
        done = min(1.0, max(0.0, (step - self.hold) / self.decay))
        return self.rate * (FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * done)))


def hold_then_cosine(hold: int, decay: int) -> Adapting:
    """Return an adaptation that holds the settings' learning rate for ``hold`` steps and then lets it decay."""

    @contextmanager
    def adapt(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> Iterator[None]:
        trainer.schedule = HoldThenCosine(trainer.schedule.learning_rate(1), hold, decay)
        yield

    return adapt


def hold_until_takeoff(decay: int) -> Adapting:
    """Return an adaptation whose decay begins when the training images show that learning has taken off.

    The run ends with the decay, or at its last step if learning does not take off.
    """

    @contextmanager
    def adapt(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> Iterator[None]:
        most = trainer.limits.max_steps
        schedule = HoldThenCosine(trainer.schedule.learning_rate(1), most - decay, decay)
        trainer.schedule = schedule

        def begin(trainer: Trainer, check: Check) -> None:
            if check.training and check.step < schedule.hold and _has_taken_off(monitor.checks):
                schedule.hold = check.step
                trainer.limits = replace(trainer.limits, max_steps=min(most, check.step + decay))

        monitor.listeners.append(begin)
        yield

    return adapt


def _has_taken_off(checks: list[Check], least: float = 0.05, errors: float = 2.0) -> bool:
    """Whether the loss of training images fell by 5 % since the first check, and by two standard errors."""
    first, now = checks[0].training, checks[-1].training
    fallen = [before - after for before, after in zip(first, now, strict=True)]
    error = statistics.stdev(fallen) / math.sqrt(len(fallen))
    mean = statistics.fmean(fallen)
    return mean >= errors * error and mean >= least * statistics.fmean(first)


def _detached(value: object) -> object:
    return value.detach() if isinstance(value, Tensor) else value


@contextmanager
def only_up_blocks(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> Iterator[None]:
    """Let gradients reach the text only through the cross-attention of the UNet's up blocks.

    Nothing else in the down and middle blocks depends on the embedding, so their backward pass is left away.
    """

    def without_gradient(
        module: nn.Module, arguments: tuple[object, ...], named: dict[str, object]
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        return tuple(map(_detached, arguments)), {name: _detached(value) for name, value in named.items()}

    unet = model._unet
    hooks = [
        block.register_forward_pre_hook(without_gradient, with_kwargs=True)
        for block in (*unet.down_blocks, unet.mid_block)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def small_start(share: float) -> Adapting:
    """Return an adaptation that begins with ``share`` of the initial norms, and lets vectors grow up to these."""

    @contextmanager
    def adapt(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> Iterator[None]:
        leaves = trainer.embeddings.named
        most = {name: leaf.detach().norm(dim=1, keepdim=True) for name, leaf in leaves.items()}

        def capped(name: str, vectors: Tensor) -> Tensor:
            return vectors * (most[name] / vectors.norm(dim=1, keepdim=True)).clamp(max=1)

        with torch.no_grad():
            for leaf in leaves.values():
                leaf.mul_(share)
        trainer.optimizer._constraint = capped  # type: ignore[attr-defined]
        yield

    return adapt


@dataclass(frozen=True)
class TimestepsFrom(DenoisingObjective):
    """Timesteps uniform from ``lowest`` up."""

    lowest: int = 0

    def draw(self, index: int, shape: tuple[int, ...]) -> Draw:
        drawn = super().draw(index, shape)
        return replace(drawn, timesteps=self.lowest + drawn.timesteps * (TIMESTEPS - self.lowest) // TIMESTEPS)


def timesteps_from(lowest: int) -> Adapting:
    """Return an adaptation that trains on timesteps of at least ``lowest`` only."""

    @contextmanager
    def adapt(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> Iterator[None]:
        backward = trainer._backward
        backward._objective = TimestepsFrom(backward._objective.seed, lowest)  # type: ignore[attr-defined]
        yield

    return adapt
