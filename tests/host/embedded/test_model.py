"""The contract between host and trainer, kept by the embedded host on a small random model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks
from lib_ti.host.model import Checkpointing
from tests.host.embedded.sessions import loss_of, modules
from tests.prompts import of_images

Make = Callable[..., Embedding]


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
    assert (distance / model.info.word_norm["clip_l"]).tolist() == pytest.approx([0.3] * 4, rel=0.35)
    assert len({tuple(vector) for vector in vectors.tolist()}) == 6
    assert torch.equal(vectors, model.initial_vectors("photo cat", 6)["clip_l"])
    assert torch.equal(model.initial_vectors("*", 1)["clip_l"], table[[265]])
    with pytest.raises(BadInput, match="has no words"):
        model.initial_vectors("  ", 2)


def test_gradient_checkpointing_saves_memory_and_changes_nothing(host: EmbeddedHost, embedding: Make) -> None:
    kept, losses, gradients = [], [], []
    for blocks in get_args(Checkpointing):
        style = embedding()
        with host.models.session(SessionOptions()) as model:
            model.set_checkpointing(blocks)
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
    assert kept[2] < 0.9 * kept[1] < 0.9 * kept[0]
    assert kept[2] < 0.7 * kept[0]
    assert losses[0] == losses[1] == losses[2]
    assert gradients[0].equal(gradients[1])
    assert gradients[0].equal(gradients[2])
