"""Images of the embedded host: the same for the same request, and no one else's random numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.sampling.samplers import SAMPLERS
from lib_ti.host.model import ImageRequest

Make = Callable[..., Embedding]

SMALL = ImageRequest("a my-style cat", steps=3, width=64, height=64, seed=7)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_generating_is_reproducible_and_keeps_the_random_state(
    model: EmbeddedModel, embedding: Make, sampler: str
) -> None:
    request = ImageRequest("a my-style cat", "dog, " * 40, steps=3, sampler=sampler, width=64, height=72, seed=5)
    style = embedding()
    torch_state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = model.generate(request, [style])
    torch.randn(3)
    second = model.generate(request, [style])
    assert (first.mode, first.size) == ("RGB", (64, 72))
    assert first.tobytes() == second.tobytes()
    torch.random.set_rng_state(torch_state)
    model.generate(request, [style])
    assert torch.equal(torch.random.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002
    assert style.vectors["clip_l"].grad is None


def test_words_seed_and_guidance_matter(model: EmbeddedModel, embedding: Make) -> None:
    variants = [
        SMALL,
        replace(SMALL, prompt="a dog"),
        replace(SMALL, negative_prompt="a dog"),
        replace(SMALL, seed=8),
        replace(SMALL, cfg_scale=200),
    ]
    different = {image.tobytes() for image in model.generate_many(variants, [embedding(scale=1.0)])}
    assert len(different) == len(variants)


def test_negative_prompt_without_guidance_is_not_used(model: EmbeddedModel) -> None:
    images = [
        model.generate(ImageRequest("cat", negative, steps=2, width=64, height=64, cfg_scale=1), [])
        for negative in ("", "dog")
    ]
    assert images[0].tobytes() == images[1].tobytes()


def test_generating_a_batch_equals_generating_each(model: EmbeddedModel, embedding: Make) -> None:
    dog, other = replace(SMALL, prompt="dog", steps=2), replace(SMALL, prompt="x", seed=1)
    requests = [SMALL, dog, SMALL, other]
    together = model.generate_many(requests, [embedding()])
    for request, image in zip(requests, together, strict=True):
        alone = np.asarray(model.generate(request, [embedding()]), dtype=int)
        assert np.abs(alone - np.asarray(image, dtype=int)).max() <= 1


def test_bad_requests_name_everything_that_is_wrong(model: EmbeddedModel) -> None:
    request = ImageRequest("x", steps=0, sampler="Heun3", width=60, height=64, seed=-1)
    with pytest.raises(BadInput) as caught:
        model.generate(request, [])
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    for word in ("width of 60", "0 sampling steps", "seed -1", "'Heun3' is not known", "Euler a"):
        assert word in text
    with pytest.raises(BadInput, match="'DDIM' has no scheduler 'Karras'"):
        model.generate(ImageRequest("x", sampler="DDIM", scheduler="Karras", width=64, height=64), [])
    with pytest.raises(BadInput, match="multiples of 8"):
        model.encode_images(torch.zeros(1, 3, 64, 60))


def test_an_image_can_be_interrupted_between_the_samplers_steps(model: EmbeddedModel) -> None:
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(len(asked) == 3)
        return asked[-1]

    with pytest.raises(Stopped):
        model.generate(replace(SMALL, steps=100), [], stop)
    assert len(asked) == 4
