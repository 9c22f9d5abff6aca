"""``train --check`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from lib_ti.pocket.sample_set import sample_set

CHECK = ["train", "my-style", "--dataset", "images", "--check"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with ten images and an embedding, as the current one."""
    sample_set(tmp_path / "images", "striped", count=10)
    monkeypatch.chdir(tmp_path)
    assert main(["create", "my-style", "--text", "style", "--vectors", "2"]) == 0
    capsys.readouterr()
    return tmp_path


def test_findings_are_grouped_and_nothing_is_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(here.rglob("*"))
    assert main([*CHECK, "--learning-rate", "5"]) == 0
    out = capsys.readouterr().out
    warnings, good = out.split("Warnings:\n")[1].split("Good:\n")
    assert warnings.startswith("  - Embedding learning rate 5 is far too high")
    for words in ("my-style has 2 vectors and is new", "pocket [", "Captions: 10", "A step needs about"):
        assert words in good
    assert "Problems" not in out
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "nowhere"], "'nowhere' does not exist"),
        (["--max-steps", "0"], "Max steps is 0, which needs a preset"),
        (["--preview-sampler", "magic"], "Sampler 'magic' is not known"),
        (["--checkpoint", "none.safetensors"], "none.safetensors"),
    ],
)
def test_a_problem_is_exit_code_1(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main([*CHECK, *arguments]) == 1
    captured = capsys.readouterr()
    assert words in captured.out.split("Problems:\n")[1]
    assert not captured.err


def test_programs_read_findings_as_json_lines(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CHECK, "--tag-dropout", "1", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = [(event["kind"], event["text"]) for event in events if event["event"] == "Finding"]
    assert found[0][0] == "warning"
    assert found[0][1].startswith("Drop out tags is 1")
    assert {kind for kind, _ in found[1:]} == {"good"}


def test_another_dataset_is_a_warning_until_the_user_agrees(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "my-style", "--dataset", "images", "--max-steps", "2", "--save-image-every", "0"]
    assert main(train) == 0
    sample_set(here / "others", "striped", count=8, seed=3)
    other = ["train", "my-style", "--dataset", "others", "--check"]
    capsys.readouterr()
    assert main(other) == 0
    assert "was trained for 2 steps on other images" in capsys.readouterr().out.split("Warnings:\n")[1]
    assert main([*other, "--new-data"]) == 0
    out = capsys.readouterr().out
    assert "on other images ('images')" not in out
    assert "A new run begins with these vectors" in out.split("Notes:\n")[1]
