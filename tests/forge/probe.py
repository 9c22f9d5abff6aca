"""Runs inside the fork that ``instance.py`` starts: gives the tests a few of our own calls."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from modules import modelloader, paths, sd_models, shared
from PIL import Image
from spandrel.architectures import ESRGAN

from lib_ti.background.runs import Runs
from lib_ti.config import CreateConfig, TrainConfig, from_mapping
from lib_ti.embedding import files
from lib_ti.errors import UserError
from lib_ti.host.base import SessionOptions
from lib_ti.host.forge.host import ForkHost
from lib_ti.host.webui.base import tab
from lib_ti.signals import Control, Event, as_json
from lib_ti.training import check as checking
from lib_ti.training import create as creation
from lib_ti.training.run import train as train_embedding
from lib_ti.ui import tab as page
from tests.webui.captioner_files import make_blip, make_deepbooru, small_blip
from tests.webui.inside import busy, reload_ui, resident, serve, stop, txt2img_fields, watched

# Its name depends on the version of spandrel.
RRDBNet = getattr(ESRGAN, "RRDBNet", None) or ESRGAN.ESRGAN

HOST = ForkHost()


def create(**settings: Any) -> dict[str, Any]:
    begun = time.perf_counter()
    path = creation.create(HOST, from_mapping(CreateConfig, settings)).path
    return {"path": str(path), "seconds": time.perf_counter() - begun}


def check(**settings: Any) -> list[list[str]]:
    return [[finding.kind, finding.text] for finding in checking.check_run(HOST, from_mapping(TrainConfig, settings))]


def train(**settings: Any) -> dict[str, Any]:
    """Events of a run, and how it ended."""
    events: list[dict[str, Any]] = []

    def listen(event: Event) -> None:
        events.append(as_json(event))

    problem = ""
    try:
        train_embedding(HOST, from_mapping(TrainConfig, settings), listen, Control())
    except Exception as error:  # noqa: BLE001 - the test looks at it
        problem = f"{type(error).__name__}: {error}"
    return {"events": events, "problem": problem}


def begin(**settings: Any) -> None:
    """As the tab begins a run."""
    Runs().start(HOST, from_mapping(TrainConfig, settings))


def save(source: str, target: str) -> str:
    """Write an embedding with another's vectors into the folder, and say so to the host."""
    path = Path(target)
    files.save(files.load(Path(source)), path)
    return HOST.models.embedding_saved(path)


def saved(path: str) -> str:
    return HOST.models.embedding_saved(Path(path))


def refusal(**options: Any) -> str:
    """What a session says when it cannot begin."""
    try:
        with HOST.models.session(SessionOptions(**options)):
            return ""
    except UserError as error:
        return str(error)


def select(title: str) -> str:
    """What choosing a checkpoint at the top left does."""
    try:
        from modules_forge import main_entry
    except ImportError:
        main_entry = None
    if hasattr(main_entry, "checkpoint_change"):
        main_entry.checkpoint_change(title)
    else:
        shared.opts.set("sd_model_checkpoint", title)
    return str(sd_models.select_checkpoint().title)


def options(**values: Any) -> None:
    """Set settings without what follows from a change of theirs."""
    shared.opts.data.update(values)


def arguments() -> dict[str, str]:
    return dict(HOST.models.arguments)


def caption(name: str, image: str) -> list[str]:
    """A captioner's captions of one image."""
    with small_blip(), HOST.tools.captioner(name, lambda _: None) as captioner:
        return list(captioner.caption([Image.open(image).convert("RGB")]))


def captioners() -> list[str]:
    return list(HOST.tools.captioners)


def upscale(image: str, target: str) -> list[str]:
    """Write an image twice as large by a small upscaler of random weights; gives the names of all upscalers."""
    folder = Path(paths.models_path) / "ESRGAN"
    folder.mkdir(exist_ok=True)
    torch.save(RRDBNet(num_filters=8, num_blocks=1, scale=2).state_dict(), folder / "zqsmall.pth")
    modelloader.load_upscalers()
    with HOST.tools.upscaler("zqsmall", lambda _: None) as upscaler:
        upscaler.upscale(Image.open(image).convert("RGB"), 2.0).save(target)
    return list(HOST.tools.upscalers)


def inpaint(image: str, mask: str, target: str) -> None:
    with HOST.tools.inpainter(lambda _: None) as inpainter:
        opened = Image.open(image).convert("RGB"), Image.open(mask).convert("L")
        inpainter.fill(*opened, prompt="", seed=1).save(target)


def build_seconds() -> float:
    """Processor seconds that building the tab takes, its modules being imported."""
    begun = time.thread_time()
    page.build(HOST, **tab.surroundings())
    return time.thread_time() - begun


serve("call", (
    create, check, train, begin, watched, stop, save, saved, refusal, busy, resident, select, options, arguments,
    txt2img_fields, reload_ui, caption, captioners, make_blip, make_deepbooru, upscale, inpaint, build_seconds,
))  # fmt: skip
