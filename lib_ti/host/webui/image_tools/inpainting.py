"""Inpainting by the WebUI's img2img with the model that it has loaded, of whichever family.

As for previews, what the WebUI does for the user's own images is skipped: nothing is saved or cached, no setting
changes, and the random states are restored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from modules import devices, processing, sd_models, shared
from PIL import Image

from lib_ti.errors import BadInput, Stopped, said_when_memory_is_full
from lib_ti.host.inpainted_patch import OUT_OF_MEMORY, STRENGTH, cut_out, put_back
from lib_ti.host.tools import Inpainter, Report
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.host.webui.loaded.kind import image_size
from lib_ti.host.webui.temporary.preserved import (
    GENERATE_ONLY,
    PinnedSettings,
    no_new_settings,
    no_prompt_history,
    preserved_job,
    switch_off_networks,
)

_STEPS = 40
"""The WebUI takes :data:`STRENGTH` of them."""
_SAMPLER, _SCHEDULER = "DPM++ 2M", "Karras"
_GUIDANCE = 7.0
_ORIGINAL = 1
"""The WebUI's number for “Masked content: original”."""
_OVERRIDDEN = {"save_init_img": False, "img2img_color_correction": False, "img2img_extra_noise": 0.0}
"""The user's settings for own images."""


@contextmanager
def inpainter(report: Report) -> Iterator[Inpainter]:
    """Acquire the loaded model; called with the WebUI's queue lock held.

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
            "The WebUI has no model loaded: select a checkpoint at the top left, and start when it is loaded."
        )
    try:
        yield _Inpainter(sd_model)
    finally:
        switch_off_networks()
        devices.torch_gc()


class _Img2Img(processing.StableDiffusionProcessingImg2Img):  # type: ignore[misc]  # the WebUI has no types
    """An img2img that returns the generated image, with nothing of the original pasted over it."""

    def init(self, *args: Any) -> None:
        super().init(*args)
        self.overlay_images = self.mask_for_overlay = None


class _Inpainter:
    def __init__(self, sd_model: Any) -> None:
        self._sd_model = sd_model
        self._pinned = PinnedSettings(sd_model.sd_checkpoint_info)

    def fill(self, image: Image.Image, mask: Image.Image, *, prompt: str, seed: int) -> Image.Image:
        patch = cut_out(image, mask, image_size(self._sd_model))
        if patch is None:
            return image.copy()
        return put_back(image, mask, patch, self._generate(patch.image, patch.mask, prompt, seed))

    def _generate(self, image: Image.Image, mask: Image.Image, prompt: str, seed: int) -> Image.Image:
        options = self._pinned.overrides()
        state = shared.state
        try:
            with said_when_memory_is_full(OUT_OF_MEMORY), ExitStack() as undo:
                for change in (
                    preserved_random_state(),
                    _overridden_settings(),
                    no_prompt_history(),
                    no_new_settings(options),
                ):
                    undo.enter_context(change)
                _refuse_when_stopped(state)
                undo.enter_context(preserved_job())
                images = self._process(image, mask, prompt, seed, options)
                _refuse_when_stopped(state)
        finally:
            shared.total_tqdm.clear()
        return images[0].convert("RGB")

    def _process(
        self, image: Image.Image, mask: Image.Image, prompt: str, seed: int, options: dict[str, Any]
    ) -> list[Image.Image]:
        p = _Img2Img(
            sd_model=self._sd_model,
            init_images=[image],
            mask=mask,
            mask_blur=0,
            inpainting_fill=_ORIGINAL,
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
            **GENERATE_ONLY,
        )
        p.cached_c, p.cached_uc = [None, None], [None, None]
        with closing(p):
            return list(processing.process_images(p).images)


def _refuse_when_stopped(state: Any) -> None:
    if state.interrupted or state.stopping_generation or state.skipped:
        raise Stopped("Inpainting was interrupted.")


@contextmanager
def _overridden_settings() -> Iterator[None]:
    """Override some of the user's settings without the WebUI's own way, which --freeze-settings forbids."""
    options = shared.opts.data
    before = {name: options[name] for name in _OVERRIDDEN if name in options}
    try:
        options.update(_OVERRIDDEN)
        yield
    finally:
        for name in _OVERRIDDEN:
            options.pop(name)
        options.update(before)
