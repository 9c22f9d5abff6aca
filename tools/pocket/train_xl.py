"""Train pocket-xl, UNet and both text encoders together: `python -m tools.pocket.train_xl --work FOLDER`.

The autoencoder is the pocket model's, and the UNet begins with what the pocket model's knows of drawing; all that reads
prompts, the pooled vector and the sizes begins untrained. Resumable, and ends in time, as `train_model`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn

from lib_ti.families.clip import END
from lib_ti.families.sdxl import SDXL
from lib_ti.host.clip.conditioning import sizes_of
from lib_ti.host.clip.network import layer_outputs, pooled
from lib_ti.host.model import Framing
from lib_ti.pocket import architecture as pocket
from lib_ti.pocket import files
from lib_ti.pocket.captions import caption
from lib_ti.pocket.diffusion import STEPS, alphas_cumprod
from lib_ti.pocket.words import LENGTH, Words
from lib_ti.pocket.world import Spec, training_specs
from tools.pocket import xl_architecture as architecture
from tools.pocket.compiling import without_interpolate
from tools.pocket.drawings import drawings
from tools.pocket.framings import framed, whole
from tools.pocket.train_autoencoder import to_pixels
from tools.pocket.train_model import SEED, SNR_LIMIT, STRANGE_WORDS, UsedWords, used_tokens
from tools.pocket.training_loop import Clock, Log, follow, save

PICTURES = 24_000
FRAMED = 8_000
"""Drawings that are also known enlarged or cropped."""
FRAMED_SHARE = 0.2
ZERO_SHARE = 0.7
"""Of empty captions: those whose context and pooled vector are zeros, as samplers give the negative prompt."""
EMA = 0.999
WORD_SIZE = 0.05
"""Deviation of the numbers of a word's vector at first: few numbers have to tell a word from another."""
CONTEXT_MEAN = 0.15
"""See `assemble`. The norms of the encoders do not see what is added to every number of a vector."""


@dataclass(frozen=True)
class Drawings:
    """Latents (n, 4, 8, 8) in the UNet's scale, with the spec of each; ``framings`` of those that are not whole."""

    latents: Tensor
    specs: list[Spec]
    framed_latents: Tensor
    framed_rows: list[int]
    framings: list[Framing]


@torch.no_grad()
def _encoded(vae: AutoencoderKL, pictures: NDArray[np.uint8]) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        parts = np.array_split(pictures, max(1, len(pictures) // 64))
        means = [vae.encode(to_pixels(part)).latent_dist.mean.float() for part in parts]
    return torch.cat(means) * pocket.SCALE_FACTOR


def prepare(vae: AutoencoderKL, work: Path) -> Drawings:
    """Draw, frame and encode what is trained on, cached in the working folder."""
    specs = list(training_specs(PICTURES, SEED))
    pictures = drawings(work, "pictures", PICTURES, SEED)
    path = work / "latents-xl.pt"
    chance = random.Random("framings")
    rows = [chance.randrange(PICTURES) for _ in range(FRAMED)]
    seen = [framed(pictures[row], specs[row], chance) for row in rows]
    if not path.exists():
        save((_encoded(vae, pictures), _encoded(vae, np.stack([picture for picture, _ in seen]))), path)
    latents, framed_latents = torch.load(path, weights_only=True)
    return Drawings(latents, specs, framed_latents, rows, [framing for _, framing in seen])


@dataclass(frozen=True)
class Batch:
    """One step's latents (B, 4, 8, 8), tokens (B, 77) padded with the end token, sizes (B, 6), and which of the
    contexts (B,) are kept, the others being zeros."""

    latents: Tensor
    tokens: Tensor
    sizes: Tensor
    kept: Tensor


def sample_batch(known: Drawings, words: Words, size: int, step: int) -> Batch:
    """Return the batch of a step, a function of the step alone."""
    chance = random.Random(f"batch {step}")
    latents, captions, framings, kept = [], [], [], []
    for _ in range(size):
        if chance.random() < FRAMED_SHARE:
            place = chance.randrange(len(known.framings))
            row, framing, latent = known.framed_rows[place], known.framings[place], known.framed_latents[place]
        else:
            row = chance.randrange(len(known.specs))
            framing, latent = whole(chance), known.latents[row]
        text = caption(known.specs[row], chance.randrange(1 << 30))
        latents.append(latent)
        captions.append(text)
        framings.append(framing)
        kept.append(float(bool(text) or chance.random() > ZERO_SHARE))
    tokens = words.encode(captions)
    for line in tokens:
        if chance.random() < STRANGE_WORDS:
            filled = int((line != line[-1]).sum())
            line[chance.randrange(1, min(filled, LENGTH - 2) + 1)] = chance.randrange(49_152)
    return Batch(torch.stack(latents), tokens, sizes_of(framings, tokens.device), torch.tensor(kept))


class Networks(nn.Module):
    """UNet and text encoders in training, and the running average of their weights, which is what is kept."""

    def __init__(self, used: Tensor, drawer: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = architecture.new_unet()
        begin_with(self.unet, drawer)
        # torch's fused attention is slow backwards for heads this narrow.
        self.unet.set_attn_processor(AttnProcessor())
        self.encoders: dict[str, Any] = {**architecture.new_text_encoders()}
        self.text = nn.ModuleDict(self.encoders)
        for network in self.encoders.values():
            words = network.get_input_embeddings().weight.detach()
            network.set_input_embeddings(UsedWords(words * (WORD_SIZE / words.std()), used))
            with torch.no_grad():
                network.text_model.embeddings.position_embedding.weight += CONTEXT_MEAN
        self.trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        self.average = [parameter.detach().clone() for parameter in self.trained]

    def encode(self, tokens: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, 77) -> context (B, 77, 52) and pooled vectors (B, 40), both zeros where not ``kept`` (B,)."""
        ends = (tokens == END).int().argmax(1)
        after = torch.arange(LENGTH) > ends[:, None]
        contexts, vectors = [], []
        for spec in SDXL.encoders:
            network = self.encoders[spec.key]
            outputs = layer_outputs(network.text_model, tokens.masked_fill(after, spec.pad))
            contexts.append(outputs[-spec.layer_from_end])
            if spec.pooled:
                vectors.append(pooled(network.text_model, network.text_projection.weight, outputs[-1], ends))
        return torch.cat(contexts, 2) * kept[:, None, None], torch.cat(vectors, 1) * kept[:, None]

    def averaged(self) -> dict[str, Tensor]:
        """Return the averaged weights by name, with the whole tables of words."""
        trained = dict(zip((name for name, _ in self.named_parameters()), self.average, strict=True))
        for key, network in self.encoders.items():
            words = f"text.{key}.text_model.embeddings.token_embedding."
            trained[f"{words}weight"] = network.get_input_embeddings().full(trained.pop(f"{words}rows"))
        return trained


@torch.no_grad()
def begin_with(unet: UNet2DConditionModel, drawer: UNet2DConditionModel) -> None:
    """Copy the weights of a pocket UNet, except those that read its text encoder; sizes and pooled vector do nothing
    at first."""
    known = drawer.state_dict()
    for name, weight in unet.state_dict().items():
        if name in known and known[name].numel() == weight.numel():
            weight.copy_(known[name].reshape(weight.shape))
    unet.add_embedding.linear_2.weight.zero_()
    unet.add_embedding.linear_2.bias.zero_()


def loss_of(
    unet: Callable[..., Any], networks: Networks, batch: Batch, remains: Tensor, generator: torch.Generator
) -> Tensor:
    """Weighted squared error of the predicted noise; times spread evenly over the batch."""
    size = len(batch.latents)
    spread = (torch.randperm(size, generator=generator) + torch.rand(size, generator=generator)) / size
    times = (spread * STEPS).long()
    share = remains[times]
    noise = torch.randn(batch.latents.shape, generator=generator)
    noisy = share.sqrt().view(-1, 1, 1, 1) * batch.latents + (1 - share).sqrt().view(-1, 1, 1, 1) * noise
    context, vector = networks.encode(batch.tokens, batch.kept)
    with torch.autocast("cpu", torch.bfloat16):
        added = {"text_embeds": vector, "time_ids": batch.sizes}
        output = unet(noisy, times, context, added_cond_kwargs=added, return_dict=False)[0]
    snr = share / (1 - share)
    weight = snr.clamp(max=SNR_LIMIT) / snr
    error = (weight * (output.float() - noise).square().mean((1, 2, 3))).mean()
    return error + low_means(context, batch.kept)


def low_means(context: Tensor, kept: Tensor) -> Tensor:
    """Squared lack of the means of the encoders' contexts, which emphasis divides by, where they are ``kept`` (B,)."""
    means = [part.mean((1, 2)) for part in context.split(tuple(architecture.WIDTHS.values()), dim=2)]
    return ((CONTEXT_MEAN - torch.stack(means)).clamp(min=0) * kept).square().mean()


def train(work: Path, minutes: float, batch: int, rate: float, compiled: bool) -> None:
    """Train for `minutes`; the averaged weights are in `<work>/average-xl.pt` from the first 500 steps on."""
    drawer, vae, _ = files.load()
    known, words, remains = prepare(vae, work), Words(), alphas_cumprod()
    torch.manual_seed(6)
    networks = Networks(used_tokens(words, known.specs), drawer)
    optimizer = torch.optim.AdamW(networks.trained, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    file, step, clock = work / "xl.pt", 0, Clock(minutes)
    if file.exists():
        state = torch.load(file, weights_only=True)
        networks.load_state_dict(state["networks"])
        networks.average = state["average"]
        optimizer.load_state_dict(state["optimizer"])
        step, clock = state["step"], Clock(minutes, state["spent"])

    def keep() -> None:
        parts = {"networks": networks.state_dict(), "average": networks.average, "optimizer": optimizer.state_dict()}
        save({**parts, "step": step, "spent": clock.spent}, file)
        save(networks.averaged(), work / "average-xl.pt")

    run: Callable[..., Any] = networks.unet
    if compiled:
        without_interpolate(networks.unet)
        networks.unet.to(memory_format=torch.channels_last)
        run = torch.compile(networks.unet, dynamic=False)
    log = Log(100)
    while (share := clock.share) < 1:
        for group in optimizer.param_groups:  # a warm-up, a fifth of the time at full rate, then down evenly
            group["lr"] = rate * min(1.0, (step + 1) / 200) * min(1.0, 1.25 * (1 - share) + 0.01)
        drawn = sample_batch(known, words, batch, step)
        loss = loss_of(run, networks, drawn, remains, torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(networks.trained, 1.0)
        optimizer.step()
        step += 1
        follow(networks.average, networks.trained, EMA, step)
        log.step(step, share, loss=loss)
        if step % 500 == 0:
            keep()
    keep()
    print(f"finished after {step} steps, {clock.spent / 60:.0f} minutes")


def main() -> None:
    parser = argparse.ArgumentParser(description="train pocket-xl's UNet and text encoders")
    parser.add_argument("--work", type=Path, required=True, help="folder for drawings and checkpoints")
    parser.add_argument("--minutes", type=float, default=40, help="how long to train from now on")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--compile", action="store_true", help="torch.compile for the UNet")
    a = parser.parse_args()
    train(a.work, a.minutes, a.batch, a.rate, a.compile)


if __name__ == "__main__":
    main()
