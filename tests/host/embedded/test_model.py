"""The contract between host and trainer, kept by the embedded host on a small random model."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped, UserError
from lib_ti.host.base import SessionOptions, run_arguments
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks
from lib_ti.host.model import Conditioning, ImageRequest
from tests.prompts import of_images

Make = Callable[..., Embedding]
SMALL = ImageRequest("a my-style cat", steps=3, width=64, height=64, seed=7)


def loss_of(model: EmbeddedModel, conditioning: Conditioning) -> torch.Tensor:
    count = len(conditioning.crossattn)
    generator = torch.Generator().manual_seed(1)
    noisy = torch.randn(count, 4, 8, 8, generator=generator)
    prediction = model.predict(noisy, torch.arange(count) * 400 + 5, conditioning)
    assert prediction.dtype == torch.float32
    return (prediction - noisy).square().mean()


def modules(model: EmbeddedModel) -> list[torch.nn.Module]:
    return [model._unet, model._autoencoder, model._text._encoders[0]._network]


def test_networks_are_those_of_the_file(model: EmbeddedModel, networks: Networks) -> None:
    prompt = "a photo of a cat"
    ids = torch.tensor([[49406, 320, 1125, 539, 320, 2368, *[49407] * 71]])
    words = model.encode_prompts(of_images([prompt]), [])
    with torch.no_grad():
        assert torch.equal(words.crossattn, networks.text_encoders["clip_l"](ids).last_hidden_state)
        noisy, steps = torch.ones(1, 4, 8, 8), torch.tensor([3])
        theirs = networks.unet(noisy, steps, words.crossattn).sample
        assert torch.equal(model.predict(noisy, steps, words), theirs)
        pixels = torch.rand(3, 3, 64, 64) * 2 - 1
        posterior = networks.autoencoder.encode(pixels).latent_dist
        stats = model.encode_images(pixels)
    assert torch.allclose(stats.mean, posterior.mean * 0.18215, atol=1e-6)
    assert torch.allclose(stats.std, posterior.std * 0.18215, atol=1e-6)


def test_info(model: EmbeddedModel, checkpoint: Path) -> None:
    assert (model.info.name, model.info.family, model.info.prediction) == ("small", "sd1", "eps")
    assert dict(model.info.widths) == {"clip_l": 64}
    assert len(model.info.hash) == 10
    assert model.alphas_cumprod.shape == (1000,)
    assert model.alphas_cumprod[[0, -1]].tolist() == pytest.approx([0.99915, 0.0047], rel=0.01)


def test_gradient_reaches_the_vectors_and_nothing_else(model: EmbeddedModel, embedding: Make) -> None:
    used, unused = embedding("my-style"), embedding("other", count=2)
    loss_of(model, model.encode_prompts(of_images(["a my-style cat", "my-style"]), [used, unused])).backward()
    gradient = used.vectors["clip_l"].grad
    assert gradient is not None
    assert gradient.abs().sum(1).gt(0).all()
    assert unused.vectors["clip_l"].grad is None
    assert all(p.grad is None and not p.requires_grad for module in modules(model) for p in module.parameters())


def test_vectors_of_words_are_those_words(model: EmbeddedModel) -> None:
    table = model._text._encoders[0]._network.get_input_embeddings().weight
    word = Embedding("my-style", {"clip_l": table[[320, 2368]].clone()})
    ours = model.encode_prompts(of_images(["photo of my-style, red"]), [word])
    assert torch.equal(ours.crossattn, model.encode_prompts(of_images(["photo of a cat, red"]), []).crossattn)


def test_equal_contexts_share_the_work_and_the_gradient(model: EmbeddedModel, embedding: Make) -> None:
    one, two = embedding(), embedding()
    (2 * model.encode_prompts(of_images(["a my-style"]), [one]).crossattn[:, 2]).sum().backward()
    both = model.encode_prompts(of_images(["a my-style", "a my-style"]), [two]).crossattn
    both[:, 2].sum().backward()
    assert torch.equal(both[0], both[1])
    assert torch.allclose(one.vectors["clip_l"].grad, two.vectors["clip_l"].grad, atol=1e-6)


def test_long_prompts_pad_the_short_ones(model: EmbeddedModel, embedding: Make) -> None:
    style = embedding(count=4)
    words = model.encode_prompts(of_images(["cat " * 74 + "my-style", "a dog"]), [style]).crossattn
    assert words.shape == (2, 154, 64)
    assert torch.allclose(words[1, 77:], model.encode_prompts(of_images([""]), []).crossattn[0], atol=1e-6)
    assert torch.allclose(words[0, 77:], model.encode_prompts(of_images(["my-style"]), [style]).crossattn[0], atol=1e-6)


def test_embedding_of_another_model_is_refused(model: EmbeddedModel) -> None:
    wide, other = Embedding("wide", {"clip_l": torch.ones(1, 768)}), Embedding("other", {"clip_h": torch.ones(1, 64)})
    model.encode_prompts(of_images(["not used"]), [wide, other])
    with pytest.raises(BadInput, match=r"'wide'.*clip_l 768 wide, and this model takes clip_l 64"):
        model.encode_prompts(of_images(["a wide street"]), [wide, other])
    with pytest.raises(BadInput, match=r"'other'.*clip_h 64"):
        model.encode_prompts(of_images(["no other"]), [wide, other])


def test_find_and_count(model: EmbeddedModel, embedding: Make) -> None:
    both = [embedding("my-style", count=3), embedding("Hat", count=2)]
    assert model.find_embeddings("a hat in MY-STYLE, hat", both) == ["Hat", "my-style"]
    assert model.count_tokens("a hat in MY-STYLE, hat", both) == 1 + 2 + 1 + 3 + 1 + 2


def test_initial_vectors(model: EmbeddedModel) -> None:
    table = model._text._encoders[0]._network.get_input_embeddings().weight
    (vectors,) = model.initial_vectors("a photo of a cat", 3).values()
    assert torch.equal(vectors, table[[320, 1125, 539]])
    (vectors,) = model.initial_vectors("photo cat", 6).values()
    assert torch.equal(vectors[[0, 3]], table[[1125, 2368]])
    # The rest are near their words, no two alike, and the same at every call.
    distance = (vectors - table[[1125] * 3 + [2368] * 3]).norm(dim=1)[[1, 2, 4, 5]]
    assert (distance / model.info.vocabulary_norm["clip_l"]).tolist() == pytest.approx([0.3] * 4, rel=0.35)
    assert len({tuple(vector) for vector in vectors.tolist()}) == 6
    assert torch.equal(vectors, model.initial_vectors("photo cat", 6)["clip_l"])
    assert torch.equal(model.initial_vectors("*", 1)["clip_l"], table[[265]])
    with pytest.raises(BadInput, match="has no words"):
        model.initial_vectors("  ", 2)


@pytest.mark.parametrize("sampler", ["Euler a", "Euler", "DPM++ 2M", "DPM++ 2M Karras", "DDIM"])
def test_drawing_repeats_and_leaves_randomness_alone(model: EmbeddedModel, embedding: Make, sampler: str) -> None:
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
    different = {picture.tobytes() for picture in model.generate_many(variants, [embedding(scale=1.0)])}
    assert len(different) == len(variants)


def test_negative_prompt_without_guidance_is_not_used(model: EmbeddedModel) -> None:
    pictures = [
        model.generate(ImageRequest("cat", negative, steps=2, width=64, height=64, cfg_scale=1), [])
        for negative in ("", "dog")
    ]
    assert pictures[0].tobytes() == pictures[1].tobytes()


def test_drawing_many_is_drawing_each(model: EmbeddedModel, embedding: Make) -> None:
    dog, other = replace(SMALL, prompt="dog", steps=2), replace(SMALL, prompt="x", seed=1)
    requests = [SMALL, dog, SMALL, other]
    together = model.generate_many(requests, [embedding()])
    for request, picture in zip(requests, together, strict=True):
        alone = np.asarray(model.generate(request, [embedding()]), dtype=int)
        assert np.abs(alone - np.asarray(picture, dtype=int)).max() <= 1


def test_bad_requests_name_everything_that_is_wrong(model: EmbeddedModel) -> None:
    request = ImageRequest("x", steps=0, sampler="Heun3", width=60, height=64, seed=-1)
    with pytest.raises(BadInput) as caught:
        model.generate(request, [])
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    for word in ("width of 60", "0 sampling steps", "seed -1", "'Heun3' is not known", "Euler a"):
        assert word in text
    with pytest.raises(BadInput, match="'Euler a' has no scheduler 'Karras'"):
        model.generate(ImageRequest("x", scheduler="Karras", width=64, height=64), [])
    with pytest.raises(BadInput, match="multiples of 8"):
        model.encode_images(torch.zeros(1, 3, 64, 60))


def test_gradient_checkpointing_saves_memory_and_changes_nothing(host: EmbeddedHost, embedding: Make) -> None:
    kept, losses, gradients = [], [], []
    for wanted in (False, True):
        style = embedding()
        with host.models.session(SessionOptions(gradient_checkpointing=wanted)) as model:
            saved: dict[int, int] = {}

            def pack(tensor: torch.Tensor, saved: dict[int, int] = saved) -> torch.Tensor:
                saved[tensor.data_ptr()] = tensor.numel()
                return tensor

            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                loss = loss_of(model, model.encode_prompts(of_images(["a my-style cat"]), [style]))
            kept.append(sum(saved.values()))
            loss.backward()
        losses.append(loss.item())
        gradients.append(style.vectors["clip_l"].grad)
    assert kept[1] < 0.7 * kept[0]
    assert losses[0] == losses[1]
    assert torch.allclose(gradients[0], gradients[1], atol=1e-9)


def test_session_leaves_everything_as_it_was(host: EmbeddedHost, embedding: Make) -> None:
    def state(model: EmbeddedModel) -> list[object]:
        return [
            (module.training, getattr(module, "gradient_checkpointing", None), len(module._forward_hooks))
            for network in modules(model)
            for module in network.modules()
        ] + [parameter.requires_grad for network in modules(model) for parameter in network.parameters()]

    with host.models.session(SessionOptions()) as model:
        before = state(model)
    settings = torch.is_grad_enabled(), torch.get_default_dtype(), torch.backends.cudnn.benchmark
    random = torch.random.get_rng_state()
    for error in (None, RuntimeError("step failed"), KeyboardInterrupt()):
        with (
            suppress(RuntimeError, KeyboardInterrupt),
            host.models.session(SessionOptions(gradient_checkpointing=True)) as model,
        ):
            assert state(model) != before
            loss_of(model, model.encode_prompts(of_images(["my-style"]), [embedding()])).backward()
            model.generate(SMALL, [])
            with pytest.raises(BadInput):
                model.encode_prompts(of_images(["wide"]), [Embedding("wide", {"clip_l": torch.ones(1, 2)})])
            if error:
                raise error
        with host.models.session(SessionOptions()) as model:
            assert state(model) == before
    assert settings == (torch.is_grad_enabled(), torch.get_default_dtype(), torch.backends.cudnn.benchmark)
    assert torch.equal(torch.random.get_rng_state(), random)


def test_an_image_can_be_interrupted_between_the_samplers_steps(model: EmbeddedModel) -> None:
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(len(asked) == 3)
        return asked[-1]

    with pytest.raises(Stopped):
        model.generate(replace(SMALL, steps=100), [], stop)
    assert len(asked) == 4


def test_model_is_acquired_once_at_a_time_and_kept(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model:
        other = host.models.session(SessionOptions())
        with pytest.raises(UserError, match="is in use"):
            other.__enter__()
    with host.models.session(SessionOptions()) as again:
        assert again is model


def test_replaced_checkpoint_is_read_again(checkpoint: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(checkpoint, tmp_path / "model.safetensors"))
    host = EmbeddedHost(path, embeddings_folder=tmp_path, device="cpu")
    with host.models.session(SessionOptions()):
        pass
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadInput, match="damaged"), host.models.session(SessionOptions()):
        pass


def test_bfloat16_is_near_float32(checkpoint: Path, model: EmbeddedModel, embedding: Make) -> None:
    host = EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device="cpu")
    style, same = embedding(), embedding()
    with host.models.session(SessionOptions(precision="bfloat16")) as half:
        assert not half.needs_loss_scaling
        loss = loss_of(half, half.encode_prompts(of_images(["a my-style"]), [style]))
        loss.backward()
        assert half.encode_images(torch.zeros(1, 3, 64, 64)).mean.dtype == torch.float32
        half.generate(SMALL, [style])
    reference = loss_of(model, model.encode_prompts(of_images(["a my-style"]), [same]))
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), rel=0.01)
    ours, theirs = style.vectors["clip_l"].grad, same.vectors["clip_l"].grad
    assert ours.dtype == torch.float32
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.98


def test_precision_and_device_are_checked(checkpoint: Path, host: EmbeddedHost) -> None:
    with (
        pytest.raises(BadInput, match="float16 is not for the CPU"),
        host.models.session(SessionOptions(precision="float16")),
    ):
        pass
    with pytest.raises(BadInput, match="Device 'cuda:99' cannot be used"):
        EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device="cuda:99")
    with pytest.raises(BadInput, match="Device 'toaster' cannot be used"):
        EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device="toaster")


def test_host_folders(tmp_path: Path) -> None:
    host = EmbeddedHost(tmp_path / "x.safetensors", embeddings_folder=tmp_path / "e", template_folders=[tmp_path / "t"])
    assert host.folders.embeddings == tmp_path / "e"
    assert list(host.folders.templates) == [tmp_path / "t"]
    assert not host.models.interrupted()
    assert run_arguments(host) == {
        "checkpoint": str(tmp_path / "x.safetensors"),
        "embeddings_dir": str(tmp_path / "e"),
        "templates_dir": str(tmp_path / "t"),
        "device": "auto",
    }


def test_captions_are_counted_without_the_model(tmp_path: Path) -> None:
    host = EmbeddedHost(tmp_path / "missing.safetensors", embeddings_folder=tmp_path)
    assert host.tools.token_spans("a big, cat") == ((0, 1), (2, 5), (5, 6), (7, 10))
