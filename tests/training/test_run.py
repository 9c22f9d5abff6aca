"""A whole run: its files, its figures, and that it is reproducible."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.config import CreateConfig, TrainConfig, from_mapping
from lib_ti.embedding import card, files
from lib_ti.signals import (
    Evaluated,
    Event,
    LogMessage,
    RunStarted,
    Saved,
    StepDone,
)
from lib_ti.training.create import create
from lib_ti.training.files import run_folder
from lib_ti.training.files.run_state import load_state
from lib_ti.training.validation.history import read_history
from tests.fakes import draw_images
from tests.training.conftest import Studio, vectors


@pytest.mark.plots
def test_a_run_leaves_the_files_that_the_webuis_users_know(studio: Studio) -> None:
    finished = studio.train()
    folder = finished.folder
    assert folder.name == "my-style"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    settings = {name for name in names if name.startswith("settings-")}
    assert len(settings) == 1
    assert names - settings == {
        "images/my-style-0.png",
        "images/my-style-10.png",
        "images/my-style-20.png",
        "image_embeddings/my-style-0.png",
        "image_embeddings/my-style-10.png",
        "image_embeddings/my-style-20.png",
        "embeddings/my-style-10.safetensors",
        "embeddings/my-style-20.safetensors",
        "embeddings/my-style-best.safetensors",
        "textual_inversion_loss.csv",
        "evaluation.csv",
        "state.safetensors",
        "run.log",
        "loss.png",
    }
    embedding = files.load(studio.embedding_file)
    assert (embedding.step, embedding.model_name, embedding.count) == (20, "fake", 2)
    assert embedding.recipe["initialization_text"] == "*"
    assert (studio.host.folders.embeddings / "my-style.preview.png").exists()
    assert studio.host.models.saved[-1] == studio.embedding_file


def test_numbered_copies_hold_their_step(studio: Studio) -> None:
    folder = studio.train().folder
    assert files.load(folder / "embeddings" / "my-style-10.safetensors").step == 10
    assert card.read_card(folder / "image_embeddings" / "my-style-10.png").step == 10
    assert vectors(folder / "embeddings" / "my-style-20.safetensors").equal(vectors(studio.embedding_file))


def test_the_loss_table_begins_with_the_webuis_columns(studio: Studio) -> None:
    with open(studio.train().folder / "textual_inversion_loss.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["step", "epoch", "epoch_step", "loss", "learn_rate"]
    assert [int(row["step"]) for row in rows] == list(range(1, 21))


def test_the_last_measurement_counts(studio: Studio) -> None:
    folder = studio.train(max_steps=20, validate_every=8, learning_rate="0.05").folder
    with open(folder / "evaluation.csv", newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "8", "16", "20"]
    state = load_state(folder / "state.safetensors")
    assert state.best_step == min(read_history(folder / "evaluation.csv"), key=lambda check: check.loss).step
    assert files.load(folder / "embeddings" / "my-style-best.safetensors").step == state.best_step


def test_training_lowers_the_measured_loss_and_tells_the_best_step(studio: Studio) -> None:
    finished = studio.train(max_steps=60, learning_rate="0.05")
    measured = studio.of(Evaluated)
    assert measured[0].step == 0
    assert measured[-1].loss < 0.95 * measured[0].loss
    assert finished.best_step == min(measured, key=lambda event: event.loss).step


def test_two_equal_runs_are_equal(studio: Studio, another: Studio) -> None:
    studio.train()
    another.train()
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_previews_and_measuring_do_not_change_the_training(studio: Studio, another: Studio) -> None:
    studio.train()
    another.train(save_image_every=0, save_embedding_every=0, validation_split=0.1, validate_every=7)
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_the_last_line_says_that_nothing_was_gained(studio: Studio) -> None:
    finished = studio.train(learning_rate="100")
    assert "Nothing was gained" in finished.remark
    assert "Lower the Embedding learning rate" in (finished.folder / "run.log").read_text().splitlines()[-1]
    assert studio.events[-1] is finished


def test_a_run_that_gained_says_nothing_of_the_kind(studio: Studio) -> None:
    assert "Nothing was gained" not in studio.train(max_steps=60, learning_rate="0.05").remark


def test_a_picture_whose_pixels_are_broken_is_told(studio: Studio) -> None:
    broken = studio.pictures / "broken.jpg"
    Image.effect_noise((300, 300), 90).convert("RGB").save(broken, quality=95)
    broken.write_bytes(broken.read_bytes()[:-20000])
    finished = studio.train(max_steps=2)
    assert any("1 file skipped: broken.jpg (the file is cut off" in event.text for event in studio.of(LogMessage))
    assert "Skipped broken.jpg: the file is cut off" in (finished.folder / "run.log").read_text()
    assert studio.host.models.watched == studio.events


def test_the_settings_file_runs_again(studio: Studio) -> None:
    folder = studio.train().folder
    content = json.loads(next(folder.glob("settings-*.json")).read_text())
    assert from_mapping(TrainConfig, content["settings"]) == studio.config()
    assert content["template"][0] and content["host"] == {"checkpoint": "fake"}


def test_an_embedding_that_is_moved_away_meanwhile_is_told_and_written_anew(studio: Studio) -> None:
    def move(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 15:
            studio.embedding_file.rename(studio.embedding_file.with_name("renamed.safetensors"))

    studio.train(move)
    assert files.load(studio.embedding_file).step == 20
    assert files.load(studio.embedding_file.with_name("renamed.safetensors")).step == 10
    told = [note.text for note in studio.of(LogMessage) if note.warning]
    assert any("was moved or removed while it was trained, and is written again" in text for text in told)


def test_saved_is_said_only_of_files_that_are_there(studio: Studio) -> None:
    seen: list[bool] = []

    def look(event: Event) -> None:
        if isinstance(event, Saved):
            seen.extend(path.stat().st_size > 0 for path in event.paths)

    studio.train(look)
    assert seen and all(seen)


def test_runs_are_found_by_name_newest_first(studio: Studio) -> None:
    first = studio.train().folder
    create(studio.host, CreateConfig(name="my-style", text="style", vectors=2, overwrite=True))
    second = studio.train().folder
    assert [run.path for run in run_folder.find_runs(studio.logs, "my-style")] == [second, first]
    assert load_state(second / "state.safetensors").step == 20


def test_the_run_of_an_embedding_with_a_number_in_its_name_is_no_second_run_of_another(studio: Studio) -> None:
    first = studio.train(max_steps=2).folder
    create(studio.host, CreateConfig(name="my-style-2", text="style", vectors=2))
    other = studio.train(name="my-style-2", max_steps=2).folder
    assert other == first.with_name("my-style-2")
    assert [run.path for run in run_folder.find_runs(studio.logs, "my-style")] == [first]
    assert [run.path for run in run_folder.find_runs(studio.logs, "my-style-2")] == [other]
    # One that was renamed by hand belongs to its new name.
    renamed = other.rename(other.with_name("new-style"))
    assert [run.path for run in run_folder.find_runs(studio.logs, "new-style")] == [renamed]


def test_small_sets_hold_nothing_out(studio: Studio, tmp_path: Path) -> None:
    few = draw_images(tmp_path / "few", count=4)
    studio.train(dataset=str(few))
    started = studio.of(RunStarted)[0]
    assert (started.images, started.validation_images) == (4, 0)
    assert not any(event.overtraining for event in studio.of(Evaluated))
