"""The tools of a machine without a WebUI: BLIP and upscalers from local folders, filling by the loaded model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_ti.errors import BadInput
from lib_ti.host import upscaling
from lib_ti.host.tools import Captioner, Inpainter, Report, Upscaler
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.embedded_model import EmbeddedModel

CAPTIONER = "BLIP"
_WHERE = "the files of Salesforce/blip-image-captioning-base on huggingface.co, 1 GB"
_NEEDED = (("config.json",), ("model.safetensors",), ("tokenizer.json", "vocab.txt"))
"""Files of the captioner's folder; of several, one is enough."""
_FINE = 256
"""Pictures of a smaller side than this are not what people train on."""


@contextmanager
def captioner(name: str, folder: Path, device: torch.device, report: Report) -> Iterator[Captioner]:
    """Lend BLIP from a folder.

    Raises
    ------
    BadInput
        When there is no captioner of that name, or the folder does not hold its model.
    """
    if name != CAPTIONER:
        raise BadInput(f"There is no captioner {quoted(name)} here; take {CAPTIONER}.")
    missing = [" or ".join(files) for files in _NEEDED if not any((folder / file).is_file() for file in files)]
    if missing:
        raise BadInput(
            f"The captioner {CAPTIONER} needs its model in the folder {folder.absolute()}, where there is no "
            f"{', no '.join(missing)}: put {_WHERE}, into it, or give another folder with --captioner-dir."
        )
    report(f"Loading the captioner {CAPTIONER} from {folder}.")
    from lib_ti.host import blip

    yield blip.load(folder, device)


@contextmanager
def upscaler(name: str, folder: Path, device: torch.device, report: Report) -> Iterator[Upscaler]:
    """Lend the upscaler of a model file in a folder.

    Raises
    ------
    BadInput
        When there is no such file, or it cannot be used.
    """
    files = upscaling.model_files(folder)
    if name not in files:
        there = f"there are {', '.join(files)}" if files else f"put its {' or '.join(upscaling.SUFFIXES)} file there"
        raise BadInput(
            f"There is no upscaler {quoted(name)} in the folder {folder.absolute()}; {there}, or take Lanczos."
        )
    report(f"Loading the upscaler {name}.")
    yield upscaling.load(files[name], device)


@contextmanager
def inpainter(session: AbstractContextManager[EmbeddedModel], report: Report) -> Iterator[Inpainter]:
    """Lend what fills parts of pictures by the model of a session, for as long as that."""
    from lib_ti.host.inpainting import EmbeddedInpainter

    with session as model:
        if model.info.size < _FINE:
            report(
                f"The model {model.info.name} draws pictures of {model.info.size} pixels, so what it fills is coarse; "
                "choose another checkpoint, or a plain fill."
            )
        yield EmbeddedInpainter(model)
