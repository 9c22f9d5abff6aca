"""Settings that belong together, by the name of what they are for.

A preset completes what a person did not set. Its learning rate is relative to the model's word vectors (see
:func:`lib_ti.schedule.absolute_learning_rates`), so that one preset fits every model; its number of steps counts from
where the embedding is, by Max steps 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NO_PRESET = "none"


@dataclass(frozen=True)
class Preset:
    """Values of settings, by the names of :class:`lib_ti.config.TrainConfig`.

    Parameters
    ----------
    steps
        Further steps that Max steps 0 stands for; 0 where the preset has no number of its own.
    vectors
        Number of vectors that an embedding should be created with.
    """

    label: str
    help: str
    settings: Mapping[str, Any]
    steps: int = 0
    vectors: int = 0


_FIXED = {
    "learning_rate_decay": "cosine",
    "warmup_steps": 0,
    "vector_norm": "fixed",
    "normalize_gradients": True,
    "weight_decay": 0.0,
    "scale_per_encoder": True,
    "clip": "disabled",
    "gradient_accumulation": 1,
    "max_steps": 0,
}
_WEBUI = {
    "learning_rate": "0.005",
    "learning_rate_decay": "constant",
    "warmup_steps": 0,
    "vector_norm": "free",
    "normalize_gradients": False,
    "weight_decay": 0.0,
    "scale_per_encoder": False,
    "clip": "disabled",
    "batch_size": 1,
    "gradient_accumulation": 1,
    "latent_sampling": "once",
    "validation_split": 0.0,
    "stop_when_done": False,
    "restore_best": False,
}
PRESETS: Mapping[str, Preset] = {
    "style": Preset(
        "Style",
        "for a style, in 200 steps of 2 images, with 4 vectors",
        {**_FIXED, "learning_rate": "1.1x", "batch_size": 2},
        steps=200,
        vectors=4,
    ),
    "subject": Preset(
        "Subject",
        "for a person or an object, with a third of a style's learning rate; at least 8 images with captions",
        {**_FIXED, "learning_rate": "0.37x", "batch_size": 4},
        steps=100,
        vectors=4,
    ),
    "quick": Preset(
        "Quick",
        "in 60 steps of 8 images, for a graphics card on which a larger batch takes hardly longer",
        {**_FIXED, "learning_rate": "0.45x", "batch_size": 8, "stop_when_done": True},
        steps=60,
        vectors=4,
    ),
    "webui": Preset(
        "As the WebUI does",
        "one image a step, a constant learning rate, and vectors that may grow",
        _WEBUI,
    ),
}


def preset_settings(name: str) -> dict[str, Any]:
    """Return the settings of a preset; none for an unknown name, which the check of the settings reports."""
    return dict(PRESETS[name].settings) if name in PRESETS else {}


def with_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values, completed by the preset that they name: what is there already wins."""
    return {**preset_settings(str(values.get("preset", NO_PRESET))), **values}
