"""Train the pocket UNet and text encoder together: `python -m tools.pocket.train_model --work FOLDER`.

Needs the autoencoder that `train_autoencoder` left in the same folder. Latents are encoded once. The training knows
when it has to end (`--minutes`): the learning rate falls with the time left, so a slow machine gets fewer steps, not an
unfinished model. Resumable: run it again with the minutes that are left.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from lib_ti.pocket import architecture
from lib_ti.pocket.captions import caption
from lib_ti.pocket.diffusion import STEPS, alphas_cumprod
from lib_ti.pocket.words import LENGTH, Words
from lib_ti.pocket.world import Spec, training_specs
from tools.pocket.compiling import without_interpolate
from tools.pocket.drawings import drawings
from tools.pocket.train_autoencoder import to_pixels
from tools.pocket.training_loop import Clock, Log, follow, save

PICTURES = 30_000
SEED = 2
EMA = 0.999
SNR_LIMIT = 5.0  # "min-SNR" weighting: nearly clean pictures would otherwise take most of the gradient
STRANGE_WORDS = 0.04  # captions with a word that means nothing, so that unknown words disturb little


class UsedWords(nn.Module):
    """An embedding table that trains only the words that captions use; the other 49,000 rows stay as they began.

    It saves the optimizer's work on three million numbers that never receive a gradient.
    """

    table: Tensor
    place: Tensor
    used: Tensor

    def __init__(self, table: Tensor, used: Tensor) -> None:
        super().__init__()
        self.register_buffer("table", table.clone())
        self.register_buffer("place", torch.full((len(table),), -1))
        self.place[used] = torch.arange(len(used))
        self.register_buffer("used", used)
        self.rows = nn.Parameter(table[used].clone())

    def forward(self, tokens: Tensor) -> Tensor:
        place = self.place[tokens]
        return torch.where((place >= 0)[..., None], self.rows[place.clamp(min=0)], self.table[tokens])

    def full(self, rows: Tensor) -> Tensor:
        """The whole table (49408, width) with the trained `rows` in it."""
        table = self.table.clone()
        table[self.used] = rows
        return table


@torch.no_grad()
def encode_all(vae: AutoencoderKL, work: Path, count: int) -> Tensor:
    """Latents (count, 4, 8, 8) in the UNet's scale of the training drawings, cached in the working folder."""
    path = work / "latents.pt"
    if not path.exists():
        pictures = drawings(work, "pictures", count, SEED)
        vae.eval()
        with torch.autocast("cpu", torch.bfloat16):
            parts = np.array_split(pictures[:count], max(1, count // 64))
            means = [vae.encode(to_pixels(part)).latent_dist.mean.float() for part in parts]
        torch.save(torch.cat(means) * architecture.SCALE_FACTOR, path)
    return torch.load(path, weights_only=True)


def used_tokens(words: Words, specs: list[Spec]) -> Tensor:
    """Numbers of the tokens that captions are made of, in order."""
    captions = [caption(spec, seed) for seed, spec in enumerate(specs[:6000])]
    return words.encode(captions).unique()


def draw_batch(latents: Tensor, specs: list[Spec], words: Words, size: int, step: int) -> tuple[Tensor, Tensor]:
    """Latents (B, 4, 8, 8) and tokens (B, 77) of one step, a function of the step alone."""
    chance = random.Random(f"batch {step}")
    rows = [chance.randrange(len(specs)) for _ in range(size)]
    tokens = words.encode([caption(specs[row], chance.randrange(1 << 30)) for row in rows])
    for line in tokens:
        if chance.random() < STRANGE_WORDS:
            filled = int((line != line[-1]).sum())
            line[chance.randrange(1, min(filled, LENGTH - 2) + 1)] = chance.randrange(49_152)
    return latents[rows], tokens


def loss_of(
    unet: Callable[..., Any], text: nn.Module, clean: Tensor, tokens: Tensor, kept: Tensor, generator: torch.Generator
) -> Tensor:
    """Weighted squared error of the predicted noise; times spread evenly over the batch."""
    size = len(clean)
    spread = (torch.randperm(size, generator=generator) + torch.rand(size, generator=generator)) / size
    times = (spread * STEPS).long()
    share = kept[times]
    noise = torch.randn(clean.shape, generator=generator)
    noisy = share.sqrt().view(-1, 1, 1, 1) * clean + (1 - share).sqrt().view(-1, 1, 1, 1) * noise
    with torch.autocast("cpu", torch.bfloat16):
        output = unet(noisy, times, text(tokens)[0]).sample
    snr = share / (1 - share)
    weight = snr.clamp(max=SNR_LIMIT) / snr
    return (weight * (output.float() - noise).square().mean((1, 2, 3))).mean()


class Networks:
    """UNet and text encoder in training, and the running average of their weights, which is what is kept."""

    def __init__(self, used: Tensor) -> None:
        self.unet, self.text = architecture.new_unet(), architecture.new_text_encoder()
        # torch's fused attention is slow backwards for heads this narrow.
        self.unet.set_attn_processor(AttnProcessor())
        # Vectors begin larger than transformers makes them: 44 numbers, not 768, have to tell a word from another.
        self.table = UsedWords(self.text.get_input_embeddings().weight.detach() * 2.5, used)
        self.text.set_input_embeddings(self.table)
        self.both = nn.ModuleDict({"unet": self.unet, "text": self.text})
        self.parameters = list(self.both.parameters())
        self.average = [parameter.detach().clone() for parameter in self.parameters]

    def averaged(self) -> dict[str, Tensor]:
        """The averaged weights by name, with the whole table of words."""
        names = [name for name, _ in self.both.named_parameters()]
        trained = dict(zip(names, self.average, strict=True))
        words = "text.text_model.embeddings.token_embedding."
        trained[f"{words}weight"] = self.table.full(trained.pop(f"{words}rows"))
        return trained


def train(work: Path, minutes: float, batch: int, rate: float, compiled: bool, count: int) -> None:
    """Train for `minutes`; the averaged weights are in `<work>/average.pt` from the first 500 steps on."""
    vae = architecture.new_vae()
    vae.load_state_dict(torch.load(work / "vae.pt", weights_only=True))
    latents = encode_all(vae, work, count)
    specs, words, kept = list(training_specs(count, SEED)), Words(), alphas_cumprod()
    torch.manual_seed(5)
    networks = Networks(used_tokens(words, specs))
    optimizer = torch.optim.AdamW(networks.parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    file, step, clock = work / "model.pt", 0, Clock(minutes)
    if file.exists():
        state = torch.load(file, weights_only=True)
        networks.both.load_state_dict(state["both"])
        networks.average = state["average"]
        optimizer.load_state_dict(state["optimizer"])
        step, clock = state["step"], Clock(minutes, state["spent"])

    def keep() -> None:
        parts = {"both": networks.both.state_dict(), "average": networks.average, "optimizer": optimizer.state_dict()}
        save({**parts, "step": step, "spent": clock.spent}, file)
        save(networks.averaged(), work / "average.pt")

    run: Callable[..., Any] = networks.unet
    if compiled:
        without_interpolate(networks.unet)
        networks.unet.to(memory_format=torch.channels_last)
        run = torch.compile(networks.unet, dynamic=False)
    log = Log(100)
    while (share := clock.share) < 1:
        for group in optimizer.param_groups:  # a warm-up, a fifth of the time at full rate, then down evenly
            group["lr"] = rate * min(1.0, (step + 1) / 200) * min(1.0, 1.25 * (1 - share) + 0.01)
        clean, tokens = draw_batch(latents, specs, words, batch, step)
        loss = loss_of(run, networks.text, clean, tokens, kept, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(networks.parameters, 1.0)
        optimizer.step()
        step += 1
        follow(networks.average, networks.parameters, EMA, step)
        log.step(step, share, loss=loss)
        if step % 500 == 0:
            keep()
    keep()
    print(f"finished after {step} steps, {clock.spent / 60:.0f} minutes")


def main() -> None:
    parser = argparse.ArgumentParser(description="train the pocket UNet and text encoder")
    parser.add_argument("--work", type=Path, required=True, help="folder for drawings and checkpoints")
    parser.add_argument("--minutes", type=float, default=70, help="how long to train from now on")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--compile", action="store_true", help="torch.compile for the UNet")
    a = parser.parse_args()
    train(a.work, a.minutes, a.batch, a.rate, a.compile, a.pictures)


if __name__ == "__main__":
    main()
