"""Train the attribute reader: `python -m tools.pocket.train_reader --work FOLDER`, a few minutes.

It sees drawings in every style (the wordless too: a reader must know what it measures), the same images after the
autoencoder, and slightly blurred or noisy ones, so that it reads what the model draws and not only perfect drawings.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from lib_ti.pocket import architecture, reader
from lib_ti.pocket.world import COMBINED_STYLES, STYLES, Spec, random_spec
from tools.pocket.drawings import as_array
from tools.pocket.train_autoencoder import round_trip, to_pixels


def specs_of_all_styles(count: int, seed: int) -> list[Spec]:
    """Specs in all styles: the twelve evenly, a fifth in the other combinations."""
    rng = random.Random(f"reader {seed}")
    return [random_spec(rng, rng.choice(COMBINED_STYLES if rng.random() < 0.2 else STYLES)) for _ in range(count)]


def images(work: Path, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Drawings (count, 3, 64, 64) uint8, the first third of them after the autoencoder, and answers (count, 7);
    cached in the working folder."""
    path = work / "reader.pt"
    if not path.exists():
        vae = architecture.new_vae()
        vae.load_state_dict(torch.load(work / "vae.pt", weights_only=True))
        specs = specs_of_all_styles(count, 1)
        drawn = np.stack([as_array(spec) for spec in specs])
        parts = np.array_split(drawn[: count // 3], max(1, count // 300))
        with torch.autocast("cpu", torch.bfloat16):
            again = torch.cat([round_trip(vae, part) for part in parts]).float()
        both = [((pixels + 1) * 127.5).round().to(torch.uint8) for pixels in (to_pixels(drawn), again)]
        torch.save((*both, torch.tensor([reader.labels(spec) for spec in specs])), path)
    drawn_again, rebuilt, answers = torch.load(path, weights_only=True)
    return drawn_again, rebuilt, answers


def disturbed(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Half of the images (B, 3, 64, 64) blurred a little, and all noisy by a random amount."""
    blurred = functional.avg_pool2d(functional.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(pixels), 1, 1, 1, generator=generator) * (torch.rand(len(pixels), 1, 1, 1) < 0.5)
    amount = torch.rand(len(pixels), 1, 1, 1, generator=generator) * 0.08
    return pixels.lerp(blurred, share) + amount * torch.randn(pixels.shape, generator=generator)


def train(work: Path, minutes: float, count: int, batch: int = 64, rate: float = 3e-3) -> None:
    drawn, rebuilt, answers = images(work, count)
    torch.manual_seed(3)
    network = reader.Reader()
    average = [p.detach().clone() for p in network.parameters()]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    generator = torch.Generator().manual_seed(4)
    began, step = time.monotonic(), 0
    while (progress := (time.monotonic() - began) / (minutes * 60)) < 1:
        half = batch // 2
        rows = torch.randint(len(drawn), (batch,), generator=generator)
        rows[half:] %= len(rebuilt)
        pixels = torch.cat([drawn[rows[:half]], rebuilt[rows[half:]]]).float() / 127.5 - 1
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * (1 - progress)
        scores = reader.split(network(disturbed(pixels, generator)))
        losses = [functional.cross_entropy(part, answers[rows, i]) for i, part in enumerate(scores)]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        torch._foreach_lerp_(average, [p.detach() for p in network.parameters()], 0.01)
        step += 1
        if step % 100 == 0:
            print(f"{step} loss {loss.item():.4f} {progress:.0%}", flush=True)
    weights = {name: value.half() for (name, _), value in zip(network.named_parameters(), average, strict=True)}
    save_file(weights, reader.WEIGHTS)
    reader.WEIGHTS.chmod(0o644)
    print(f"finished after {step} steps", accuracy(2000))


def accuracy(count: int, seed: int = 99) -> dict[str, float]:
    """Shares of right readings of fresh drawings in the twelve styles."""
    rng = random.Random(f"reader test {seed}")
    specs = [random_spec(rng, STYLES[i % len(STYLES)]) for i in range(count)]
    readings = reader.read(np.stack([as_array(spec) for spec in specs]))
    names = ("shape", "colour", "background", "style")
    right = {n: [getattr(s, n) == getattr(r, n) for s, r in zip(specs, readings, strict=True)] for n in names}
    return {name: sum(values) / count for name, values in right.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="train the pocket model's attribute reader")
    parser.add_argument("--work", type=Path, required=True, help="folder with the autoencoder, for cached images")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--images", type=int, default=7500)
    a = parser.parse_args()
    train(a.work, a.minutes, a.images)


if __name__ == "__main__":
    main()
