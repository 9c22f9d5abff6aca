"""What the pocket models can do, measured: `python -m tools.pocket.evaluate [--family sdxl]`.

Draws images from captions of attribute tuples that training never saw, all attributes named, reads them, and writes
the shares of right answers, with the reader's own on real drawings, to `weights/report.json` (`report-xl.json`).
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import Conditions, Framing, ImageRequest
from lib_ti.pocket import CHECKPOINTS, files, reader
from lib_ti.pocket.captions import caption
from lib_ti.pocket.world import SIZE, Spec, draw, held_out_specs
from tools.pocket.framings import framed

QUESTIONS = ("shape", "colour", "background", "style")
BATCH = 64
REPORTS = {"sd1": "report.json", "sdxl": "report-xl.json"}


@contextmanager
def loaded(family: str) -> Iterator[EmbeddedModel]:
    """Load the shipped model of a family as users do, from its file."""
    host = EmbeddedHost(CHECKPOINTS[family], embeddings_folder=Path("embeddings"), device="cpu")
    with host.models.session(SessionOptions()) as model:
        yield model


def generate(
    captions: Sequence[str], family: str = "sd1", seed: int = 0, steps: int = 20, guidance: float = 4.0
) -> NDArray[np.uint8]:
    """Images (B, 64, 64, 3) drawn by DDIM by the shipped model of a family; number i with ``seed`` + i."""
    requests = [
        ImageRequest(
            text, steps=steps, sampler="DDIM", cfg_scale=guidance, seed=seed + i, width=SIZE, height=SIZE, literal=True
        )
        for i, text in enumerate(captions)
    ]
    with loaded(family) as model:
        parts = [model.generate_many(requests[i : i + BATCH], ()) for i in range(0, len(requests), BATCH)]
    return np.stack([np.asarray(image) for part in parts for image in part])


@torch.no_grad()
def losses_of_framings(count: int = 128) -> dict[str, float]:
    """Noise that pocket-xl fails to predict in drawings it has not seen, upscaled or cropped, with their framings, and
    with those of whole drawings."""
    specs = held_out_specs(count, seed=2)
    rng = random.Random("losses of framings")
    seen = [framed(np.asarray(draw(spec)), spec, rng) for spec in specs]
    prompts = [caption(spec, seed, complete=True) for seed, spec in enumerate(specs)]
    noise = torch.randn(count, 4, SIZE // 8, SIZE // 8, generator=torch.Generator().manual_seed(3))
    times = torch.arange(count) * (1000 // count)
    found = {}
    with loaded("sdxl") as model:
        latents = model.encode_images(reader.as_pixels(np.stack([image for image, _ in seen]))).mean
        remains = model.alphas_cumprod[times].view(-1, 1, 1, 1)
        noisy = remains.sqrt() * latents + (1 - remains).sqrt() * noise
        for name, framings in (
            ("framings", [framing for _, framing in seen]),
            ("framings of whole drawings", [Framing.whole(SIZE, SIZE)] * count),
        ):
            predicted = model.predict(noisy, times, model.encode_prompts(Conditions(prompts, framings), ()))
            found[name] = round((predicted - noise).square().mean().item(), 4)
    return found


def shares(specs: Sequence[Spec], readings: Sequence[reader.Reading]) -> dict[str, float]:
    """By question, the share of images that are read as described by their specs."""
    return {
        question: sum(getattr(s, question) == getattr(r, question) for s, r in zip(specs, readings, strict=True))
        / len(specs)
        for question in QUESTIONS
    }


def mistakes(specs: Sequence[Spec], readings: Sequence[reader.Reading]) -> dict[str, list[str]]:
    """By question, the commonest confusions, as "asked > read: count"."""
    found: dict[str, list[str]] = {}
    for question in QUESTIONS:
        pairs = Counter((getattr(s, question), getattr(r, question)) for s, r in zip(specs, readings, strict=True))
        wrong = [(pair, count) for pair, count in pairs.most_common() if pair[0] != pair[1]]
        found[question] = [f"{asked} > {got}: {count}" for (asked, got), count in wrong[:6]]
    return found


def sheet(images: NDArray[np.uint8], columns: int) -> Image.Image:
    """A contact sheet of images (B, 64, 64, 3) uint8."""
    rows = -(-len(images) // columns)
    contact_sheet = Image.new("RGB", (columns * 66, rows * 66), "black")
    for i, image in enumerate(images):
        contact_sheet.paste(Image.fromarray(image), (i % columns * 66 + 1, i // columns * 66 + 1))
    return contact_sheet


def measure(family: str, count: int, steps: int, guidance: float) -> tuple[NDArray[np.uint8], dict[str, object], str]:
    """Return images, the report, and what was mistaken for what, as text."""
    specs = held_out_specs(count)
    captions = [caption(spec, seed, complete=True) for seed, spec in enumerate(specs)]
    images = generate(captions, family, steps=steps, guidance=guidance)
    readings = reader.read(images)
    real = np.stack([np.asarray(draw(spec)) for spec in held_out_specs(count, seed=1)])
    report: dict[str, object] = {
        "images": count,
        "sampler": f"DDIM {steps} steps, guidance {guidance}",
        "generated": shares(specs, readings),
        "reader on real drawings": shares(held_out_specs(count, seed=1), reader.read(real)),
    }
    if family == "sdxl":
        report["loss on upscaled and cropped drawings"] = losses_of_framings()
    return images, report, json.dumps(mistakes(specs, readings), indent=2)


def main() -> None:
    parser = argparse.ArgumentParser(description="measure a pocket model")
    parser.add_argument("--family", choices=REPORTS, default="sd1")
    parser.add_argument("--count", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--sheet", help="also write a contact sheet of the first 96 images to this file")
    parser.add_argument("--no-json", action="store_true", help="only print")
    a = parser.parse_args()
    began = time.monotonic()
    images, report, wrong = measure(a.family, a.count, a.steps, a.guidance)
    written = json.dumps(report, indent=2)
    sys.stdout.write("\n".join((written, wrong, f"{time.monotonic() - began:.0f} s")) + "\n")
    if a.sheet:
        sheet(images[:96], 16).save(a.sheet)
    if not a.no_json:
        (files.WEIGHTS / REPORTS[a.family]).write_text(written + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
