"""The model that the options of a command and the settings file of an earlier run choose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from lib_ti.cli.host import embedded_host
from lib_ti.cli.main import main
from lib_ti.cli.parser import create_parser
from lib_ti.pocket import CHECKPOINT
from lib_ti.pocket.sample_set import sample_set


@pytest.fixture
def vae(tmp_path: Path) -> Path:
    weights = load_file(CHECKPOINT)
    path = tmp_path / "my.vae.safetensors"
    save_file({name: one * 0.5 for name, one in weights.items() if name.startswith("first_stage_model.")}, path)
    return path


def chosen(*options: str) -> dict[str, str]:
    """Return what a run with these options writes into its settings file."""
    return dict(embedded_host(create_parser().parse_args(["train", *options])).models.arguments)


def test_vae_and_clip_skip_are_reported_and_in_the_runs_settings_file(
    vae: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sample_set(tmp_path / "images", "striped", count=4)
    assert main(["create", "my-style", "--text", "style"]) == 0
    run = ["my-style", "--dataset", "images", "--max-steps", "1", "--save-image-every", "0", "--validate-every", "0"]
    assert main(["train", *run, "--vae", str(vae), "--clip-skip", "2"]) == 0
    said = capsys.readouterr().out
    assert "Clip skip is 2" in said
    assert "The VAE is my.vae.safetensors" in said
    (settings,) = tmp_path.glob("textual_inversion/*/my-style/settings-*.json")
    stored = json.loads(settings.read_text())["host"]
    assert (stored["vae"], stored["clip_skip"]) == (str(vae), "2")
    again = chosen("--config", str(settings))
    assert (again["vae"], again["clip_skip"]) == (str(vae), "2")
    other = chosen("--config", str(settings), "--vae", "none", "--clip-skip", "1")
    assert "vae" not in other
    assert "clip_skip" not in other


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--clip-skip", "two"], "Clip skip is 'two'; use 1 to 12."),
        (["--clip-skip", "13"], "Clip skip is '13'; use 1 to 12."),
        (["--vae", "nowhere.pt"], "The VAE nowhere.pt does not exist; choose another, or none."),
    ],
)
def test_values_that_cannot_be_used_are_refused(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a cat", *options]) == 2
    assert words in capsys.readouterr().err
