"""``make`` as a user types it, with the pocket model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from lib_ti.pocket.sample_set import sample_set


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sample_set(tmp_path / "images", "outlined+glowing", count=10)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_zip_becomes_a_keyword_by_one_command(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.make_archive("photos", "zip", "images")
    given = ("--keyword", "glow-style", "--style", "--what", "drawing", "--max-steps", "3")
    assert main(["make", "photos.zip", *given, "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    made = events[-1]
    assert (made["event"], made["template"]) == ("Made", "style_filewords")  # the captions of the zip came along
    assert Path(made["sheet"]).is_file() and Path(made["run"]).parent.parent == here / "textual_inversion"
    assert len(list((here / "datasets" / "glow-style").glob("*.png"))) == 10
    assert len(list((here / "datasets" / "glow-style-prepared").glob("*.png"))) == 10
    assert (here / "embeddings" / "glow-style.safetensors").is_file()
    assert main(["make", "datasets/glow-style", *given]) == 0
    said = capsys.readouterr().out
    assert "glow-style was made already" in said
    assert f"The images before and after: {made['sheet']}" in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--keyword", "my-style"], "'nowhere' does not exist"),
        (["images", "images/01.png", "--keyword", "my-style"], "give one folder alone"),
        (["images/01.png", "--keyword", "../my-style"], "holds parts of a path"),
        (["images", "--keyword", "style"], "'style'"),
        (["images"], "Keyword is empty"),
    ],
)
def test_bad_input_is_one_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["make", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (here / "images-prepared").exists() and not (here / "datasets").exists()
