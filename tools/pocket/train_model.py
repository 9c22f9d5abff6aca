"""Train the pocket UNet and text encoder together: `python -m tools.pocket.train_model --work FOLDER`.

Needs the autoencoder that `train_autoencoder` left in the same folder. Latents are encoded once. The training
ends in time (`--minutes`) and is resumable; see `train_unet`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from lib_ti.pocket import architecture
from lib_ti.pocket.captions import caption
from lib_ti.pocket.diffusion import alphas_cumprod
from lib_ti.pocket.words import Words
from lib_ti.pocket.world import Spec, training_specs
from tools.pocket.denoising import UsedWords, loss_of_noise, put_strange_words, used_tokens
from tools.pocket.drawings import drawings
from tools.pocket.train_autoencoder import to_pixels
from tools.pocket.train_unet import Options, TrainedNetworks, parser_of, train

IMAGES = 30_000
SEED = 2


@torch.no_grad()
def encode_all(vae: AutoencoderKL, work: Path, count: int) -> Tensor:
    """Latents (count, 4, 8, 8) in the UNet's scale of the training drawings, cached in the working folder."""
    path = work / "latents.pt"
    if not path.exists():
        images = drawings(work, "images", count, SEED)
        vae.eval()
        with torch.autocast("cpu", torch.bfloat16):
            parts = np.array_split(images[:count], max(1, count // 64))
            means = [vae.encode(to_pixels(part)).latent_dist.mean.float() for part in parts]
        torch.save(torch.cat(means) * architecture.SCALE_FACTOR, path)
    return torch.load(path, weights_only=True)


def sample_batch(latents: Tensor, specs: list[Spec], words: Words, size: int, step: int) -> tuple[Tensor, Tensor]:
    """Latents (B, 4, 8, 8) and tokens (B, 77) of one step, a function of the step alone."""
    rng = random.Random(f"batch {step}")
    rows = [rng.randrange(len(specs)) for _ in range(size)]
    tokens = words.encode([caption(specs[row], rng.randrange(1 << 30)) for row in rows])
    put_strange_words(tokens, rng)
    return latents[rows], tokens


class Networks(TrainedNetworks):
    """The pocket UNet and its text encoder."""

    def __init__(self, used: Tensor) -> None:
        super().__init__()
        self.unet, self.text = architecture.new_unet(), architecture.new_text_encoder()
        # torch's fused attention is slow backwards for heads this narrow.
        self.unet.set_attn_processor(AttnProcessor())
        # Vectors begin larger than transformers makes them: 44 numbers, not 768, have to distinguish words.
        self.text.set_input_embeddings(UsedWords(self.text.get_input_embeddings().weight.detach() * 2.5, used))
        self.begin_average()

    def averaged(self) -> dict[str, Tensor]:
        """Return the averaged weights by name, with the whole table of words."""
        weights, words = super().averaged(), "text.text_model.embeddings.token_embedding."
        weights[f"{words}weight"] = self.text.get_input_embeddings().full(weights.pop(f"{words}rows"))
        return weights


def train_model(options: Options, count: int) -> None:
    """Train on `count` drawings; the averaged weights are written to `<work>/average.pt`."""
    vae = architecture.new_vae()
    vae.load_state_dict(torch.load(options.work / "vae.pt", weights_only=True))
    latents = encode_all(vae, options.work, count)
    specs, words, remains = list(training_specs(count, SEED)), Words(), alphas_cumprod()
    torch.manual_seed(5)
    networks = Networks(used_tokens(words, specs))

    def loss_at(unet: Callable[..., Any], step: int) -> Tensor:
        clean, tokens = sample_batch(latents, specs, words, options.batch, step)

        def predict(noisy: Tensor, times: Tensor) -> Tensor:
            noise: Tensor = unet(noisy, times, networks.text(tokens)[0]).sample
            return noise

        return loss_of_noise(predict, clean, remains, torch.Generator().manual_seed(step))

    train(networks, loss_at, options, state="model.pt", average="average.pt")


def main() -> None:
    parser = parser_of("train the pocket UNet and text encoder", minutes=70)
    parser.add_argument("--images", type=int, default=IMAGES)
    values = vars(parser.parse_args())
    count = values.pop("images")
    train_model(Options(**values), count)


if __name__ == "__main__":
    main()
