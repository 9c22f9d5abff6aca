"""What a preset and a relative learning rate mean for the model at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib_ti.config import PRESETS, TrainConfig, described
from lib_ti.config.setting import Setting
from lib_ti.families.model_info import ModelInfo
from lib_ti.schedule import absolute_learning_rates, parse_learning_rates
from lib_ti.training.checks.findings import Finding
from lib_ti.wording import number

ALWAYS_SHOWN = ("learning_rate", "batch_size", "vector_norm")
"""Settings of a preset that are listed even where they are the defaults."""


def absolute(config: TrainConfig, info: ModelInfo) -> str:
    """Return the learning rate of the settings without relative parts."""
    return absolute_learning_rates(config.learning_rate, info.first_word_rms)


def check_preset(config: TrainConfig, first_step: int, end: int, info: ModelInfo) -> Iterator[Finding]:
    """Yield the settings of the preset, those that are set otherwise, and the absolute learning rate.

    Parameters
    ----------
    config
        The settings as they were written: with a relative learning rate, and perhaps Max steps 0.
    first_step, end
        The embedding's present step, and that at which the run ends.
    """
    if config.preset in PRESETS:
        preset = PRESETS[config.preset]
        taken: list[str] = []
        other: list[str] = []
        for name, item, value, wanted in _compared(config):
            shown = f"{item.name} {_text(value)}"
            if not _same(name, value, wanted, info):
                other.append(f"{shown} instead of {_text(wanted)}")
            elif name in ALWAYS_SHOWN or wanted != getattr(TrainConfig, name):
                taken.append(shown)
        if preset.steps and config.max_steps not in (0, preset.steps, first_step + preset.steps):
            other.append(f"Max steps {end} instead of {preset.steps} more")
        elif preset.steps:
            taken.append(f"Max steps {end}")
        yield Finding("info", f"Preset {preset.label}: {', '.join(taken) or 'nothing of it is used'}.")
        if other:
            yield Finding("info", f"Not as in the preset, because it was set: {', '.join(other)}.")
    if (rate := absolute(config, info)) != config.learning_rate:
        unit = f"an ordinary word's vector in this model has a root mean square of {info.first_word_rms:.3g}"
        yield Finding("info", f"Embedding learning rate {config.learning_rate} is {rate} here: {unit}.")
    if config.scale_per_encoder and len(info.widths) > 1:
        scales = [f"{key} {scale:.3g}" for key, scale in info.encoder_scales.items()]
        yield Finding("info", f"The learning rate is multiplied per text encoder: {', '.join(scales)}.")


def _compared(config: TrainConfig) -> Iterator[tuple[str, Setting, Any, Any]]:
    """Yield name, description, value and the preset's value of the settings of its preset."""
    preset = PRESETS[config.preset]
    for name, _, _, item in described(TrainConfig):
        if name in preset.settings and name != "max_steps":
            yield name, item, getattr(config, name), preset.settings[name]


def _same(name: str, value: Any, wanted: Any, info: ModelInfo) -> bool:
    if name != "learning_rate":
        return bool(value == wanted)
    value, wanted = (parse_learning_rates(text, word_rms=info.first_word_rms) for text in (value, wanted))
    return bool(value == wanted)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return number(value) if isinstance(value, int | float) else str(value)
