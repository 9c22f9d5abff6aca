"""What our tab takes from the WebUI that it is built into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules import infotext_utils, shared

try:
    from modules import sd_samplers, sd_schedulers
except ImportError:  # in WebUIs before 1.9
    sd_samplers = sd_schedulers = None

from lib_ti.host.webui.base import forks

_TXT2IMG = {
    "txt2img_prompt": "prompt",
    "txt2img_neg_prompt": "negative_prompt",
    "txt2img_steps": "steps",
    "txt2img_sampling": "sampler",
    "txt2img_scheduler": "scheduler",
    "txt2img_cfg_scale": "cfg_scale",
    "txt2img_seed": "seed",
    "txt2img_width": "width",
    "txt2img_height": "height",
}
"""The fields of the txt2img tab by their elements' ids."""


def surroundings() -> dict[str, Any]:
    """Return arguments of :func:`lib_ti.ui.tab.build`: txt2img's fields, defaults, and names of samplers."""
    return {"txt2img": _txt2img_fields(), "defaults": _defaults(), **_sampler_names()}


def _txt2img_fields() -> dict[str, Any]:
    """Return components of the txt2img tab by our names for them; as many as there are."""
    fields = infotext_utils.paste_fields.get("txt2img", {}).get("fields") or ()
    found = {getattr(component, "elem_id", None): component for component, *_ in fields}
    return {name: found[elem_id] for elem_id, name in _TXT2IMG.items() if elem_id in found}


def _defaults() -> Mapping[str, Any]:
    """Return the defaults of the tab's fields that are on our page of the WebUI's Settings."""
    return {
        "log_directory": shared.opts.ti_log_directory,
        "file_format": shared.opts.ti_file_format,
        "seconds": shared.opts.ti_seconds,
    }


def _sampler_names() -> dict[str, tuple[str, ...]]:
    """Return names of samplers and schedulers, as txt2img lists them; in a fork none, since previews are by ours."""
    if sd_samplers is None or forks.is_fork():
        return {}
    return {
        "samplers": tuple(sd_samplers.visible_sampler_names()),
        "schedulers": tuple(scheduler.label for scheduler in sd_schedulers.schedulers),
    }
