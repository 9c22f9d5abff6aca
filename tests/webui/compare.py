"""``python -m tests.webui.compare [pocket] [full] [quality]``: our training against the WebUI's own, inside one WebUI.

The same checkpoint, pictures, captions, template, batch and rate, one after the other in one process on one processor
thread; seconds are the processor's, of the thread that trains. ``full`` makes a Stable Diffusion 1.5 of full size with
random weights (2 GB on disk while it is measured, 12 GB of memory) and trains at 256 x 256. Needs the same variables
as :mod:`tests.webui.instance`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from lib_ti.data import latents, templates
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.embedding import files
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from lib_ti.pocket import files as pocket
from lib_ti.pocket.sample_set import sample_set
from lib_ti.pocket.words import VOCABULARY
from lib_ti.training.validation.samples import validation_samples
from lib_ti.training.validation.validation_loss import ValidationLoss
from tests.benchmarks.quality import STYLES
from tests.benchmarks.row import Row
from tests.networks import full_networks, full_text_config, in_ldm_format
from tests.webui.instance import Instance, running

STEPS = {"pocket": 30, "full": 4}
ROUNDS = {"pocket": 8, "full": 2}
"""Each training is timed so often, in turn, and the fastest counts: other programs only ever add to a time."""
UNSEEN = 64
TRAININGS = 3
TEMPLATE = templates.SHIPPED / "style_filewords.txt"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.webui.compare", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which to measure (default: all)")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    print("| what | measured | promised | |\n| --- | --- | --- | --- |")
    kept = True
    for name in arguments.parts or PARTS:
        for row in PARTS[name]():
            kept &= row.kept
            print(f"| {row.what} | {row.measured} | {row.promised} | {'yes' if row.kept else 'NO'} |", flush=True)
    return 0 if kept else 1


@contextmanager
def webui(pictures: int = 30) -> Iterator[tuple[Instance, Path]]:
    """A WebUI, and a folder with pictures beside what it has."""
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as instance:
        sample_set(Path(name) / "pictures", STYLES[0], count=pictures)
        yield instance, Path(name)


def measure_pocket() -> Iterator[Row]:
    with webui() as (instance, folder):
        for batch in (1, 4):
            yield from _speed(instance, folder, "pocket model", "pocket", batch=batch, side=64)
        yield _memory_after(instance, folder)


def measure_full() -> Iterator[Row]:
    with webui(pictures=4) as (instance, folder):
        unet = _write_full_model(folder / "models" / "Stable-diffusion" / "full")
        instance.post("refresh-checkpoints")
        instance.post("options", {"sd_model_checkpoint": "full/full.safetensors"})
        yield from _speed(instance, folder, "SD1.5 of full size at 256 x 256", "full", batch=1, side=256, unet=unet)


def _speed(
    instance: Instance, folder: Path, what: str, part: str, *, batch: int, side: int, unet: int | None = None
) -> Iterator[Row]:
    """Step times and, where the size of the UNet's weights is given, the memory that each training had at the most."""
    size = {"batch": batch, "side": side, "steps": STEPS[part]}
    ways: dict[str, Callable[[], float]] = {
        "without checkpointing": lambda: _ours(instance, folder, **size, gradient_checkpointing="off"),
        "with checkpointing": lambda: _ours(instance, folder, **size, gradient_checkpointing="transformer-blocks"),
        "their own": lambda: _theirs(instance, folder, **size),
    }
    seconds: dict[str, list[float]] = {how: [] for how in ways}
    peaks: dict[str, int] = {}
    for _ in range(ROUNDS[part]):
        for how, train in ways.items():
            instance.call("forget_peak")
            seconds[how].append(train())
            # Their training leaves the gradients of all weights behind, so that only the first round tells.
            peaks.setdefault(how, instance.call("resident", what="VmHWM"))
    theirs = min(seconds.pop("their own"))
    for how, promised in (("without checkpointing", 0.5), ("with checkpointing", 0.6)):
        ratio = min(seconds[how]) / theirs
        yield Row(
            f"{what}, batch {batch}: step {how}, in units of the WebUI's own ({theirs:.3g} s)",
            f"{ratio:.2f}",
            f"{promised}",
            ratio <= promised,
        )
    if unet:
        for how in seconds:
            less = peaks["their own"] - peaks[how]
            yield Row(
                f"{what}: memory {how} at the most, below the WebUI's own ({peaks['their own'] / 1e9:.1f} GB)",
                f"{less / 1e9:.1f} GB",
                f"{unet / 1e9:.1f} GB",
                less >= unet,
            )


def _ours(instance: Instance, folder: Path, *, batch: int, side: int, steps: int, **more: Any) -> float:
    instance.call("create", name="zqtest-ours", text="style", vectors=4, overwrite=True)
    run = instance.call(
        "train", name="zqtest-ours", dataset=str(folder / "pictures"), template=str(TEMPLATE), batch_size=batch,
        width=side, height=side, max_steps=steps, save_image_every=0, validate_every=0, save_embedding_every=0,
        log_directory=str(folder / "runs"), cache_latents=False, **more,
    )  # fmt: skip
    assert run["problem"] == "", run["problem"]
    at = [event["at"] for event in run["events"] if event["event"] == "StepDone"]
    return float(np.median(np.diff(at[1:])))


def _theirs(instance: Instance, folder: Path, *, batch: int, side: int, steps: int, rate: str = "0.005") -> float:
    # Their trainer goes on from .pt files only, and reads the folder by itself.
    name = "zqtest-theirs"
    instance.call("create", name=name, text="style", vectors=4, overwrite=True, file_format="pt")
    return float(
        instance.call(
            "their_training", name=name, pictures=str(folder / "pictures"), template=str(TEMPLATE),
            folder=str(folder / "theirs"), steps=steps, batch=batch, side=side, rate=rate,
        )
    )  # fmt: skip


def _memory_after(instance: Instance, folder: Path) -> Row:
    """The first training fills what stays in use, such as imported modules; the second one is looked at."""
    before = instance.call("resident")
    _ours(instance, folder, batch=1, side=64, steps=200)
    after = instance.call("resident")
    growth = after / before - 1
    return Row("memory of the process after 200 steps, against before", f"{100 * growth:+.2f} %", "1 %", growth <= 0.01)


def measure_quality() -> Iterator[Row]:
    """The loss on unseen images of what both trainers make of the same pictures, steps, rate and batch.

    Each trains :data:`TRAININGS` times with other chance, whose share in a single one is as large as any difference.
    """
    with webui() as (instance, folder):
        for style in STYLES:
            work = folder / style
            sample_set(work / "pictures", style)
            sample_set(work / "unseen", style, count=UNSEEN, seed=1)
            ours, theirs = [], []
            for seed in range(TRAININGS):
                _train_ours(instance, work, seed)
                _theirs(instance, work, batch=4, side=64, steps=500, rate="0.03")
                ours.append(_unseen_loss(instance, work, "zqtest-ours.safetensors"))
                theirs.append(_unseen_loss(instance, work, "zqtest-theirs.pt"))
            chance = float(np.hypot(np.std(ours, ddof=1), np.std(theirs, ddof=1))) / TRAININGS**0.5
            yield Row(
                f"{style}: loss on unseen images after 500 steps at 0.03, mean of {TRAININGS} runs; the WebUI's "
                f"own {np.mean(theirs):.5f}, noise of the difference ± {chance:.5f}",
                f"{np.mean(ours):.5f}",
                "not above",
                float(np.mean(ours) - np.mean(theirs)) <= chance,
            )


def _train_ours(instance: Instance, work: Path, seed: int) -> None:
    instance.call("create", name="zqtest-ours", text="style", vectors=4, overwrite=True)
    run = instance.call(
        "train", name="zqtest-ours", dataset=str(work / "pictures"), template=str(TEMPLATE), batch_size=4, seed=seed,
        width=64, height=64, max_steps=500, learning_rate="0.03", save_image_every=0, validate_every=0,
        save_embedding_every=0, log_directory=str(work / f"runs-{seed}"), cache_latents=False,
    )  # fmt: skip
    assert run["problem"] == "", run["problem"]


def _unseen_loss(instance: Instance, work: Path, name: str) -> float:
    embedding = files.load(instance.embeddings / name)
    host = EmbeddedHost(CHECKPOINT, embeddings_folder=work)
    with host.models.session(SessionOptions()) as model:
        found = scan(work / "unseen", Rules(64, 64, validation_split=0.0))
        found, encoded = latents.encode(
            found, model, cache_folder=None, batch_size=8, progress=lambda done, total: None, stop=lambda: False
        )
        template = templates.find_template(TEMPLATE, ())
        measure = ValidationLoss(model, validation_samples(found, encoded, template, embedding.name), seed=1)
        return fmean(measure(embedding))


def _write_full_model(folder: Path) -> int:
    """Stable Diffusion 1.5 with random weights as the WebUI loads it; returns the bytes of its UNet in float32."""
    folder.mkdir(parents=True)
    networks = full_networks()
    weights = {name: tensor.half() for name, tensor in in_ldm_format(networks).items()}
    save_file({**pocket.schedule(), **weights}, folder / "full.safetensors", metadata={"format": "pt"})
    clip = folder / "full-clip"
    pocket.write_clip_folder(clip)
    (clip / "config.json").write_text(json.dumps({"architectures": ["CLIPTextModel"], **full_text_config().to_dict()}))
    for name in ("vocab.json", "merges.txt"):
        (clip / name).write_bytes((VOCABULARY / name).read_bytes())
    description = pocket.config(clip.as_posix())
    params = description["model"]["params"]
    params["image_size"] = 64
    params["unet_config"]["params"].update(
        image_size=32, model_channels=320, attention_resolutions=[4, 2, 1], num_res_blocks=2, channel_mult=[1, 2, 4, 4],
        context_dim=768,
    )  # fmt: skip
    params["first_stage_config"]["params"]["ddconfig"].update(
        resolution=256, ch=128, ch_mult=[1, 2, 4, 4], num_res_blocks=2
    )
    (folder / "full.yaml").write_text(json.dumps(description))
    return 4 * sum(parameter.numel() for parameter in networks.unet.parameters())


PARTS = {"pocket": measure_pocket, "full": measure_full, "quality": measure_quality}

if __name__ == "__main__":
    raise SystemExit(main())
