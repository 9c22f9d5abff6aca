"""Runs with a preset: the absolute learning rate, the number of steps, and what the log says."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import PRESETS, TrainConfig, from_mapping
from lib_ti.embedding import files
from lib_ti.signals import LogMessage, RunFinished, StepDone
from lib_ti.training.check import check_run
from lib_ti.training.checks.preset import absolute, check_preset
from tests.fakes import WIDTH, FakeModel, draw_images
from tests.training.conftest import Studio

SD1 = replace(FakeModel().info, widths={"clip_l": 768}, word_norm={"clip_l": 0.4})
SDXL = replace(SD1, widths={"clip_l": 768, "clip_g": 1280}, word_norm={"clip_l": 0.4, "clip_g": 0.8})


def settings(studio: Studio, **changes: Any) -> TrainConfig:
    values = {"name": "my-style", "dataset": str(studio.pictures), "log_directory": str(studio.logs)}
    return from_mapping(TrainConfig, {**values, "preset": "style", "save_image_every": 0, **changes})


def run(studio: Studio, stop_after: int = 0, **changes: Any) -> RunFinished:
    def stop(event: object) -> None:
        if isinstance(event, StepDone) and event.step == stop_after:
            studio.control.stop()

    config = settings(studio, **changes)
    return studio.train(stop, **{name: getattr(config, name) for name in config.__dataclass_fields__})


def written(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("settings-*.json")
    return json.loads(path.read_text())["settings"]


def messages(studio: Studio) -> str:
    return "\n".join(event.text for event in studio.of(LogMessage))


@pytest.mark.parametrize(("preset", "rate"), [("style", "0.0159"), ("subject", "0.00534"), ("webui", "0.005")])
def test_rates_for_sd1(preset: str, rate: str) -> None:
    config = from_mapping(TrainConfig, {"name": "my-style", "dataset": "images", "preset": preset})
    assert absolute(config, SD1) == rate


def test_a_run_takes_and_records_the_absolute_values(studio: Studio) -> None:
    finished = run(studio)
    values = written(finished.folder)
    rate = f"{1.1 / math.sqrt(WIDTH):.3g}"
    assert (values["preset"], values["learning_rate"], values["max_steps"]) == ("style", rate, 200)
    assert finished.step == 200
    assert studio.of(StepDone)[0].learning_rate == float(rate)
    assert f"Embedding learning rate 1.1x is {rate} here" in messages(studio)
    assert "Preset Style: " in messages(studio) and "Not as in the preset" not in messages(studio)


def test_the_settings_of_such_a_run_give_the_same_run(studio: Studio, another: Studio) -> None:
    values = written(run(studio).folder)
    places = {"dataset": str(another.pictures), "log_directory": str(another.logs)}
    another.train(**{**values, **places})
    assert "Not as in the preset" not in messages(another)
    ours, theirs = files.load(studio.embedding_file), files.load(another.embedding_file)
    assert ours.vectors["clip_l"].equal(theirs.vectors["clip_l"])


def test_a_stopped_run_continues_to_its_own_end(studio: Studio, another: Studio) -> None:
    run(studio, stop_after=40)
    assert run(studio).step == 200
    run(another)
    ours, theirs = files.load(studio.embedding_file), files.load(another.embedding_file)
    assert ours.vectors["clip_l"].equal(theirs.vectors["clip_l"])


def test_training_some_more_adds_the_steps_of_the_preset(studio: Studio) -> None:
    studio.train(max_steps=30)
    assert run(studio, preset="quick", stop_when_done=False).step == 90
    assert run(studio, preset="quick", stop_when_done=False).step == 150
    assert run(studio, preset="quick", stop_when_done=False, max_steps=155).step == 155


def test_more_steps_count_from_the_last_one_where_the_best_one_was_restored(studio: Studio) -> None:
    draw_images(studio.pictures, count=20)
    finished = studio.train(learning_rate="0.05:30, 3", max_steps=40, save_image_every=0)
    assert finished.restored_step is not None and finished.restored_step < 40
    assert run(studio, preset="quick", stop_when_done=False).step == 100


def test_what_was_set_besides_the_preset_is_shown(studio: Studio) -> None:
    config = settings(studio, batch_size=3, learning_rate="0.01", max_steps=50)
    found = [finding.text for finding in check_run(studio.host, config)]
    assert (
        "Not as in the preset, because it was set: Embedding learning rate 0.01 instead of 1.1x, Batch size 3 instead "
        "of 2, Max steps 50 instead of 200 more." in found
    )


def test_the_second_encoder_has_its_own_rate() -> None:
    config = from_mapping(TrainConfig, {"name": "my-style", "dataset": "images", "preset": "style"})
    found = [finding.text for finding in check_preset(config, 0, 100, SDXL)]
    assert found[-1] == "The learning rate is multiplied per text encoder: clip_l 1, clip_g 1.55."


def test_settings_that_a_preset_makes_impossible_are_refused(studio: Studio) -> None:
    found = check_run(studio.host, settings(studio, learning_rate="0.01:50"))
    assert any("ends at step 50, and Max steps is 200" in finding.text for finding in found)


def test_every_preset_is_described_in_its_setting() -> None:
    item = TrainConfig.__dataclass_fields__["preset"].metadata["setting"]
    assert all(f"{name}: " in item.help for name in PRESETS)
