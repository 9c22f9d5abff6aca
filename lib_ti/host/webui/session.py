"""Acquiring the loaded model: each change to the WebUI's session is a context that undoes it, however it is left."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from modules import (
    devices,
    lowvram,
    sd_hijack,
    sd_models,
    sd_unet,
    shared,
)

from lib_ti.errors import BadInput
from lib_ti.families.family import Family
from lib_ti.host.base import SessionOptions
from lib_ti.host.webui.base.prompt_cache import cleared_prompt_cache
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.host.webui.loaded.kind import family_of, other_kind
from lib_ti.host.webui.model import WebUIModel
from lib_ti.host.webui.temporary.ldm_checkpointing import own_checkpointing
from lib_ti.host.webui.temporary.preserved import switch_off_networks

_ATTENTION = "sdp"
"""The WebUI's name for torch's own attention: exact gradients everywhere, and the least memory without xformers, some
versions of which return wrong gradients."""
_WITH_OLD_EMPHASIS = ("sd1",)
"""Families whose text encoders the WebUI runs with its old emphasis, too; those of open_clip it does not."""
_TRAINED = "an SD 1, SD 2 or SDXL checkpoint"


@contextmanager
def acquire_model(options: SessionOptions) -> Iterator[WebUIModel]:
    """Acquire the WebUI's loaded model, frozen and without extra networks; called with its queue lock held.

    Raises
    ------
    BadInput
        When the model or the way the WebUI was started is not for training.
    """
    sd_model, family = usable_model(options)
    with ExitStack() as undo:
        undo.callback(devices.torch_gc)  # gives what training reserved back to the WebUI
        for change in (
            preserved_random_state(),
            cleared_prompt_cache(),
            _without_extra_networks(sd_model),
            _on_device(sd_model),
            _frozen(sd_model),
            _torch_attention(),
            _contiguous_before_proj_out(sd_model),
            _timesteps_on_device(sd_model),
        ):
            undo.enter_context(change)
        set_checkpointing = undo.enter_context(own_checkpointing(sd_model.model.diffusion_model))
        yield WebUIModel(sd_model, family, set_checkpointing, options.report)


def usable_model(options: SessionOptions) -> tuple[Any, Family]:
    """Return the loaded model and its family; raises :class:`BadInput` with the reason when it cannot be trained on."""
    if sd_models.model_data.sd_model is None and options.report:
        options.report("Waiting until the WebUI has loaded its model.")
    sd_model = shared.sd_model
    weight = next(sd_model.model.parameters(), None) if sd_model is not None else None
    if weight is None or weight.device.type == "meta":
        raise BadInput(f"The WebUI has no model loaded: choose {_TRAINED} at the top left, and start when it is there.")
    name = sd_model.sd_checkpoint_info.name_for_extra
    kind, family = other_kind(sd_model), family_of(sd_model)
    if kind or family is None:
        raise BadInput(f"The loaded model {name} is {kind}, which cannot be trained on: choose {_TRAINED}.")
    if shared.opts.use_old_emphasis_implementation and family.key not in _WITH_OLD_EMPHASIS:
        raise BadInput(
            "The WebUI's old emphasis does not work with this model's text encoders: turn off Settings, "
            "Compatibility, Use old emphasis implementation."
        )
    if shared.cmd_opts.lowvram:
        raise BadInput(
            "The WebUI was started with --lowvram, which keeps the model in pieces that cannot be trained through: "
            "start it with --medvram."
        )
    if devices.fp8:
        raise BadInput(
            "The model is stored in FP8, which is too coarse to train through: set Settings, Optimizations, "
            "FP8 weight to Disable."
        )
    if not sd_model.lowvram and weight.device.type != devices.device.type:
        raise BadInput(
            f"The model {name} was unloaded to main memory: select the checkpoint again at the top left, then start."
        )
    _check_precision(options.precision)
    return sd_model, family


def _check_precision(wanted: str) -> None:
    if not isinstance(devices.autocast(), torch.autocast | contextlib.nullcontext):
        raise BadInput(
            "On this device the WebUI converts weights while they are used, which cannot be trained through: "
            "start it with --no-half."
        )
    has = str(devices.dtype_unet).removeprefix("torch.")
    if wanted not in ("auto", has):
        other = ", or start the WebUI with --no-half" if wanted == "float32" else ""
        raise BadInput(f"Precision {wanted} is not possible, the WebUI has its model in {has}: choose auto{other}.")


@contextmanager
def _without_extra_networks(sd_model: Any) -> Iterator[None]:
    """Switch off what changes results: LoRA, hypernetworks, another UNet, token merging, hypertile, tiling."""
    hypernetworks, unet = list(shared.loaded_hypernetworks), sd_unet.current_unet_option
    wrapped = sd_hijack.model_hijack.circular_enabled
    tiles = [getattr(module, "__webui_hypertile_params", None) for module in sd_model.modules()]
    tiled = [params for params in tiles if params is not None and params.enabled]
    try:
        switch_off_networks()
        sd_unet.apply_unet("None")
        sd_models.apply_token_merging(sd_model, 0)
        sd_hijack.model_hijack.apply_circular(False)
        for params in tiled:
            params.enabled = False
        yield
    finally:
        for params in tiled:
            params.enabled = True
        sd_hijack.model_hijack.apply_circular(wrapped)
        sd_unet.apply_unet(unet.label if unet else "None")
        shared.loaded_hypernetworks[:] = hypernetworks


@contextmanager
def _on_device(sd_model: Any) -> Iterator[None]:
    """With --medvram, keep text encoder and UNet on the device together, as a backward pass needs both.

    The hooks that move them are detached. The autoencoder keeps its own hook, which moves it when it is used.
    """
    if not sd_model.lowvram:
        yield
        return
    lowvram.send_everything_to_cpu()
    parts = (sd_model.cond_stage_model, sd_model.model)
    hooks = [
        (module, key, hook)
        for part in parts
        for module in part.modules()
        for key, hook in module._forward_pre_hooks.items()
        if getattr(hook, "__module__", "") == lowvram.__name__
    ]
    try:
        for module, key, _ in hooks:
            del module._forward_pre_hooks[key]
        for part in parts:
            part.to(devices.device)
        yield
    finally:
        lowvram.send_everything_to_cpu()
        for part in parts:
            part.to(lowvram.cpu)
        for module, key, hook in hooks:
            module._forward_pre_hooks[key] = hook
            module._forward_pre_hooks.move_to_end(key, last=False)


@contextmanager
def _frozen(sd_model: Any) -> Iterator[None]:
    """Turn gradients of all parameters off; the WebUI leaves the UNet's on, which costs its whole size in memory."""
    flags = [(parameter, parameter.requires_grad) for parameter in sd_model.parameters()]
    try:
        for parameter, _ in flags:
            parameter.requires_grad_(False)
            parameter.grad = None
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)
            parameter.grad = None


@contextmanager
def _torch_attention() -> Iterator[None]:
    """Use torch's attention, and restore the WebUI's optimization after."""
    before = sd_hijack.current_optimizer
    wanted = next((one for one in sd_hijack.optimizers if one.name == _ATTENTION), None)
    if wanted is None or (before is not None and before.name == _ATTENTION):
        yield
        return
    try:
        sd_hijack.model_hijack.apply_optimizations(wanted.title())
        yield
    finally:
        sd_hijack.model_hijack.apply_optimizations(before.title() if before else "None")


@contextmanager
def _contiguous_before_proj_out(sd_model: Any) -> Iterator[None]:
    """On the CPU, make the input of the transformers' last convolution contiguous.

    The WebUI passes a channels-last view, which makes everything after it slower by up to a tenth.
    """
    transformers = [part for part in sd_model.model.diffusion_model.modules() if hasattr(part, "transformer_blocks")]
    wanted = transformers if devices.device.type == "cpu" else []
    hooks = [part.proj_out.register_forward_pre_hook(lambda _, given: (given[0].contiguous(),)) for part in wanted]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def _timesteps_on_device(sd_model: Any) -> Iterator[None]:
    """Compute timestep embeddings on the device; before 1.10 the WebUI waits for a copy of a part of them."""
    module = sys.modules[type(sd_model.model.diffusion_model).__module__]
    before = module.timestep_embedding

    def on_device(timesteps: torch.Tensor, *arguments: Any, **named: Any) -> torch.Tensor:
        with timesteps.device:  # torch makes new tensors there
            return before(timesteps, *arguments, **named)

    try:
        module.timestep_embedding = on_device  # type: ignore[attr-defined]
        yield
    finally:
        module.timestep_embedding = before  # type: ignore[attr-defined]
