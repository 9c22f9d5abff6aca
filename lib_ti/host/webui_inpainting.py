"""Filling parts of pictures by the WebUI's img2img with the model that it has loaded, whichever that is.

What the WebUI does for pictures of the user's own is left out, as for previews: nothing is saved, remembered, or chosen
anew, and no random number is missing afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from modules import devices, processing, sd_models, shared
from PIL import Image

from lib_ti.errors import BadInput, Stopped, said_when_memory_is_full
from lib_ti.host.patch import FULL_MEMORY, STRENGTH, cut_out, put_back
from lib_ti.host.tools import Inpainter, Report
from lib_ti.host.webui_carried import (
    ONLY_DRAWN,
    Pinned,
    kept_job,
    kept_random_state,
    no_new_settings,
    no_prompt_history,
    switch_off_networks,
)

_STEPS = 40
"""The WebUI takes :data:`STRENGTH` of them."""
_SAMPLER, _SCHEDULER = "DPM++ 2M", "Karras"
_GUIDANCE = 7.0
_GIVEN = 1
"""The WebUI's number for “Masked content: original”."""
_LARGE_MODELS = 1024
_SET_ASIDE = {"save_init_img": False, "img2img_color_correction": False, "img2img_extra_noise": 0.0}
"""Settings for the user's own pictures."""


@contextmanager
def inpainter(report: Report) -> Iterator[Inpainter]:
    """Lend the loaded model; to be called with the WebUI's queue lock held.

    Raises
    ------
    BadInput
        When no model is loaded.
    """
    if sd_models.model_data.sd_model is None:
        report("Waiting until the WebUI has loaded its model.")
    sd_model = shared.sd_model
    weight = next(sd_model.model.parameters(), None) if sd_model is not None else None
    if weight is None or weight.device.type == "meta":
        raise BadInput(
            "The WebUI has no model loaded: choose a checkpoint at the top left, and begin when it is there."
        )
    try:
        yield _Inpainter(sd_model)
    finally:
        switch_off_networks()
        devices.torch_gc()


class _Img2Img(processing.StableDiffusionProcessingImg2Img):  # type: ignore[misc]  # the WebUI has no types
    """An img2img that gives what the model drew, with nothing of the original laid over it."""

    def init(self, *args: Any) -> None:
        super().init(*args)
        self.overlay_images = self.mask_for_overlay = None


class _Inpainter:
    def __init__(self, sd_model: Any) -> None:
        self._sd_model = sd_model
        self._pinned = Pinned(sd_model.sd_checkpoint_info, int(shared.opts.CLIP_stop_at_last_layers))

    def fill(self, image: Image.Image, mask: Image.Image, *, prompt: str, seed: int) -> Image.Image:
        patch = cut_out(image, mask, _side(self._sd_model))
        if patch is None:
            return image.copy()
        return put_back(image, mask, patch, self._draw(patch.image, patch.mask, prompt, seed))

    def _draw(self, image: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
        options = self._pinned.overrides()
        state = shared.state
        try:
            with said_when_memory_is_full(FULL_MEMORY), ExitStack() as undo:
                for change in (kept_random_state(), _set_aside(), no_prompt_history(), no_new_settings(options)):
                    undo.enter_context(change)
                _refuse_when_stopped(state)
                undo.enter_context(kept_job())
                pictures = self._process(image, mask, prompt, seed, options)
                _refuse_when_stopped(state)
        finally:
            shared.total_tqdm.clear()
        return pictures[0].convert("RGB")

    def _process(
        self, image: Image.Image, mask: Image.Image, prompt: str, seed: int, options: dict[str, Any]
    ) -> list[Image.Image]:
        p = _Img2Img(
            sd_model=self._sd_model,
            init_images=[image],
            mask=mask,
            mask_blur=0,
            inpainting_fill=_GIVEN,
            inpaint_full_res=False,
            initial_noise_multiplier=1.0,
            denoising_strength=STRENGTH,
            prompt=prompt,
            seed=seed,
            steps=_STEPS,
            sampler_name=_SAMPLER,
            scheduler=_SCHEDULER,
            cfg_scale=_GUIDANCE if prompt else 1.0,
            width=image.width,
            height=image.height,
            override_settings=dict(options),
            **ONLY_DRAWN,
        )
        p.cached_c, p.cached_uc = [None, None], [None, None]
        with closing(p):
            return list(processing.process_images(p).images)


def _side(sd_model: Any) -> int:
    """The side in pixels of the pictures that a model was made for."""
    if getattr(sd_model, "is_sdxl", False) or getattr(sd_model, "is_sd3", False):
        return _LARGE_MODELS
    return int(sd_model.image_size) * processing.opt_f


def _refuse_when_stopped(state: Any) -> None:
    if state.interrupted or state.stopping_generation or state.skipped:
        raise Stopped("The filling was interrupted.")


@contextmanager
def _set_aside() -> Iterator[None]:
    """Without some of the user's settings; not by overriding them, which --freeze-settings forbids."""
    options = shared.opts.data
    before = {name: options[name] for name in _SET_ASIDE if name in options}
    try:
        options.update(_SET_ASIDE)
        yield
    finally:
        for name in _SET_ASIDE:
            options.pop(name)
        options.update(before)
