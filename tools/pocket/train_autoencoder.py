"""Train the pocket autoencoder: `python -m tools.pocket.train_autoencoder --work FOLDER`.

First on 32-pixel crops at multiples of 8 (a quarter of the cost, and the latent grid stays aligned), then a while on
whole images, so that the decoder also meets the image's true borders. Resumable: run it again.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lib_ti.pocket import architecture
from tools.pocket.compiling import without_interpolate
from tools.pocket.drawings import drawings
from tools.pocket.training_loop import Clock, Log, follow, save

KL_WEIGHT = 3e-4  # per latent number; keeps latents bounded and the posterior just wide enough to forgive small errors
QUIET_STEPS = 400  # at first neither noise nor KL: either would win against a decoder that knows nothing yet
EDGE_WEIGHT = 0.5
EMA = 0.998


def reconstruction_loss(output: Tensor, target: Tensor) -> Tensor:
    """L1 of pixels plus L1 of their horizontal and vertical differences, which is what makes edges crisp.
    Both (B, 3, H, W) in -1..1."""
    error = output - target
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return error.abs().mean() + EDGE_WEIGHT * edges


def crops(images: NDArray[np.uint8], count: int, size: int, rng: np.random.Generator) -> Tensor:
    """`count` random crops (B, 3, size, size) in -1..1 at multiples of 8."""
    cut: list[NDArray[np.uint8]] = []
    while len(cut) < count:
        y, x = rng.integers((images.shape[1] - size) // 8 + 1, size=2) * 8
        piece = images[rng.integers(len(images)), y : y + size, x : x + size]
        # Mere background teaches little, and a normalisation over it alone is hardly defined.
        if np.ptp(piece[::4, ::4]) > 0 or rng.random() < 0.05:
            cut.append(piece)
    return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).float() / 127.5 - 1


Networks = Callable[[Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]


def _rate(highest: float, step: int, share: float) -> float:
    """A short warm-up, then a half cosine down to a fiftieth."""
    return highest * min(1.0, (step + 1) / 100) * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))


def train(work: Path, minutes: float, whole_from: float, batch: int, rate: float, compiled: bool, count: int) -> None:
    """Train for `minutes`, then whiten the averaged weights and save them as `<work>/vae.pt`."""
    images = drawings(work, "autoencoder", count, seed=1, combined=0.4)
    vae, average = architecture.new_vae(), architecture.new_vae()
    with torch.no_grad():
        vae.quant_conv.bias[4:] = -6.0  # log variance: begin with nearly exact latents
    average.load_state_dict(vae.state_dict())
    optimizer = torch.optim.AdamW(vae.parameters(), lr=rate, betas=(0.9, 0.97), weight_decay=0.0)
    file, step, clock = work / "autoencoder.pt", 0, Clock(minutes)
    if file.exists():
        state = torch.load(file, weights_only=True)
        for part, name in ((vae, "vae"), (average, "average"), (optimizer, "optimizer")):
            part.load_state_dict(state[name])
        step, clock = state["step"], Clock(minutes, state["spent"])

    def plain(pixels: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            posterior = vae.encode(pixels).latent_dist
            output = vae.decode(posterior.mean + posterior.std * noise).sample
        return output.float(), posterior.mean.float(), posterior.logvar.float()

    run: Networks = plain
    if compiled:
        without_interpolate(vae)
        vae.to(memory_format=torch.channels_last)
        run = torch.compile(plain, dynamic=False)
    log = Log(50)
    while (share := clock.share) < 1:
        whole = share >= whole_from
        if whole and run is not plain:  # a second compilation would cost more than it saves
            run = plain
            vae.to(memory_format=torch.contiguous_format)
        size = 64 if whole else 32
        pixels = crops(images, batch // 4 if whole else batch, size, np.random.default_rng((7, step)))
        if run is not plain:
            pixels = pixels.to(memory_format=torch.channels_last)
        free = min(1.0, max(0.0, step / QUIET_STEPS - 1))
        for group in optimizer.param_groups:
            group["lr"] = _rate(rate, step, share)
        output, mean, logvar = run(pixels, free * torch.randn(len(pixels), 4, size // 8, size // 8))
        loss = reconstruction_loss(output, pixels)
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        optimizer.zero_grad()
        (loss + free * KL_WEIGHT * kl).backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        step += 1
        follow(average.parameters(), vae.parameters(), EMA, step)
        log.step(step, share, loss=loss, kl=kl)
        if step % 200 == 0:
            parts = {"vae": vae.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict()}
            save({**parts, "step": step, "spent": clock.spent}, file)
    whiten(average, images[:1000])
    save(average.state_dict(), work / "vae.pt")
    measured = functional.l1_loss(round_trip(average, images[-256:]), to_pixels(images[-256:]))
    print(f"finished; reconstruction error {measured.item() * 127.5:.2f} of 255")


def to_pixels(images: NDArray[np.uint8]) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) in -1..1."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def round_trip(vae: AutoencoderKL, images: NDArray[np.uint8]) -> Tensor:
    """Encode and decode (B, H, W, 3) uint8 -> (B, 3, H, W) in -1..1."""
    parts = [vae.decode(vae.encode(to_pixels(part)).latent_dist.mean).sample for part in np.array_split(images, 8)]
    return torch.cat(parts).clamp(-1, 1)


@torch.no_grad()
def whiten(vae: AutoencoderKL, images: NDArray[np.uint8]) -> None:
    """Fold a change of scale and origin into the two 1x1 convolutions around the latents, so that latents times
    0.18215 (Stable Diffusion's constant) have mean 0 and deviation 1 in every channel. Reconstructions stay equal."""
    latents = torch.cat([vae.encode(to_pixels(part)).latent_dist.mean for part in np.array_split(images, 16)])
    offset = latents.mean((0, 2, 3))
    gain = 1 / (latents.std((0, 2, 3)) * architecture.SCALE_FACTOR)
    quant, post = vae.quant_conv, vae.post_quant_conv
    post.bias += (post.weight * offset.view(1, 4, 1, 1)).sum((1, 2, 3))
    post.weight /= gain.view(1, 4, 1, 1)
    quant.weight[:4] *= gain.view(4, 1, 1, 1)
    quant.bias[:4] = (quant.bias[:4] - offset) * gain
    quant.bias[4:] += 2 * gain.log()  # the log variance grows with the scale


def main() -> None:
    parser = argparse.ArgumentParser(description="train the pocket autoencoder")
    parser.add_argument("--work", type=Path, required=True, help="folder for drawings and checkpoints")
    parser.add_argument("--minutes", type=float, default=25, help="how long to train from now on")
    parser.add_argument("--whole-from", type=float, default=0.8, help="share of the time after which images are whole")
    parser.add_argument("--batch", type=int, default=32, help="crops in a step; a quarter as many whole images")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--images", type=int, default=8000)
    parser.add_argument("--compile", action="store_true", help="torch.compile, with channels_last")
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    train(a.work, a.minutes, a.whole_from, a.batch, a.rate, a.compile, a.images)


if __name__ == "__main__":
    main()
