"""What the pocket model can do, measured: `python -m tools.pocket.evaluate`.

Draws pictures from captions of attribute tuples that training never saw, all attributes said, reads them, and writes
the shares of right answers, with the reader's own on real drawings, to `weights/report.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lib_ti.pocket import files, reader
from lib_ti.pocket.captions import caption
from lib_ti.pocket.diffusion import decode, sample
from lib_ti.pocket.words import Words
from lib_ti.pocket.world import Spec, draw, held_out_specs

QUESTIONS = ("shape", "colour", "background", "style")


def generate(captions: Sequence[str], seed: int = 0, steps: int = 20, guidance: float = 4.0, batch: int = 64) -> Tensor:
    """Pictures (B, 64, 64, 3) uint8 drawn by the shipped model."""
    unet, vae, text = files.load()
    words = Words()
    parts = []
    for start in range(0, len(captions), batch):
        latents = sample(unet, text, words, captions[start : start + batch], seed + start, steps, guidance)
        parts.append(decode(vae, latents))
    return torch.cat(parts)


def shares(specs: Sequence[Spec], readings: Sequence[reader.Reading]) -> dict[str, float]:
    """By question, the share of pictures that are read as their specs say."""
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


def sheet(pictures: NDArray[np.uint8], columns: int) -> Image.Image:
    """A contact sheet of pictures (B, 64, 64, 3) uint8."""
    rows = -(-len(pictures) // columns)
    image = Image.new("RGB", (columns * 66, rows * 66), "black")
    for i, picture in enumerate(pictures):
        image.paste(Image.fromarray(picture), (i % columns * 66 + 1, i // columns * 66 + 1))
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description="measure the pocket model")
    parser.add_argument("--count", type=int, default=512)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--sheet", help="also write a contact sheet of the first 96 pictures to this file")
    parser.add_argument("--no-json", action="store_true", help="only print")
    a = parser.parse_args()
    specs = held_out_specs(a.count)
    captions = [caption(spec, seed, complete=True) for seed, spec in enumerate(specs)]
    began = time.monotonic()
    pictures = generate(captions, steps=a.steps, guidance=a.guidance).numpy()
    seconds = time.monotonic() - began
    readings = reader.read(pictures)
    real = np.stack([np.asarray(draw(spec)) for spec in held_out_specs(a.count, seed=1)])
    result = {
        "pictures": a.count,
        "sampler": f"DDIM {a.steps} steps, guidance {a.guidance}",
        "generated": shares(specs, readings),
        "reader on real drawings": shares(held_out_specs(a.count, seed=1), reader.read(real)),
    }
    wrong = mistakes(specs, readings)
    lines = (json.dumps(result, indent=2), json.dumps(wrong, indent=2), f"{seconds:.0f} s")
    sys.stdout.write("\n".join(lines) + "\n")
    if a.sheet:
        sheet(pictures[:96], 16).save(a.sheet)
    if not a.no_json:
        (files.WEIGHTS / "report.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
