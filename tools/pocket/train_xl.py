"""Train pocket-xl, UNet and both text encoders together: `python -m tools.pocket.train_xl --work FOLDER`.

The autoencoder is the pocket model's, and the UNet begins with what the pocket model's knows of drawing; all that reads
prompts, the pooled vector and the sizes begins untrained. Resumable, and ends in time: see `train_unet`.
"""

from __future__ import annotations

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
from lib_ti.pocket.diffusion import alphas_cumprod
from lib_ti.pocket.words import LENGTH, Words
from lib_ti.pocket.world import Spec, training_specs
from tools.pocket import xl_architecture as architecture
from tools.pocket.denoising import UsedWords, loss_of_noise, put_strange_words, used_tokens
from tools.pocket.drawings import drawings
from tools.pocket.framings import framed, whole
from tools.pocket.train_autoencoder import to_pixels
from tools.pocket.train_model import SEED
from tools.pocket.train_unet import Options, TrainedNetworks, parser_of, train
from tools.pocket.training_loop import save

IMAGES = 24_000
FRAMED = 8_000
"""Drawings that are also known upscaled or cropped."""
FRAMED_SHARE = 0.2
ZERO_SHARE = 0.7
"""Of empty captions: those whose context and pooled vector are zeros, as samplers give the negative prompt."""
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
def _encoded(vae: AutoencoderKL, images: NDArray[np.uint8]) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        parts = np.array_split(images, max(1, len(images) // 64))
        means = [vae.encode(to_pixels(part)).latent_dist.mean.float() for part in parts]
    return torch.cat(means) * pocket.SCALE_FACTOR


def prepare(vae: AutoencoderKL, work: Path) -> Drawings:
    """Draw, frame and encode what is trained on, cached in the working folder."""
    specs = list(training_specs(IMAGES, SEED))
    images = drawings(work, "images", IMAGES, SEED)
    path = work / "latents-xl.pt"
    rng = random.Random("framings")
    rows = [rng.randrange(IMAGES) for _ in range(FRAMED)]
    seen = [framed(images[row], specs[row], rng) for row in rows]
    if not path.exists():
        save((_encoded(vae, images), _encoded(vae, np.stack([image for image, _ in seen]))), path)
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
    rng = random.Random(f"batch {step}")
    latents, captions, framings, kept = [], [], [], []
    for _ in range(size):
        if rng.random() < FRAMED_SHARE:
            place = rng.randrange(len(known.framings))
            row, framing, latent = known.framed_rows[place], known.framings[place], known.framed_latents[place]
        else:
            row = rng.randrange(len(known.specs))
            framing, latent = whole(rng), known.latents[row]
        text = caption(known.specs[row], rng.randrange(1 << 30))
        latents.append(latent)
        captions.append(text)
        framings.append(framing)
        kept.append(float(bool(text) or rng.random() > ZERO_SHARE))
    tokens = words.encode(captions)
    put_strange_words(tokens, rng)
    return Batch(torch.stack(latents), tokens, sizes_of(framings, tokens.device), torch.tensor(kept))


class Networks(TrainedNetworks):
    """The UNet of pocket-xl and its text encoders."""

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
        self.begin_average()

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
        weights = super().averaged()
        for key, network in self.encoders.items():
            words = f"text.{key}.text_model.embeddings.token_embedding."
            weights[f"{words}weight"] = network.get_input_embeddings().full(weights.pop(f"{words}rows"))
        return weights


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
    """Error of the predicted noise, and of the means of the contexts."""
    context, vector = networks.encode(batch.tokens, batch.kept)
    added = {"text_embeds": vector, "time_ids": batch.sizes}

    def predict(noisy: Tensor, times: Tensor) -> Tensor:
        noise: Tensor = unet(noisy, times, context, added_cond_kwargs=added, return_dict=False)[0]
        return noise

    return loss_of_noise(predict, batch.latents, remains, generator) + low_means(context, batch.kept)


def low_means(context: Tensor, kept: Tensor) -> Tensor:
    """Squared lack of the means of the encoders' contexts, which emphasis divides by, where they are ``kept`` (B,)."""
    means = [part.mean((1, 2)) for part in context.split(tuple(architecture.WIDTHS.values()), dim=2)]
    return ((CONTEXT_MEAN - torch.stack(means)).clamp(min=0) * kept).square().mean()


def train_xl(options: Options) -> None:
    """Train pocket-xl; the averaged weights are written to `<work>/average-xl.pt`."""
    drawer, vae, _ = files.load()
    known, words, remains = prepare(vae, options.work), Words(), alphas_cumprod()
    torch.manual_seed(6)
    networks = Networks(used_tokens(words, known.specs), drawer)

    def loss_at(unet: Callable[..., Any], step: int) -> Tensor:
        batch = sample_batch(known, words, options.batch, step)
        return loss_of(unet, networks, batch, remains, torch.Generator().manual_seed(step))

    train(networks, loss_at, options, state="xl.pt", average="average-xl.pt")


def main() -> None:
    train_xl(Options(**vars(parser_of("train pocket-xl's UNet and text encoders", minutes=40).parse_args())))


if __name__ == "__main__":
    main()
