"""State that the WebUI keeps from one image to the next, and that training and previews must leave as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from modules import extra_networks, processing, sd_models, sd_unet, shared

from lib_ti.errors import UserError

_JOB_FIELDS = (
    "job",
    "job_no",
    "job_count",
    "processing_has_refined_job_count",
    "sampling_step",
    "sampling_steps",
    "textinfo",
    "time_start",
)

GENERATE_ONLY: Mapping[str, Any] = {
    "restore_faces": False,
    "tiling": False,
    "do_not_save_samples": True,
    "do_not_save_grid": True,
    "do_not_reload_embeddings": True,
}
"""Arguments of the WebUI's processing, so that nothing is done besides generating the image."""
_STORAGE = "fp8_storage"
_PINNED = (
    _STORAGE,
    "CLIP_stop_at_last_layers",
    "sdxl_clip_l_skip",
    "sd_noise_schedule",
    "use_downcasted_alpha_bar",
    "emphasis",
)
"""Settings of the WebUI that change what a model computes, or what a prompt means."""


def switch_off_networks() -> None:
    """Deactivate LoRAs and hypernetworks, also those that the settings add to every prompt.

    The LoRAs' weights leave the layers when these are next used. The WebUI activates what the next image needs when it
    is generated.
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
def preserved_job() -> Iterator[None]:
    """Restore the job's fields, which generating changes, and clear interrupts within, so that it generates at all."""
    state = shared.state
    fields = {name: getattr(state, name) for name in _JOB_FIELDS if hasattr(state, name)}
    requests = {name: getattr(state, name) for name in ("interrupted", "stopping_generation")}
    for name in (*requests, "skipped"):
        setattr(state, name, False)
    try:
        yield
    finally:
        for name, value in fields.items():
            setattr(state, name, value)
        for name, value in requests.items():
            setattr(state, name, value or getattr(state, name))
        state.skipped = False  # it was meant for the image
        state.current_latent = None


@contextmanager
def no_prompt_history() -> Iterator[None]:
    """Keep the user's own last prompt in ``params.txt``, from which a button restores it."""
    before = shared.cmd_opts.no_prompt_history
    shared.cmd_opts.no_prompt_history = True
    try:
        yield
    finally:
        shared.cmd_opts.no_prompt_history = before


@contextmanager
def no_new_settings(overridden: Mapping[str, Any]) -> Iterator[None]:
    """Remove overridden settings that the user's file does not have: the WebUI restores only the others."""
    new = [name for name in overridden if name not in shared.opts.data]
    try:
        yield
    finally:
        for name in new:
            shared.opts.data.pop(name, None)


class PinnedSettings:
    """Model and settings that images are generated with: the present ones, whatever the user selects later.

    Parameters
    ----------
    checkpoint
        The WebUI's ``CheckpointInfo`` of the loaded model.
    """

    def __init__(self, checkpoint: Any) -> None:
        self._checkpoint = checkpoint
        self._settings = _pinned_settings()

    def overrides(self) -> dict[str, Any]:
        """Return the settings to override for one image.

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
                f"The checkpoint {title} is no longer in the WebUI's list, so no image can be generated with it: put "
                "the file back and refresh the list."
            )
        options = shared.opts
        chosen = known.get(options.sd_model_checkpoint)
        unchanged = (
            chosen is not None
            and chosen.filename == self._checkpoint.filename
            and _pinned_settings() == self._settings
            and not sd_unet.unet_options
        )
        if unchanged:
            return {}
        storage = {name: value for name, value in self._settings.items() if name == _STORAGE}
        return {**storage, "sd_model_checkpoint": title, **self._settings, "sd_unet": "None"}


def _pinned_settings() -> dict[str, Any]:
    """Return the user's present values of :data:`_PINNED`, as far as this WebUI has them."""
    return {name: getattr(shared.opts, name) for name in _PINNED if hasattr(shared.opts, name)}
