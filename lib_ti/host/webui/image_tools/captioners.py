"""The WebUI's captioners, and those of ``models/captioners``: each loaded once for all images.

They are loaded with the WebUI's queue lock held.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from modules import devices, lowvram, paths, shared

from lib_ti.errors import BadInput
from lib_ti.host.captioners import folders
from lib_ti.host.tools import Captioner, Report, TagOptions
from lib_ti.host.webui.base.captioners import BLIP, NAMES, Blip, deepbooru, load_blip
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.wording import quoted


def names() -> tuple[str, ...]:
    return (*NAMES, *_folders())


def _folders() -> dict[str, Path]:
    return folders.captioner_folders(Path(paths.models_path) / "captioners", NAMES)


@contextmanager
def captioner(name: str, report: Report, tags: TagOptions) -> Iterator[Captioner]:
    """Load one of :func:`names`: those of the WebUI with the options of its Settings, Interrogate.

    Raises
    ------
    BadInput
        When there is none of that name, or its model is neither there nor can be downloaded.
    """
    local = _folders()
    if name not in (*NAMES, *local):
        raise BadInput(f"There is no captioner {quoted(name)} here; use one of {', '.join(names())}.")
    lowvram.send_everything_to_cpu()
    devices.torch_gc()
    with preserved_random_state():
        if name in local:
            report(f"Loading the captioner {name} from {local[name]}.")
            with _local(local[name], tags) as loaded:
                yield loaded
        else:
            with (_blip if name == BLIP else deepbooru)(report) as own:
                yield own


@contextmanager
def _local(folder: Path, tags: TagOptions) -> Iterator[Captioner]:
    try:
        yield folders.load(folder, tags, torch.device(devices.device_interrogate))
    finally:
        devices.torch_gc()


@contextmanager
def _blip(report: Report) -> Iterator[Captioner]:
    interrogator = shared.interrogator
    try:
        if interrogator.blip_model is None:
            interrogator.blip_model = load_blip(report)
            if not shared.cmd_opts.no_half and not interrogator.running_on_cpu:
                interrogator.blip_model = interrogator.blip_model.half()
        interrogator.blip_model = interrogator.blip_model.to(devices.device_interrogate)
        yield Blip(interrogator.blip_model)
    finally:
        interrogator.send_blip_to_ram()
        devices.torch_gc()
