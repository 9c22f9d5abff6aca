"""The loop itself: gradients as they should be, figures read late, going back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import pytest
import torch

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.signals import Control, StepDone, as_json
from lib_ti.training.build import build_trainer
from lib_ti.training.memory.sets import MemorySet
from lib_ti.training.step import diffusion
from lib_ti.training.step.batch import TrainingBatch
from lib_ti.training.trainer import Callback, Trainer
from tests.fakes import FakeModel
from tests.prompts import of_images


class Kept(Callback):
    """Keeps the results of the steps."""

    def __init__(self) -> None:
        self.steps: list[StepDone] = []

    def on_step_result(self, result: StepDone, batch: TrainingBatch) -> None:
        self.steps.append(result)


def batches(index: int) -> TrainingBatch:
    rng = diffusion.generator("test", index)
    return TrainingBatch(
        torch.randn(2, 4, 4, 4, generator=rng), None, of_images(["a my-style", f"thing {index} my-style"]), 0, index
    )


def trainer(model: FakeModel, *, deferred: bool = False, **settings: object) -> Trainer:
    config = TrainConfig(**{"max_steps": 12, **settings})  # type: ignore[arg-type]
    start = Embedding("my-style", model.initial_vectors("style", 2))
    made = build_trainer(model, config, batches, start, first_step=0)
    made.deferred = deferred
    return made


def gradients_of(made: Trainer) -> list[dict[str, torch.Tensor]]:
    """What the optimizer is given, by step."""
    given: list[dict[str, torch.Tensor]] = []
    step = made.optimizer.step

    def look(gradients: Mapping[str, torch.Tensor], learning_rate: float, apply: torch.Tensor) -> torch.Tensor:
        given.append({key: tensor.clone() for key, tensor in gradients.items()})
        return step(gradients, learning_rate, apply)

    made.optimizer.step = look  # type: ignore[method-assign,assignment]
    made.run()
    return given


def test_the_optimizer_gets_unscaled_gradients() -> None:
    plain = gradients_of(trainer(FakeModel()))
    scaled = gradients_of(trainer(FakeModel(needs_loss_scaling=True)))
    for one, other in zip(plain, scaled, strict=True):
        torch.testing.assert_close(one["clip_l"], other["clip_l"])


def test_clipping_limits_what_the_optimizer_gets() -> None:
    for given in gradients_of(trainer(FakeModel(needs_loss_scaling=True), clip="norm", clip_value=1e-3)):
        assert given["clip_l"].norm() <= 1.001e-3


def test_accumulation_is_the_mean_of_its_passes() -> None:
    model = FakeModel()
    accumulated = gradients_of(trainer(model, gradient_accumulation=2, max_steps=1))[0]["clip_l"]
    parts = []
    for index in (0, 1):
        leaf = model.initial_vectors("style", 2)["clip_l"].requires_grad_(True)
        batch = batches(index)
        drawn = diffusion.draw(diffusion.generator(0, "pass", index), tuple(batch.latents.shape))
        noisy = diffusion.add_noise(batch.latents, drawn.noise, drawn.timesteps, model.alphas_cumprod)
        prompts = model.encode_prompts(batch.conditions, [Embedding("my-style", {"clip_l": leaf})])
        diffusion.loss(model.predict(noisy, drawn.timesteps, prompts), drawn.noise).backward()
        assert leaf.grad is not None
        parts.append(leaf.grad)
    torch.testing.assert_close(accumulated, (parts[0] + parts[1]) / 2)


@pytest.mark.parametrize("scaled", [False, True])
def test_reading_figures_late_changes_nothing(scaled: bool) -> None:
    now, late = (
        trainer(FakeModel(needs_loss_scaling=scaled)),
        trainer(FakeModel(needs_loss_scaling=scaled), deferred=True),
    )
    figures_now, figures_late = Kept(), Kept()
    now.run([figures_now])
    late.run([figures_late])
    assert now.live.vectors["clip_l"].equal(late.live.vectors["clip_l"])
    assert [(e.step, e.loss) for e in figures_now.steps] == [(e.step, e.loss) for e in figures_late.steps]


def test_a_stopped_run_has_the_figures_of_its_last_step() -> None:
    class Stopping(Kept):
        def on_step_end(self, trainer: Trainer) -> None:
            control.stop()

    control = Control()
    made, figures = trainer(FakeModel(), deferred=True), Stopping()
    assert made.run([figures], lambda: control.stop_requested) == "stopped"
    assert [event.step for event in figures.steps] == [1]


@pytest.mark.parametrize("deferred", [False, True])
def test_going_back_takes_everything_along(deferred: bool) -> None:
    model = FakeModel(needs_loss_scaling=True)
    model.poison_after = 25
    made = trainer(model, deferred=deferred, max_steps=200)
    with pytest.raises(TrainingFailed, match="30 steps in a row"):
        made.run()
    assert made.step == 20
    assert float(made.loss_scale.value) == 2.0**16
    assert math.isfinite(made.smoothed_loss or math.nan)
    assert made.live.vectors["clip_l"].isfinite().all()


def test_a_skipped_step_is_valid_json() -> None:
    model = FakeModel()
    model.poison_after = 0
    figures = Kept()
    with pytest.raises(TrainingFailed):
        trainer(model).run([figures])
    text = json.dumps(as_json(figures.steps[0]), allow_nan=False)
    assert json.loads(text)["loss"] is None


class Full(FakeModel):
    """Has memory for so many images at once, more with checkpointing, and reports what it was asked for."""

    def __init__(self, room: dict[str, int], error: type[Exception] = torch.OutOfMemoryError, first: int = 0) -> None:
        super().__init__()
        self.room, self.error, self.first = room, error, first
        self.asked: list[tuple[str, int]] = []

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: TextConditioning) -> torch.Tensor:
        if not self.asked or self.asked[-1] != (self.checkpointing, len(noisy)):
            self.asked.append((self.checkpointing, len(noisy)))
        result = super().predict(noisy, timesteps, conditioning)
        if self.predictions > self.first and len(noisy) > self.room[self.checkpointing]:
            raise self.error("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return result


class Reduced(Callback):
    """Notes the sets that steps are repeated with."""

    def __init__(self) -> None:
        self.sets: list[tuple[int, str]] = []

    def on_out_of_memory(self, trainer: Trainer) -> None:
        self.sets.append((trainer.step + 1, trainer.memory.how))


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
@pytest.mark.parametrize("deferred", [False, True])
def test_a_step_without_memory_is_repeated_with_less(error: type[Exception], deferred: bool) -> None:
    plain = trainer(FakeModel(), batch_size=2, gradient_accumulation=2)
    plain.run()
    model = Full({"off": 0, "transformer-blocks": 1, "all-blocks": 1}, error, first=7)
    made = trainer(model, deferred=deferred, batch_size=2, gradient_accumulation=2)
    reduced, figures = Reduced(), Kept()
    assert made.run([reduced, figures]) == "done"
    one = "1 of 2 images is computed at once"
    assert reduced.sets == [
        (4, f"Gradient checkpointing is off, and {one}"),
        (4, f"Gradient checkpointing is transformer-blocks, and {one}"),
    ]
    assert model.asked == [("off", 2), ("off", 1), ("transformer-blocks", 1)]
    torch.testing.assert_close(made.live.vectors["clip_l"], plain.live.vectors["clip_l"], rtol=0, atol=1e-6)
    assert [result.step for result in figures.steps] == list(range(1, 13))
    assert not any(result.skipped for result in figures.steps)


def test_checkpointing_that_was_chosen_stays() -> None:
    made = trainer(Full({"off": 9, "all-blocks": 0}), batch_size=2, gradient_checkpointing="all-blocks")
    with pytest.raises(torch.OutOfMemoryError):
        made.run()
    assert made.memory.current == MemorySet("all-blocks", 1)
    assert made.step == 0


def test_another_error_is_not_taken_for_a_lack_of_memory() -> None:
    class Broken(FakeModel):
        def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: TextConditioning) -> torch.Tensor:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    made = trainer(Broken())
    with pytest.raises(RuntimeError, match="mat1"):
        made.run()
    assert made.memory.current == MemorySet("off", 1)
