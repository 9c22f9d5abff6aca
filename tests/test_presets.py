"""Presets complete what a person did not set, on the command line and in settings files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lib_ti.cli.arguments import read_config
from lib_ti.cli.parser import create_parser
from lib_ti.config import PRESETS, TrainConfig, from_mapping, preset_fields, preset_settings, problems, to_mapping
from lib_ti.errors import BadInput

GOOD = {"name": "my-style", "dataset": "images"}


def read(*options: str, report: Callable[[str], None] = lambda _: None) -> TrainConfig:
    arguments = create_parser().parse_args(["train", "my-style", "--dataset", "images", *options])
    return read_config(TrainConfig, arguments, report)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_possible_values(name: str) -> None:
    config = from_mapping(TrainConfig, {**GOOD, "preset": name})
    assert problems(config) == []
    values = to_mapping(config)
    assert all(values[key] == value for key, value in preset_settings(name).items())


def test_what_was_set_wins() -> None:
    config = read("--preset", "style", "--batch-size", "3", "--learning-rate", "0.01")
    assert (config.batch_size, config.learning_rate, config.vector_norm, config.max_steps) == (3, "0.01", "fixed", 0)


def test_without_a_preset_the_defaults_are_those_of_the_tutorials() -> None:
    assert read() == TrainConfig(**GOOD)


def test_the_webuis_way_is_that_of_the_defaults() -> None:
    plain = TrainConfig(**GOOD)
    changed = {key for key, value in to_mapping(read("--preset", "webui")).items() if value != getattr(plain, key)}
    assert changed == {"preset", "validation_split", "restore_best"}


def test_a_preset_in_a_settings_file_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**GOOD, "preset": "quick", "max_steps": 80}))
    config = read("--config", str(path), "--batch-size", "4")
    assert (config.max_steps, config.batch_size, config.vector_norm) == (80, 4, "fixed")


def test_a_preset_on_the_command_line_wins_over_a_settings_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**GOOD, "embedding_rate": "0.005", "batch_size": 3, "clip": "disabled", "seed": 5}))
    said: list[str] = []
    config = read("--config", str(path), "--preset", "style", report=said.append)
    assert (config.batch_size, config.learning_rate, config.seed) == (2, "1.1x", 5)
    assert said == [f"Preset style replaces from {path}: learning_rate '0.005', batch_size 3."]
    config = read("--config", str(path), "--preset", "style", "--batch-size", "6")
    assert (config.batch_size, config.learning_rate) == (6, "1.1x")


@pytest.mark.parametrize(("former", "chosen"), [("style", "webui"), ("webui", "quick"), ("subject", "none")])
def test_choosing_another_preset_in_the_form_leaves_nothing_of_the_former(former: str, chosen: str) -> None:
    form = {**to_mapping(TrainConfig(**GOOD)), **preset_fields(former)}
    form |= {**preset_fields(chosen), "preset": chosen}
    plain = {**GOOD, "preset": chosen}
    assert from_mapping(TrainConfig, form) == from_mapping(TrainConfig, plain)


def test_an_unknown_preset_is_named_with_the_list() -> None:
    with pytest.raises(BadInput, match="Preset is 'fast'; choose one of none, style, subject, quick, webui"):
        read("--preset", "fast")


@pytest.mark.parametrize("preset", ["none", "webui", "fast"])
def test_no_number_of_steps_needs_a_preset_that_has_one(preset: str) -> None:
    config = TrainConfig(**GOOD, preset=preset, max_steps=0)
    (problem,) = (found for found in problems(config) if "Max steps" in found)
    assert problem == (
        "Max steps is 0, which needs a preset with a number of steps: give one, or choose style or subject or quick."
    )
