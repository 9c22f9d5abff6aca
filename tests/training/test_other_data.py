"""An embedding that is trained on with other images: asked for first, and nothing of the run so far is replaced."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.embedding import files
from lib_ti.errors import NeedsConsent
from lib_ti.signals import Evaluated, LogMessage, RunStarted
from lib_ti.training.files.run_state import load_state
from lib_ti.training.validation.history import read_history, segments
from tests.fakes import draw_images
from tests.training.conftest import Studio


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def others(tmp_path: Path) -> Path:
    return draw_images(tmp_path / "others", count=12, size=40)


def test_another_dataset_is_asked_about_and_nothing_is_written(studio: Studio, others: Path) -> None:
    folder = studio.train().folder
    before, embedding = contents(folder), studio.embedding_file.read_bytes()
    with pytest.raises(NeedsConsent, match=r"was trained for 20 steps on other images .*--new-data"):
        studio.train(max_steps=40, dataset=str(others))
    assert contents(folder) == before
    assert studio.embedding_file.read_bytes() == embedding
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_with_consent_a_run_of_its_own_starts_from_the_vectors(studio: Studio, others: Path) -> None:
    first = studio.train(learning_rate="0.05").folder
    before = contents(first)
    second = studio.train(max_steps=40, dataset=str(others), new_data=True).folder
    assert second != first
    assert contents(first) == before
    started = studio.of(RunStarted)[0]
    assert (started.first_step, started.resumed) == (20, False)
    assert any(str(first) in event.text for event in studio.of(LogMessage))
    assert studio.of(Evaluated)[0].step == studio.of(Evaluated)[0].first_step == 20
    assert files.load(second / "embeddings" / "my-style-best.safetensors").step >= 20
    # From now on this is the run that is continued, without a question.
    assert studio.train(max_steps=50, dataset=str(others)).folder == second


def test_an_edited_dataset_continues_and_compares_from_there(studio: Studio) -> None:
    first = studio.train(learning_rate="0.05").folder
    best = files.load(first / "embeddings" / "my-style-best.safetensors")
    (studio.pictures / "00.txt").write_text("something else")
    (studio.pictures / "01.png").rename(studio.pictures / "renamed.png")
    (studio.pictures / "02.png").unlink()
    finished = studio.train(max_steps=40, learning_rate="0.05")
    assert finished.folder == first
    measured = studio.of(Evaluated)
    assert measured[0].best_step == measured[0].step == measured[0].first_step == 25
    kept = files.load(first / "embeddings" / "my-style-best-until-20.safetensors")
    assert kept.step == best.step
    assert kept.vectors["clip_l"].equal(best.vectors["clip_l"])
    assert files.load(first / "embeddings" / "my-style-best.safetensors").step >= 25
    assert [len(part) for part in segments(read_history(first / "evaluation.csv"))] == [5, 4]


def test_images_in_another_folder_are_the_same_dataset(studio: Studio, tmp_path: Path) -> None:
    first = studio.train().folder
    moved = tmp_path / "moved"
    shutil.copytree(studio.pictures, moved)
    draw_images(tmp_path / "more", count=30, size=48)
    for path in (tmp_path / "more").iterdir():
        path.rename(moved / f"more-{path.name}")
    assert studio.train(max_steps=25, dataset=str(moved)).folder == first


def test_a_state_that_does_not_know_its_images_goes_by_the_folder(studio: Studio, others: Path) -> None:
    folder = studio.train().folder
    state = load_state(folder / "state.safetensors")
    replace(state, identity=replace(state.identity, images=())).save(folder / "state.safetensors")
    with pytest.raises(NeedsConsent):
        studio.train(max_steps=40, dataset=str(others))
    (studio.pictures / "00.txt").write_text("something else")
    assert studio.train(max_steps=40).folder == folder


def test_a_changed_seed_keeps_the_best_of_before(studio: Studio) -> None:
    folder = studio.train(learning_rate="0.05").folder
    studio.train(max_steps=30, learning_rate="0.05", seed=7)
    assert (folder / "embeddings" / "my-style-best-until-20.safetensors").exists()
