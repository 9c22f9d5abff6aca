"""What the WebUI carries from one picture to the next, and neither training nor previews may take or leave."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from modules import extra_networks, processing, sd_models, sd_unet, shared

from lib_ti.errors import UserError

_KEPT = (
    "job",
    "job_no",
    "job_count",
    "processing_has_refined_job_count",
    "sampling_step",
    "sampling_steps",
    "textinfo",
    "time_start",
)

ONLY_DRAWN: Mapping[str, Any] = {
    "restore_faces": False,
    "tiling": False,
    "do_not_save_samples": True,
    "do_not_save_grid": True,
    "do_not_reload_embeddings": True,
}
"""Of a picture's processing, so that nothing is done besides drawing it."""


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


@contextmanager
def kept_job() -> Iterator[None]:
    """Drawing counts jobs and steps, and draws nothing while an interrupt is on, such as the one that ended the run."""
    state = shared.state
    kept = {name: getattr(state, name) for name in _KEPT if hasattr(state, name)}
    asked = {name: getattr(state, name) for name in ("interrupted", "stopping_generation")}
    for name in (*asked, "skipped"):
        setattr(state, name, False)
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(state, name, value)
        for name, value in asked.items():
            setattr(state, name, value or getattr(state, name))
        state.skipped = False  # it was meant for the picture
        state.current_latent = None


@contextmanager
def no_prompt_history() -> Iterator[None]:
    """The button that brings back the last prompt is to bring back the user's own."""
    before = shared.cmd_opts.no_prompt_history
    shared.cmd_opts.no_prompt_history = True
    try:
        yield
    finally:
        shared.cmd_opts.no_prompt_history = before


@contextmanager
def no_new_settings(overridden: Mapping[str, Any]) -> Iterator[None]:
    """Overridden settings that the user's file does not have stay in it: the WebUI restores the others only."""
    new = [name for name in overridden if name not in shared.opts.data]
    try:
        yield
    finally:
        for name in new:
            shared.opts.data.pop(name, None)


class Pinned:
    """The model and the settings that pictures are drawn with, whatever the user chooses meanwhile.

    Parameters
    ----------
    checkpoint
        The WebUI's ``CheckpointInfo`` of the loaded model.
    clip_skip
        The setting to draw with.
    """

    def __init__(self, checkpoint: Any, clip_skip: int) -> None:
        self._checkpoint = checkpoint
        self._clip_skip, self._fp8 = clip_skip, getattr(shared.opts, "fp8_storage", None)

    def overrides(self) -> dict[str, Any]:
        """The settings to override for one picture.

        Empty as long as the user has changed none of them: overriding fails with --freeze-settings, even by the same
        value. The storage comes first, since setting the checkpoint looks at it.

        Raises
        ------
        UserError
            When the checkpoint has left the WebUI's list.
        """
        known = sd_models.checkpoint_aliases
        title = self._checkpoint.title
        if title not in known or known[title].filename != self._checkpoint.filename:
            raise UserError(
                f"The checkpoint {title} is no longer in the WebUI's list, so that its pictures cannot be drawn: put "
                "the file back and refresh the list."
            )
        options = shared.opts
        chosen = known.get(options.sd_model_checkpoint)
        kept = (
            chosen is not None
            and chosen.filename == self._checkpoint.filename
            and getattr(options, "fp8_storage", None) == self._fp8
            and options.CLIP_stop_at_last_layers == self._clip_skip
            and not sd_unet.unet_options
        )
        if kept:
            return {}
        storage = {"fp8_storage": self._fp8} if self._fp8 is not None else {}
        return {
            **storage,
            "sd_model_checkpoint": title,
            "CLIP_stop_at_last_layers": self._clip_skip,
            "sd_unet": "None",
        }
