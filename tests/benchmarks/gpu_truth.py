"""Whether a graphics card computes what the processor does, and the same thing twice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import cast

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.host.base import Precision, SessionOptions
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.signals import Control, Event, StepDone
from lib_ti.training.step import diffusion
from tests.benchmarks.gpu_place import NAME, PROMPT, Check, Place, Result, Runs
from tests.prompts import of_images

TOLERANCES = {"float32": 1e-3, "float16": 1e-2, "bfloat16": 3e-2}
"""Of the loss, as a share of it, and of the gradient, as the sine of the angle between both. A card's own float32
multiplies with the precision of TF32 in convolutions."""
STEPS = 8
STOPPED_AT = 4
ONCE, TWICE, RESUMED = "benchmark-once", "benchmark-twice", "benchmark-resumed"


def agreement(place: Place) -> Iterator[Check]:
    """Loss and gradient of one pass, against the processor's in float32."""
    with place.fresh_host("cpu").models.session(SessionOptions("float32")) as model:
        expected = _pass(model, place.size.short_side)
    for precision in place.precisions:
        with place.host.models.session(SessionOptions(cast("Precision", precision))) as model:
            yield Check(_agreement(precision), partial(_compare, place, precision, model, expected))


def resume(place: Place) -> Iterator[Check]:
    """Two equal runs, and one that is stopped and resumed, by the bits of their vectors."""
    runs = Runs(place, place.host, place.size.short_side)
    for what, run in (("two equal runs: vectors", _twice), ("a stopped and resumed run: vectors", _resumed)):
        yield Check(what, partial(run, runs, what))


def _pass(model: EmbeddedModel, side: int) -> tuple[float, torch.Tensor]:
    """Loss and gradient of the same batch on any device."""
    latent = side // VAE_SCALE_FACTOR
    shape = (3, 4, latent, latent)
    rng = diffusion.generator("agreement")
    latents, noise = torch.randn(shape, generator=rng).to(model.device), torch.randn(shape, generator=rng)
    timesteps = torch.tensor([50, 500, 950]).to(model.device)
    leaf = model.initial_vectors("style", 4)["clip_l"].to(model.device).requires_grad_()
    noisy = diffusion.add_noise(latents, noise.to(model.device), timesteps, model.alphas_cumprod)
    conditioning = model.encode_prompts(of_images([PROMPT] * 3), [Embedding(NAME, {"clip_l": leaf})])
    predicted = model.predict(noisy, timesteps, conditioning)
    loss = diffusion.loss(predicted, noise.to(model.device))
    scale = 2.0**12 if model.needs_loss_scaling else 1.0
    (loss * scale).backward()
    assert leaf.grad is not None
    return loss.item(), leaf.grad.cpu() / scale


def _compare(place: Place, precision: str, model: EmbeddedModel, expected: tuple[float, torch.Tensor]) -> Result:
    loss, gradient = _pass(model, place.size.short_side)
    off = abs(loss - expected[0]) / expected[0]
    cosine = torch.cosine_similarity(gradient.flatten().double(), expected[1].flatten().double(), dim=0)
    sine = max(0.0, 1 - cosine.item() ** 2) ** 0.5
    limit = TOLERANCES[precision]
    return Result(
        _agreement(precision),
        f"{loss:.6f} and {expected[0]:.6f}, off by {off:.1e}; gradient by {sine:.1e}",
        f"{limit:.0e} each",
        off <= limit and sine <= limit,
        {"loss": loss, "processor": expected[0], "gradient_sine": sine},
    )


def _agreement(precision: str) -> str:
    return f"{precision}: loss and gradient against the processor's"


def _twice(runs: Runs, what: str) -> Result:
    for name in (ONCE, TWICE):
        runs.create(name)
        runs.train(name, max_steps=STEPS)
    return _same(what, runs, ONCE, TWICE)


def _resumed(runs: Runs, what: str) -> Result:
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == STOPPED_AT:
            control.stop("benchmark")

    runs.create(RESUMED)
    runs.train(RESUMED, stop, control, max_steps=STEPS)
    between = runs.embedding(RESUMED).step
    assert STOPPED_AT <= between < STEPS, f"it stopped at step {between}"
    runs.train(RESUMED, max_steps=STEPS)
    return _same(what, runs, ONCE, RESUMED)


def _same(what: str, runs: Runs, one: str, other: str) -> Result:
    first, second = (runs.embedding(name).vectors["clip_l"] for name in (one, other))
    off = (first - second).abs().max().item()
    return Result(what, "equal bits" if off == 0 else f"{off:.1e} apart", "equal bits", off == 0, {"apart": off})
