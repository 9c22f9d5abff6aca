"""``suggest`` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.suggest import initial_text
from lib_ti.training.suggest.suggestions import Suggestion, Suggestions


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with eight striped images and a list of words, as the current one."""
    sample_set(tmp_path / "images", "striped", count=8)
    (tmp_path / "words.txt").write_text("# Fill\nglossy\nstriped\n# Other\nwatercolor\nfog\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_hidden_word_is_found(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib_ti.training.suggest.ranking.FINAL_SAMPLES", 16)  # 96 take a quarter of a minute
    assert main(["suggest", "--dataset", "images", "--words", "words.txt"]) == 0
    out = capsys.readouterr().out
    assert "Comparing words: " in out
    assert "1 word of " in out and " stands out:\n  striped  loss " in out


def test_programs_read_the_answer_as_json(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    best = Suggestion("fog", 1, 0.02, 0.01, 0.01, 0.01)
    monkeypatch.setattr(initial_text, "suggest", lambda *_: Suggestions((), best, 0.1, 2131))
    assert main(["suggest", "--dataset", "images", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["event"], found["words"], found["compared"]) == ("Suggested", [], 2131)
    assert main(["suggest", "--dataset", "images"]) == 0
    assert capsys.readouterr().out.startswith("None of these words helps: with the best of 2131, “fog”, the loss is 2%")


def test_a_missing_folder_and_list_are_one_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "--dataset", "nowhere", "--words", "missing.txt"]) == 2
    err = capsys.readouterr().err
    assert "nowhere" in err and "missing.txt" in err
