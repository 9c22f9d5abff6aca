"""How pocket-xl is trained and put together."""

from __future__ import annotations

import copy
import random

import numpy as np
import torch
from transformers import CLIPTextModel

from lib_ti.families.sdxl import SDXL
from lib_ti.host.embedded.prompt_encoder import PromptEncoder
from lib_ti.host.model import Framing
from lib_ti.pocket import files
from lib_ti.pocket.words import Words
from lib_ti.pocket.world import Spec, draw
from tools.pocket.assemble_xl import rescale
from tools.pocket.framings import cropped, framed
from tools.pocket.train_xl import Drawings, Networks, loss_of, sample_batch

SPEC = Spec("circle", "red", "white")


def test_a_crop_from_the_middle_shows_the_whole_drawing() -> None:
    image = np.asarray(draw(SPEC))
    for upright, original, crop in ((False, (84, 64), (10, 0)), (True, (64, 84), (0, 10))):
        seen, framing = cropped(image, 20, 10, upright=upright)
        assert np.array_equal(seen, image)
        assert framing == Framing(original=original, crop=crop, size=(64, 64))


def test_a_crop_from_the_left_moves_the_drawing_to_the_right() -> None:
    image = np.asarray(draw(SPEC))
    seen, _ = cropped(image, 20, 0)
    assert np.array_equal(seen[:, 10:], image[:, :-10])


def test_small_drawings_are_blurred_and_their_framing_states_it() -> None:
    framed_spec = Spec("circle", "red", "white", style="framed")
    image = np.asarray(draw(framed_spec))
    for seed in range(10):
        seen, framing = framed(image, framed_spec, random.Random(seed))
        assert seen.shape == image.shape and framing.crop == (0, 0)
        assert framing.original[0] == framing.original[1] < 64


def test_another_scale_changes_no_image() -> None:
    _, vae, _ = files.load()
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        before, std = vae(pixels).sample, vae.encode(pixels).latent_dist.std
        rescale(vae, 0.18215, 0.13025)
        assert torch.allclose(before, vae(pixels).sample, atol=1e-4)
        assert torch.allclose(vae.encode(pixels).latent_dist.std, std * 0.18215 / 0.13025)


def _with_plain_table(network: CLIPTextModel) -> CLIPTextModel:
    words = network.get_input_embeddings()
    network.set_input_embeddings(torch.nn.Embedding.from_pretrained(words.full(words.rows.detach())))
    return network.eval()


def test_training_encodes_prompts_as_the_host_does_and_reaches_both_encoders() -> None:
    torch.manual_seed(4)
    drawer, _, _ = files.load()
    prompts = ["a big red circle", "art by dotted, white background"]
    tokens = Words().encode(prompts)
    networks = Networks(tokens.unique(), drawer)
    encoders = {key: _with_plain_table(copy.deepcopy(network)) for key, network in networks.encoders.items()}
    del encoders["clip_l"].text_model.encoder.layers[-1]  # the host does not load it, since nothing reads it
    with torch.no_grad():
        wanted = PromptEncoder(SDXL, encoders).encode(prompts, [Framing.whole(64, 64)] * 2, ())
        context, vector = networks.encode(tokens, torch.tensor([1.0, 1.0]))
        nothing, no_vector = networks.encode(tokens, torch.tensor([0.0, 0.0]))
    assert torch.allclose(context, wanted.crossattn, atol=1e-5)
    assert torch.allclose(vector, wanted.pooled, atol=1e-5)
    assert not nothing.any() and not no_vector.any()

    known = Drawings(torch.randn(1, 4, 8, 8), [SPEC], torch.randn(1, 4, 8, 8), [0], [Framing.whole(64, 64)])
    batch = sample_batch(known, Words(), 4, step=0)
    loss_of(networks.unet, networks, batch, torch.full((1000,), 0.5), torch.Generator().manual_seed(1)).backward()
    for network in networks.encoders.values():
        assert network.get_input_embeddings().rows.grad.abs().sum() > 0
