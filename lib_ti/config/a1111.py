"""Settings files of the WebUI's own Train tab, ``settings-*.json`` or the first ``settings.txt``, for this trainer.

What they hold is in the WebUI's ``modules/textual_inversion/saving_settings.py``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import Any

from lib_ti.config.previews import one_prompt
from lib_ti.errors import BadInput
from lib_ti.wording import quoted

_NAMES = {
    "embedding_name": "name",
    "data_root": "dataset",
    "template_file": "template",
    "log_directory": "log_directory",
    "learn_rate": "learning_rate",
    "steps": "max_steps",
    "batch_size": "batch_size",
    "gradient_step": "gradient_accumulation",
    "training_width": "width",
    "training_height": "height",
    "clip_grad_mode": "clip",
    "clip_grad_value": "clip_value",
    "latent_sampling_method": "latent_sampling",
    "create_image_every": "save_image_every",
    "save_embedding_every": "save_embedding_every",
    "save_image_with_stored_embedding": "png_chunks",
    "preview_prompt": "preview_prompt",
    "preview_negative_prompt": "preview_negative",
    "preview_steps": "preview_steps",
    "preview_sampler_index": "preview_sampler",
    "preview_cfg_scale": "preview_cfg",
    "preview_seed": "preview_seed",
    "preview_width": "preview_width",
    "preview_height": "preview_height",
}
"""The WebUI's names of settings, and the ones here."""
_TEXT_BEGINS = "datetime : "
_RUN_FOLDER = re.compile(r"(?P<logs>.+)[/\\]\d{4}-\d\d-\d\d[/\\][^/\\]+")


@dataclass(frozen=True)
class Translated:
    """Settings by the names they have here, and a sentence for each thing that a person should know of them."""

    settings: Mapping[str, Any]
    notes: tuple[str, ...]


def is_webui_settings(content: Mapping[str, Any]) -> bool:
    """Whether a settings file is one that the WebUI's Train tab wrote, for an embedding or a hypernetwork."""
    return "learn_rate" in content and "data_root" in content


def is_text(text: str) -> bool:
    """Whether a file's text is that of a ``settings.txt``."""
    return text.lstrip().startswith(_TEXT_BEGINS)


def parse_text(text: str) -> dict[str, str]:
    """Return the last block of a ``settings.txt``, to which the WebUI appended one ``name: value`` a line each run."""
    block = text.rpartition(_TEXT_BEGINS)[2]
    return dict(re.findall(r"^(\w+): ?(.*)$", block, flags=re.MULTILINE))


def translate(content: Mapping[str, Any], source: str) -> Translated:
    """Translate what the WebUI wrote.

    Raises
    ------
    BadInput
        When it is of a hypernetwork.
    """
    if "hypernetwork_name" in content:
        raise BadInput(f"{source} has the settings of a hypernetwork, and only embeddings are trained here.")
    settings = {_NAMES[name]: value for name, value in content.items() if name in _NAMES and value is not None}
    notes = []
    if isinstance(rate := settings.get("clip_value"), str) and not _is_number(rate):
        del settings["clip_value"]
        notes.append(f"clip_grad_value is {quoted(rate)}, which changes during the run; here the limit stays the same.")
    if str(sampler := settings.get("preview_sampler", "")).isdigit():
        del settings["preview_sampler"]
        notes.append(f"preview_sampler_index is {sampler}, which means another sampler in each version of the WebUI.")
    if found := _RUN_FOLDER.fullmatch(str(settings.get("log_directory", ""))):
        settings["log_directory"] = found["logs"]
    if "preview_prompt" in settings:
        settings["preview_prompt"] = one_prompt(str(settings["preview_prompt"]))
    if "template" in settings:
        settings["template"] = _template(str(settings["template"]))
    unused = [name for name in content if name not in _NAMES and name != "datetime"]
    taken = [f"{name} {quoted(settings[_NAMES[name]])}" for name in content if _NAMES.get(name) in settings]
    heading = f"{source} is a settings file of the WebUI. Taken from it: {', '.join(taken)}."
    if unused:
        notes.append(f"Without a counterpart here: {', '.join(unused)}.")
    return Translated(settings, (heading, *notes))


def _template(path: str) -> str:
    """The template's path where it is on this machine, else its name: the WebUI's own ones are known here."""
    return path if os.path.exists(path) else _path(path).stem


def _path(text: str) -> PurePath:
    return PureWindowsPath(text) if "\\" in text else PurePath(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
