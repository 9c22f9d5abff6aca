"""What the WebUI carries from one picture to the next, and neither training nor previews may take or leave."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from modules import extra_networks, processing, shared


@contextmanager
def kept_random_state() -> Iterator[None]:
    """Whatever is drawn inside, everyone's next random number is what it would have been."""
    cpu, cuda = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    numpy, python = np.random.get_state(), random.getstate()  # noqa: NPY002 - the global state is what is kept
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        if cuda:
            torch.cuda.set_rng_state_all(cuda)
        np.random.set_state(numpy)  # noqa: NPY002
        random.setstate(python)


@contextmanager
def fresh_conditioning() -> Iterator[None]:
    """Afterwards no encoded prompt is remembered: the WebUI's key for them does not hold an embedding's vectors."""
    try:
        yield
    finally:
        forget_conditioning()


def forget_conditioning() -> None:
    """Have the WebUI encode prompts anew."""
    base, txt2img = processing.StableDiffusionProcessing, processing.StableDiffusionProcessingTxt2Img
    base.cached_c, base.cached_uc = [None, None], [None, None]
    txt2img.cached_hr_c, txt2img.cached_hr_uc = [None, None], [None, None]


def switch_off_networks() -> None:
    """No LoRA and no hypernetwork, not even those that the settings add to every prompt.

    The LoRAs' weights leave the layers when these are next used. What the next picture needs, the WebUI sets when it
    is drawn.
    """
    options = shared.opts.data
    added = {key: options[key] for key in ("sd_lora", "sd_hypernetwork") if key in options}
    p = processing.StableDiffusionProcessingTxt2Img()
    p.all_prompts = []
    try:
        options.update(dict.fromkeys(added, "None"))
        extra_networks.activate(p, {})
    finally:
        options.update(added)
    shared.loaded_hypernetworks.clear()
