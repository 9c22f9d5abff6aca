"""``--config`` with a settings file that the WebUI's own Train tab wrote."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from lib_ti.cli.arguments import add_settings, read_config
from lib_ti.cli.main import main
from lib_ti.cli.parser import create_parser
from lib_ti.config import TrainConfig

# As WebUI 1.10.1 writes it, with "Read parameters from txt2img tab" on.
WRITTEN: dict[str, Any] = {
    "datetime": "2023-05-01 12:00:00",
    "model_name": "v1-5-pruned-emaonly",
    "model_hash": "6ce0161689",
    "num_of_dataset_images": 20,
    "num_vectors_per_token": 8,
    "embedding_name": "my-style",
    "learn_rate": "0.005:100, 1e-3",
    "batch_size": 2,
    "gradient_step": 5,
    "data_root": "C:\\My pictures\\style",
    "log_directory": "textual_inversion/2023-05-01/my-style",
    "training_width": 512,
    "training_height": 768,
    "steps": 3000,
    "clip_grad_mode": "norm",
    "clip_grad_value": "0.1",
    "latent_sampling_method": "deterministic",
    "create_image_every": 100,
    "save_embedding_every": 250,
    "save_image_with_stored_embedding": False,
    "preview_prompt": "a house\nby my-style",
    "preview_negative_prompt": "blurry",
    "preview_steps": 30,
    "preview_cfg_scale": 6.5,
    "preview_seed": -1.0,
    "preview_width": 512,
    "preview_height": 512,
    "initial_step": 0,
    "template_file": "C:\\webui\\textual_inversion_templates\\style_filewords.txt",
}


def read(path: Path, content: str, *options: str) -> tuple[TrainConfig, str]:
    path.write_text(content, encoding="utf-8")
    messages: list[str] = []
    arguments = create_parser().parse_args(["train", "--config", str(path), *options])
    return read_config(TrainConfig, arguments, messages.append), "\n".join(messages)


def test_settings_of_the_webui_are_translated_and_reported(tmp_path: Path) -> None:
    config, messages = read(tmp_path / "settings-2023-05-01-12-00-00.json", json.dumps(WRITTEN), "--max-steps", "10")
    expected = TrainConfig(
        name="my-style",
        dataset="C:\\My pictures\\style",
        template="style_filewords",
        log_directory="textual_inversion",
        learning_rate="0.005:100, 1e-3",
        max_steps=10,
        batch_size=2,
        gradient_accumulation=5,
        width=512,
        height=768,
        clip="norm",
        clip_value=0.1,
        latent_sampling="deterministic",
        save_image_every=100,
        save_embedding_every=250,
        png_chunks=False,
        preview_prompt="a house by my-style",
        preview_negative="blurry",
        preview_steps=30,
        preview_cfg=6.5,
        preview_seed=-1,
        preview_width=512,
        preview_height=512,
    )
    assert config == expected
    assert "learn_rate '0.005:100, 1e-3'" in messages
    assert "C:\\My pictures" in messages
    for name in ("model_hash", "num_vectors_per_token", "initial_step"):
        assert name in messages.split("Without a counterpart here: ")[1]


def test_the_last_run_of_the_first_text_form_is_read(tmp_path: Path) -> None:
    text = "".join(
        f"datetime : 2023-01-05 0{hour}:00:00\nembedding_name: my-style\nlearn_rate: 0.005\nbatch_size: {hour}\n"
        "data_root: images\nsteps: 100\ntraining_width: 512\ntraining_height: 512\npreview_sampler_index: 3\n\n\n"
        for hour in (1, 2)
    )
    config, messages = read(tmp_path / "settings.txt", text)
    assert (config.dataset, config.batch_size, config.max_steps) == ("images", 2, 100)
    assert config.preview_sampler == TrainConfig.preview_sampler
    assert "preview_sampler_index is 3" in messages


@pytest.mark.parametrize(
    ("command", "changes", "words"),
    [
        ("train", {"hypernetwork_name": "h"}, "settings of a hypernetwork"),
        ("prepare", {}, "give it to the command train"),
        ("train", {"steps": "many"}, "Max steps must be a whole number"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, changes: dict[str, Any], words: str
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({**WRITTEN, **changes}))
    assert main([command, "--config", str(path)]) == 2
    (message,) = capsys.readouterr().err.splitlines()
    assert words in message


def test_a_limit_that_changes_during_the_run_is_reported(tmp_path: Path) -> None:
    config, messages = read(tmp_path / "s.json", json.dumps({**WRITTEN, "clip_grad_value": "1:100, 0.1"}))
    assert config.clip_value == TrainConfig.clip_value
    assert "clip_grad_value is '1:100, 0.1'" in messages


def test_an_option_with_lines_may_be_given_several_times() -> None:
    arguments = argparse.ArgumentParser()
    add_settings(arguments, TrainConfig, positional="name")
    given = ["x", "--dataset", "images", "--preview-prompt", "a house, [name]", "--preview-prompt", "by x"]
    assert read_config(TrainConfig, arguments.parse_args(given)).preview_prompt == "a house, [name]\nby [name]"


def test_former_names_of_settings_are_accepted_as_options(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = argparse.ArgumentParser()
    add_settings(arguments, TrainConfig, positional="name")
    given = ["x", "--dataset", "images", "--embedding-rate", "0.1", "--held-out", "0.2", "--evaluate-every", "7"]
    config = read_config(TrainConfig, arguments.parse_args(given))
    assert (config.learning_rate, config.validation_split, config.validate_every) == ("0.1", 0.2, 7)
    arguments.print_help()
    text = capsys.readouterr().out
    assert "--validation-split" in text
    assert "--held-out" not in text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--gradient-checkpointing"], "all-blocks"),
        (["--no-gradient-checkpointing"], "off"),
        (["--gradient-checkpointing", "transformer-blocks"], "transformer-blocks"),
        ([], "auto"),
    ],
)
def test_a_former_flag_is_accepted_as_an_option(given: list[str], expected: str) -> None:
    arguments = argparse.ArgumentParser()
    add_settings(arguments, TrainConfig, positional="name")
    config = read_config(TrainConfig, arguments.parse_args(["x", "--dataset", "images", *given]))
    assert config.gradient_checkpointing == expected
    assert "--no-gradient" not in arguments.format_help()
