"""The training loop.

    learning rate → batch(seed, step) → encode_prompts → noise, t from (seed, step) → predict → loss → backward
    → unscale → clip → optimizer step → callbacks (log, validate, save, preview if due) → stop if asked

A step is a pure function of the state and its number, so that N steps equal K, a resume, and N - K steps bit for bit
(as far as the device's own kernels give equal results for equal inputs, as the CPU's do).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed, out_of_memory
from lib_ti.host.model import Model
from lib_ti.schedule import Schedule
from lib_ti.signals import StepDone
from lib_ti.training.memory.device import release
from lib_ti.training.memory.sets import MemorySets
from lib_ti.training.step.backward import Backward
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.step.embeddings import TrainableEmbeddings
from lib_ti.training.step.gradients import all_finite, clip
from lib_ti.training.step.limits import Limits
from lib_ti.training.step.loss_scale import LossScale
from lib_ti.training.step.optimizers import Optimizer
from lib_ti.wording import number, some

KEEP_GOOD_EVERY = 10
"""Steps between copies of the state that a failing run goes back to."""
SMOOTHING = 0.98
"""Weight of the past in the smoothed training loss."""


def read_figures(figures: Tensor) -> tuple[float, bool, tuple[float, ...]]:
    """Read a step's loss, whether it updated the vectors, and the vectors' norms after it.

    The only place where training waits for the device.
    """
    loss, applied, *norms = figures.tolist()
    return loss, bool(applied), tuple(norms)


class Callback:
    """Something to do during a run besides taking steps. Callbacks are called in the order in which they are given."""

    def on_run_start(self, trainer: Trainer) -> None:
        """Act before the first step of this session."""

    def on_step_result(self, result: StepDone, batch: TrainingBatch) -> None:
        """Take note of a step's loss, which on a graphics card is read only after the next step has been started."""

    def on_out_of_memory(self, trainer: Trainer) -> None:
        """Act before the step after ``trainer.step`` is repeated with less memory, as ``trainer.memory`` says."""

    def on_step_end(self, trainer: Trainer) -> None:
        """Act after ``trainer.step`` steps; call :meth:`Trainer.flush_pending` before looking at the vectors."""

    def on_run_end(self, trainer: Trainer) -> None:
        """Act after the last step of this session, finished or stopped."""

    def on_exception(self, trainer: Trainer, error: Exception) -> None:
        """Act before an error ends the run."""


@dataclass
class _PendingStep:
    """A step whose figures are still on the device; reading them at once would make the device wait."""

    step: int
    batch: TrainingBatch
    learning_rate: float
    figures: Tensor
    """(2 + vectors,): the loss, 1 if the vectors were updated, else 0, and the norms of all vectors. One tensor, so
    that reading them is one wait."""
    state_before: LastGoodState | None


@dataclass(frozen=True)
class LastGoodState:
    """State after ``step`` steps, known to give a finite loss."""

    step: int
    vectors: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    loss_scale: dict[str, Tensor]
    smoothed_loss: float | None


class Trainer:
    """Trains the vectors of embeddings, and nothing else, on a model's denoising loss.

    Parameters
    ----------
    embeddings
        The leaf tensors, to which ``backward`` adds gradients and which ``optimizer`` updates.
    """

    def __init__(
        self,
        model: Model,
        embeddings: TrainableEmbeddings,
        *,
        backward: Backward,
        optimizer: Optimizer,
        schedule: Schedule,
        limits: Limits,
        memory: MemorySets,
    ) -> None:
        self.model, self.embeddings = model, embeddings
        self.optimizer, self.schedule, self.limits = optimizer, schedule, limits
        self.loss_scale = LossScale(enabled=model.needs_loss_scaling, device=model.device)
        self.step = embeddings.step
        self.smoothed_loss: float | None = None
        self.resumed = False
        """Whether the run continues from a saved state."""
        self.ending = False
        """Whether the last step has been taken."""
        self.deferred = model.device.type != "cpu"
        """Whether a step's figures are read only when the next step is under way, so that the device need not wait."""
        self.memory = memory
        self._backward = backward
        self._callbacks: Sequence[Callback] = ()
        self._pending: _PendingStep | None = None
        self._consecutive_bad_steps = 0
        self._last_good = self._copy_state()
        self._step_seconds: float | None = None

    @property
    def live(self) -> Embedding:
        """The first embedding as it is now, made of the leaf tensors themselves."""
        return self.embeddings.live(self.step)[0]

    @property
    def finished(self) -> bool:
        return self.step >= self.limits.max_steps

    def run(self, callbacks: Sequence[Callback] = (), should_stop: Callable[[], bool] = lambda: False) -> str:
        """Train until ``limits.max_steps`` or ``should_stop``, and return ``"done"`` or ``"stopped"``.

        Raises
        ------
        TrainingFailed
            When the loss stays infinite or undefined; the vectors are then those of the last good step.
        """
        self._callbacks, self.ending = callbacks, False
        try:
            self.memory.current.apply(self.model)
            for callback in callbacks:
                callback.on_run_start(self)
            while not self.finished and not should_stop():
                self._run_step()
                for callback in callbacks:
                    callback.on_step_end(self)
            self.ending = True
            self.flush_pending()
            for callback in callbacks:
                callback.on_run_end(self)
        except Exception as error:
            for callback in callbacks:
                callback.on_exception(self, error)
            raise
        return "done" if self.finished else "stopped"

    def flush_pending(self) -> None:
        """Read the figures of the last step from the device, and pass them to the callbacks."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        loss, applied, norms = read_figures(pending.figures)
        if applied:
            self._consecutive_bad_steps = 0
            before = self.smoothed_loss
            self.smoothed_loss = loss if before is None else SMOOTHING * before + (1 - SMOOTHING) * loss
        else:
            self._consecutive_bad_steps += 1
        result = StepDone(
            step=pending.step,
            max_steps=self.limits.max_steps,
            loss=loss,
            smoothed=self.smoothed_loss if self.smoothed_loss is not None else math.nan,
            learning_rate=pending.learning_rate,
            seconds=self._step_seconds or 0.0,
            skipped=not applied,
            norms=norms,
        )
        for callback in self._callbacks:
            callback.on_step_result(result, pending.batch)
        if applied and pending.state_before is not None:
            self._last_good = pending.state_before
        limits = self.limits
        if self._consecutive_bad_steps >= (limits.bad_steps_scaled if self.loss_scale.enabled else limits.bad_steps):
            self._give_up(pending)

    def restore(self, optimizer: dict[str, Tensor], loss_scale: dict[str, Tensor], smoothed_loss: float | None) -> None:
        """Load the rest of a saved state; the vectors came with the embeddings."""
        self.optimizer.load(optimizer)
        self.loss_scale.load(loss_scale)
        self.smoothed_loss, self.resumed = smoothed_loss, True
        self._last_good = self._copy_state()

    def _run_step(self) -> None:
        started = time.perf_counter()
        pending = self._take_step()
        self.flush_pending()
        self._pending = pending
        seconds = time.perf_counter() - started
        self._step_seconds = seconds if self._step_seconds is None else 0.9 * self._step_seconds + 0.1 * seconds
        if not self.deferred:
            self.flush_pending()

    def _take_step(self) -> _PendingStep:
        step = self.step + 1
        state_before = self._copy_state() if self.step % KEEP_GOOD_EVERY == 0 else None
        learning_rate = self.schedule.learning_rate(step)
        batch, loss = self._add_gradients()
        gradients = self._take_gradients()
        finite = all_finite(loss, *gradients.values())
        gradients = clip(gradients, self.limits.clip, self.limits.clip_value)
        applied = self.optimizer.step(gradients, learning_rate, finite)
        self.loss_scale.update(finite)
        self.step = step
        norms = [leaf.detach().norm(dim=1) for leaf in self.embeddings.named.values()]
        figures = torch.cat([torch.stack([loss, applied.to(loss)]), *norms])
        return _PendingStep(step, batch, learning_rate, figures, state_before)

    def _add_gradients(self) -> tuple[TrainingBatch, Tensor]:
        """Add the next step's gradients to the leaves, with less memory where it is short, and return its loss.

        A step is a pure function of its number, so that it can be repeated.
        """
        while True:
            try:
                return self._backward_passes()
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or not self.memory.reduce():
                    raise
            # Only here, without the error, are the tensors of the step free.
            for leaf in self.embeddings.named.values():
                leaf.grad = None
            release(self.model.device)
            self.memory.current.apply(self.model)
            for callback in self._callbacks:
                callback.on_out_of_memory(self)

    def _backward_passes(self) -> tuple[TrainingBatch, Tensor]:
        count = self.limits.gradient_accumulation
        losses, batch = [], None
        for index in range(self.step * count, (self.step + 1) * count):
            batch, loss = self._backward(index, self.loss_scale.value / count, self.memory.images)
            losses.append(loss / count)
        assert batch is not None
        return batch, torch.stack(losses).sum()

    def _take_gradients(self) -> dict[str, Tensor]:
        """Return the unscaled gradients, and clear them."""
        leaves = self.embeddings.named
        unused = [name for (name, _), leaf in self.embeddings.leaves.items() if leaf.grad is None]
        if unused:
            raise TrainingFailed(
                f"The prompts of step {self.step + 1} do not use the embedding {some(unused)}, so nothing can be "
                "learned from them: does each line of the template have [name], and is the name still free?"
            )
        gradients = {name: leaf.grad / self.loss_scale.value for name, leaf in leaves.items() if leaf.grad is not None}
        for leaf in leaves.values():
            leaf.grad = None
        return gradients

    def _copy_state(self) -> LastGoodState:
        vectors = {name: leaf.detach().clone() for name, leaf in self.embeddings.named.items()}
        optimizer = {name: tensor.clone() for name, tensor in self.optimizer.state().items()}
        return LastGoodState(self.step, vectors, optimizer, self.loss_scale.state(), self.smoothed_loss)

    @torch.no_grad()
    def _give_up(self, pending: _PendingStep) -> None:
        """Go back to the last good state, and raise."""
        good = self._last_good
        for name, leaf in self.embeddings.named.items():
            leaf.copy_(good.vectors[name])
        self.optimizer.load(good.optimizer)
        self.loss_scale.load(good.loss_scale)
        self.smoothed_loss, self.step = good.smoothed_loss, good.step
        raise TrainingFailed(
            f"The loss or its gradient was NaN or infinite for {self._consecutive_bad_steps} steps in a row, up to "
            f"step {pending.step}; the vectors are back at step {self.step}. Lower the Embedding learning rate (it was "
            f"{number(pending.learning_rate)}) or turn on Gradient clipping; with float16, try Precision bfloat16 or "
            "float32."
        )
