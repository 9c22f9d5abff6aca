"""The training loop.

    rate(step) → batch(seed, step) → encode_prompts → noise, t from (seed, step) → predict → loss → backward → unscale
    → clip → step → log → evaluate / save / preview if due → stop if asked

A step is a pure function of the state and its number, so that N steps equal K, a resume, and N - K steps bit for bit
(as far as the device's own kernels give equal results for equal inputs, as the processor's do).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed
from lib_ti.host.model import Conditions, Model
from lib_ti.signals import Control, StepDone
from lib_ti.training import diffusion, optim
from lib_ti.wording import number, quoted

GIVE_UP_AFTER = 10
"""Steps in a row without a finite result after which a run ends."""
GIVE_UP_AFTER_SCALED = 30
"""The same under loss scaling, which needs up to 16 overflows to find its scale."""
KEEP_GOOD_EVERY = 10
"""Steps between copies of the vectors to which a failing run goes back."""
SMOOTHING = 0.98


@dataclass(frozen=True)
class TrainingBatch:
    """Latents (B, 4, h, w), loss weights (B, 1, h, w) or none, B prompts with sizes, and the place in the data."""

    latents: Tensor
    weight: Tensor | None
    conditions: Conditions
    epoch: int
    position: int


Batches = Callable[[int], TrainingBatch]
"""The batch of a pass, counted from 0 over the embedding's life; a pure function."""


def read_figures(figures: Tensor) -> tuple[float, bool]:
    """Read a step's loss, and whether it moved the vectors: the only place where training waits for the device."""
    loss, applied = figures.tolist()
    return loss, bool(applied)


class Duties(Protocol):
    """What is done between steps; each is called with the trainer standing after ``trainer.step`` finished steps."""

    def stepped(self, event: StepDone, batch: TrainingBatch) -> None: ...
    def between_steps(self) -> None: ...


@dataclass
class _Pending:
    """A step whose figures are still on the device; reading them at once would make the device wait."""

    step: int
    batch: TrainingBatch
    rate: float
    figures: Tensor
    """(2,): the loss, and 1 if the vectors were moved, else 0; one tensor, so that reading them is one wait."""
    before: _Good | None


@dataclass(frozen=True)
class _Good:
    """The vectors after ``step`` steps, known to give a finite loss, and everything that went with them."""

    step: int
    vectors: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    scale: dict[str, Tensor]
    smoothed: float | None


class Trainer:
    """Moves an embedding's vectors, and nothing else, down the model's denoising loss.

    Parameters
    ----------
    embedding
        Where to start; its vectors are copied to leaf tensors on the model's device.
    first_step
        Steps that were finished when the run began, for warm-up and decay; ``embedding.step`` of a fresh run.
    deferred
        Read a step's figures only when the next one is under way, so that the device need not wait for the processor;
        by default everywhere but on the processor itself.
    """

    def __init__(
        self,
        model: Model,
        config: TrainConfig,
        batches: Batches,
        embedding: Embedding,
        *,
        first_step: int,
        control: Control,
        deferred: bool | None = None,
    ) -> None:
        self.model, self.config, self.control = model, config, control
        self.first_step = first_step
        self.step = embedding.step
        self.smoothed: float | None = None
        self._batches = batches
        self._schedule = config.schedule()
        self._leaves = {
            key: vector.detach().to(model.device, torch.float32).clone().requires_grad_(True)
            for key, vector in embedding.vectors.items()
        }
        self._live = embedding.with_vectors(self._leaves, step=embedding.step)
        self.optimizer = optim.VectorAdamW(self._leaves, weight_decay=config.weight_decay)
        self.scale = optim.LossScale(enabled=model.needs_loss_scaling, device=model.device)
        self._deferred = model.device.type != "cpu" if deferred is None else deferred
        self._pending: _Pending | None = None
        self._trouble = 0
        self._good = self._copy()
        self._seconds: float | None = None

    @property
    def live(self) -> Embedding:
        """The embedding as it is now, with the leaf tensors themselves."""
        return self._live.with_vectors(self._leaves, step=self.step)

    def run(self, duties: Duties) -> str:
        """Train until ``config.max_steps`` or a request to stop; returns ``"done"`` or ``"stopped"``.

        Raises
        ------
        TrainingFailed
            When the loss stays infinite or undefined; the vectors are then those of the last good step.
        """
        while self.step < self.config.max_steps and not self.control.stop_requested:
            started = time.perf_counter()
            pending = self._take_step()
            self._settle(duties)
            self._pending = pending
            self._time(time.perf_counter() - started)
            if not self._deferred:
                self._settle(duties)
            duties.between_steps()
        self._settle(duties)
        return "done" if self.step >= self.config.max_steps else "stopped"

    def settle(self, duties: Duties) -> None:
        """Read the figures of the last step from the device; to be called before the state is looked at."""
        self._settle(duties)

    def restore(self, optimizer: dict[str, Tensor], scale: dict[str, Tensor], smoothed: float | None) -> None:
        """Take over the rest of a saved state; the vectors came with the embedding."""
        self.optimizer.load(optimizer)
        self.scale.load(scale)
        self.smoothed = smoothed
        self._good = self._copy()

    def _take_step(self) -> _Pending:
        number = self.step + 1
        before = self._copy() if self.step % KEEP_GOOD_EVERY == 0 else None
        rate = self._schedule.rate(number, first_step=self.first_step + 1, max_steps=self.config.max_steps)
        passes = self.config.gradient_accumulation
        losses, batch = [], None
        for index in range(self.step * passes, (self.step + 1) * passes):
            batch = self._batches(index)
            losses.append(self._forward_backward(batch, index) / passes)
        assert batch is not None
        loss = torch.stack(losses).sum()
        gradients = {key: self._gradient(key) / self.scale.value for key in self._leaves}
        finite = optim.all_finite(loss, *gradients.values())
        gradients = optim.clip(gradients, self.config.clip, self.config.clip_value)
        applied = self.optimizer.step(gradients, rate, finite)
        self.scale.update(finite)
        for leaf in self._leaves.values():
            leaf.grad = None
        self.step = number
        return _Pending(number, batch, rate, torch.stack([loss, applied.to(loss)]), before)

    def _forward_backward(self, batch: TrainingBatch, index: int) -> Tensor:
        model = self.model
        drawn = diffusion.draw(diffusion.generator(self.config.seed, "pass", index), tuple(batch.latents.shape))
        latents, noise = self._sent(batch.latents), self._sent(drawn.noise)
        timesteps = self._sent(drawn.timesteps)
        weight = None if batch.weight is None else self._sent(batch.weight)
        with torch.enable_grad():
            conditioning = model.encode_prompts(batch.conditions, [self._live])
            noisy = diffusion.add_noise(latents, noise, timesteps, model.alphas_cumprod)
            predicted = model.predict(noisy, timesteps, conditioning)
            wanted = diffusion.target(model.info.prediction, latents, noise, timesteps, model.alphas_cumprod)
            loss = diffusion.loss(predicted, wanted, weight)
            (loss * (self.scale.value / self.config.gradient_accumulation)).backward()
        return loss.detach()

    def _sent(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.model.device, non_blocking=True)

    def _gradient(self, key: str) -> Tensor:
        gradient = self._leaves[key].grad
        if gradient is None:
            raise TrainingFailed(
                f"The prompts of step {self.step + 1} do not use the embedding {quoted(self._live.name)}, so that "
                "nothing can be learned from them: does each line of the template have [name], and is the "
                "name still free?"
            )
        return gradient

    def _settle(self, duties: Duties) -> None:
        pending, self._pending = self._pending, None
        if pending is None:
            return
        loss, applied = read_figures(pending.figures)
        if applied:
            self._trouble = 0
            self.smoothed = loss if self.smoothed is None else SMOOTHING * self.smoothed + (1 - SMOOTHING) * loss
        else:
            self._trouble += 1
        event = StepDone(
            step=pending.step,
            max_steps=self.config.max_steps,
            loss=loss,
            smoothed=self.smoothed if self.smoothed is not None else math.nan,
            rate=pending.rate,
            seconds=self._seconds or 0.0,
            skipped=not applied,
        )
        duties.stepped(event, pending.batch)
        if applied and pending.before is not None:
            self._good = pending.before
        if self._trouble >= (GIVE_UP_AFTER_SCALED if self.scale.enabled else GIVE_UP_AFTER):
            self._give_up(pending)

    def _copy(self) -> _Good:
        vectors = {key: leaf.detach().clone() for key, leaf in self._leaves.items()}
        optimizer = {key: tensor.clone() for key, tensor in self.optimizer.state().items()}
        return _Good(self.step, vectors, optimizer, self.scale.state(), self.smoothed)

    @torch.no_grad()
    def _give_up(self, pending: _Pending) -> None:
        for key, leaf in self._leaves.items():
            leaf.copy_(self._good.vectors[key])
        self.optimizer.load(self._good.optimizer)
        self.scale.load(self._good.scale)
        self.smoothed = self._good.smoothed
        self.step = self._good.step
        raise TrainingFailed(
            f"The loss or its gradient was not finite for {self._trouble} steps in a row, up to step {pending.step}; "
            f"the vectors are back at step {self.step}. Lower the Embedding learning rate (it was "
            f"{number(pending.rate)}) or turn on Gradient clipping; with float16, try Precision bfloat16 or float32."
        )

    def _time(self, seconds: float) -> None:
        self._seconds = seconds if self._seconds is None else 0.9 * self._seconds + 0.1 * seconds
