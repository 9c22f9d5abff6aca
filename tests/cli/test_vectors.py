"""``vectors`` as a user types it, on the pocket model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set

TRAIN = "train my-style --dataset images --max-steps 2 --validate-every 2 --save-image-every 0 --nested-dropout"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a run of two steps, as the current one."""
    folder = tmp_path_factory.mktemp("vectors")
    sample_set(folder / "images", "striped", count=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lib_ti.training.images.plot.loss_plot", lambda run: run.loss_plot)
        assert main("create my-style --text style --vectors 3".split()) == 0
        assert main(TRAIN.split()) == 0
    return folder


def test_the_table_is_printed_and_read_by_programs(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    assert main(["vectors", "my-style"]) == 0
    out = capsys.readouterr().out
    head, *rows = out[out.index("Vectors") :].splitlines()
    assert head.split() == ["Vectors", "Loss", "Above", "all", "Gain", "kept"]
    assert [row.split()[0] for row in rows[:4]] == ["1", "2", "3", "none"]
    assert main(["vectors", "my-style", "--step", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["event"], found["step"], len(found["rows"])) == ("VectorsCompared", 2, 3)


def test_what_cannot_be_compared_is_said(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    for words, said in (
        (["vectors", "other"], "There is no embedding 'other'"),
        (
            ["vectors", "my-style", "--log-directory", "nowhere"],
            "There is no run of 'my-style' in Log directory 'nowhere'",
        ),
        (["vectors", "my-style", "--keep", "3"], "give a number from 1 to 2"),
        (["vectors", "my-style", "--step", "9"], "There is no checkpoint of step 9"),
    ):
        assert main(words) == 2
        assert said in capsys.readouterr().err


def test_the_first_vectors_are_kept(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    assert main(["vectors", "my-style", "--keep", "2"]) == 0
    out = capsys.readouterr().out
    assert "now has 2 vectors, the first of 3 after step 2." in out and "What it replaced is kept as " in out
    assert files.load(here / "embeddings" / "my-style.safetensors").count == 2
    assert main(["vectors", "my-style"]) == 0, "the run is found by the embedding's name"
