"""A step of each family against forward and input gradient written by hand, on the same random networks.

Both take turns; times are of this thread's processor, so that other programs on the machine do not count.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.families.clip import END, START
from lib_ti.families.family import Family
from lib_ti.host.base import SessionOptions
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks
from lib_ti.host.model import Conditions, Framing
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch import TrainingBatch
from tests.benchmarks.row import Row
from tests.checkpoints import KINDS, small_networks, write_checkpoint

LATENT = 48
"""Side of the latents: 384 pixels."""
BATCH, VECTORS, STEPS = 2, 4, 12
PROMPTS = ["a photo of my-style, a house by the sea", "a drawing of my-style, two dogs in the garden"]


def measure() -> Iterator[Row]:
    for kind in ("sd1", "sd2-v", "sdxl"):
        with tempfile.TemporaryDirectory() as folder:
            path = write_checkpoint(Path(folder), kind, built_in=True)
            host = EmbeddedHost(path, embeddings_folder=Path(folder), device="cpu")
            with host.models.session(SessionOptions()) as model:
                yield _compare(kind, model, small_networks(KINDS[kind][0], built_in=True))


def _compare(kind: str, model: EmbeddedModel, networks: Networks) -> Row:
    vectors = {key: torch.randn(VECTORS, width) * 0.02 for key, width in model.info.widths.items()}
    draw = torch.Generator().manual_seed(0)
    latents = torch.randn(BATCH, 4, LATENT, LATENT, generator=draw)
    framing = Framing.whole(8 * LATENT, 8 * LATENT)
    batch = TrainingBatch(latents, None, Conditions(PROMPTS, [framing] * BATCH), 0, 0)
    trainer = build_trainer(
        model, TrainConfig(max_steps=1), lambda _: batch, Embedding("my-style", vectors), first_step=0
    )
    by_hand = _ByHand(KINDS[kind][0], networks, latents)
    for network in networks.all:
        network.requires_grad_(False)
    ratios, times = [], []
    for step in range(STEPS):
        start = time.thread_time()
        trainer.limits = replace(trainer.limits, max_steps=step + 1)
        trainer.run()
        ours = time.thread_time() - start
        start = time.thread_time()
        by_hand.step({key: one.clone().requires_grad_() for key, one in vectors.items()})
        theirs = time.thread_time() - start
        if step >= 2:
            ratios.append(ours / theirs)
            times.append(theirs)
    ratio = statistics.median(ratios)
    what = f"{kind} ({1000 * statistics.median(times):.0f} ms): a step, in units of one by hand"
    return Row(what, f"{ratio:.2f}", "1.05", ratio <= 1.05)


class _ByHand:
    """Prompts to hidden states, noise, UNet, loss and gradient of the vectors, and nothing else."""

    def __init__(self, family: Family, networks: Networks, latents: torch.Tensor) -> None:
        self.family, self.networks, self.latents = family, networks, latents
        for encoder in family.encoders:
            layers = networks.text_encoders[encoder.key].text_model.encoder.layers
            del layers[len(layers) - encoder.unused_layers :]

    def step(self, vectors: dict[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
        states, more = [], {}
        for encoder, own in zip(self.family.encoders, vectors.values(), strict=True):
            network = self.networks.text_encoders[encoder.key]
            ids, places = self._ids(encoder.pad)
            table = network.get_input_embeddings()
            hook = table.register_forward_hook(lambda _m, _i, out: _put(out, places, own))  # noqa: B023
            output = network(ids, output_hidden_states=True)
            hook.remove()
            hidden = output.hidden_states[-2 if encoder.pooled else -1]
            states.append(network.text_model.final_layer_norm(hidden) if encoder.normed else hidden)
            if encoder.pooled:
                side = 8.0 * LATENT
                sizes = torch.tensor([[side, side, 0, 0, side, side]] * BATCH)
                more = {"added_cond_kwargs": {"text_embeds": output.text_embeds, "time_ids": sizes}}
        noise = torch.randn_like(self.latents)
        timesteps = torch.randint(0, 1000, (BATCH,))
        predicted = self.networks.unet(
            self.latents + noise, timesteps, torch.cat(states, dim=2), return_dict=False, **more
        )[0]
        return torch.autograd.grad((predicted - noise).square().mean(), list(vectors.values()))

    def _ids(self, pad: int) -> tuple[torch.Tensor, list[int]]:
        rows, places = [], []
        for prompt in PROMPTS:
            before, after = (list(tokenize(part)) for part in prompt.split("my-style"))
            places.append(1 + len(before))
            tokens = [START, *before, *[0] * VECTORS, *after, END]
            rows.append(tokens + [pad] * (77 - len(tokens)))
        return torch.tensor(rows), places


def _put(output: torch.Tensor, places: list[int], vectors: torch.Tensor) -> torch.Tensor:
    rows = [
        torch.cat([row[:place], vectors, row[place + VECTORS :]]) for row, place in zip(output, places, strict=True)
    ]
    return torch.stack(rows)
