"""A whole training: files, exact resume, stop, failures, and everything that can be wrong beforehand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from lib_ti.config import CreateConfig, TrainConfig, from_mapping
from lib_ti.embedding import card, files
from lib_ti.errors import BadInput, TrainingFailed
from lib_ti.host.model import ImageRequest
from lib_ti.signals import (
    Evaluated,
    Event,
    LogMessage,
    PreviewFailed,
    PreviewMade,
    PreviewStarted,
    RunStarted,
    Saved,
    StepDone,
)
from lib_ti.training.create import create
from lib_ti.training.files import run_folder
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.files.run_logger import describe_event
from lib_ti.training.files.run_state import load_state
from lib_ti.training.validation.history import read_history
from tests.fakes import FakeModel, draw_images
from tests.training.conftest import Studio

SELF_TEST = 1
"""Predictions of the self-test before the first step."""


def vectors(path: Path) -> torch.Tensor:
    return files.load(path).vectors["clip_l"]


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


@pytest.mark.parametrize("sampling", ["once", "deterministic", "random"])
def test_a_resumed_run_equals_a_whole_one_bit_for_bit(studio: Studio, another: Studio, sampling: str) -> None:
    changes = {"latent_sampling": sampling, "shuffle_tags": True, "tag_dropout": 0.3, "gradient_accumulation": 2}
    studio.train(max_steps=20, **changes)
    another.train(max_steps=7, **changes)
    finished = another.train(max_steps=20, **changes)
    assert another.of(RunStarted)[0].resumed
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))
    with open(finished.folder / "textual_inversion_loss.csv", newline="") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 21))


def test_previews_and_measuring_do_not_change_the_training(studio: Studio, another: Studio) -> None:
    studio.train()
    another.train(save_image_every=0, save_embedding_every=0, validation_split=0.1, validate_every=7)
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_stop_ends_after_the_step_and_saves(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            studio.control.stop()

    finished = studio.train(stop)
    assert (finished.reason, finished.step) == ("stopped", 3)
    assert files.load(studio.embedding_file).step == 3
    assert studio.train().reason == "done"


def test_the_log_says_what_stopped_the_run(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            studio.control.stop("Ctrl-C")
            studio.control.stop("Interrupt")

    finished = studio.train(stop)
    assert finished.stopped_by == "Ctrl-C"
    assert "was stopped by Ctrl-C after step 3" in (finished.folder / "run.log").read_text().splitlines()[-1]


def test_an_interrupt_of_the_hosts_is_named(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio.host.models, "interrupted", lambda: "Skip elsewhere" if studio.of(StepDone) else "")
    finished = studio.train()
    assert (finished.reason, finished.step, finished.stopped_by) == ("stopped", 1, "Skip elsewhere")


def test_stop_interrupts_the_preview_and_saves(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, PreviewStarted) and event.step == 10:
            studio.control.stop("Interrupt")

    finished = studio.train(stop, save_embedding_every=0)
    assert (finished.reason, finished.step) == ("stopped", 10)
    assert files.load(studio.embedding_file).step == 10
    assert not studio.of(PreviewFailed)
    assert [event.step for event in studio.of(PreviewMade)] == [0]
    assert "The preview at step 10 was interrupted." in [event.text for event in studio.of(LogMessage)]
    assert studio.train().reason == "done"


def test_the_last_line_says_that_nothing_was_gained(studio: Studio) -> None:
    finished = studio.train(learning_rate="100")
    assert "Nothing was gained" in finished.remark
    assert "Lower the Embedding learning rate" in (finished.folder / "run.log").read_text().splitlines()[-1]
    assert studio.events[-1] is finished


def test_a_run_that_gained_says_nothing_of_the_kind(studio: Studio) -> None:
    assert "Nothing was gained" not in studio.train(max_steps=60, learning_rate="0.05").remark


def test_time_and_steps_count_all_sessions(studio: Studio) -> None:
    first = studio.train(max_steps=10)
    second = studio.train(max_steps=15)
    assert (first.steps, second.steps) == (10, 15)
    assert second.seconds > first.seconds


def test_a_state_of_an_earlier_version_is_continued(studio: Studio) -> None:
    folder = studio.train(max_steps=10).folder
    path = folder / "state.safetensors"
    with safe_open(str(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    values = json.loads(metadata["state"])
    best = values.pop("best_step")
    del values["seconds"], values["identity"]["images"]
    values |= {"best": [best, 0.5], "first_loss": 0.6, "checks_since_best": 1}
    save_file(tensors, path, metadata={**metadata, "state": json.dumps(values)})
    (folder / "evaluation.csv").write_text("step,loss,norm\n0,0.6,1.0\n5,0.55,1.0\n10,0.5,1.0\n")
    finished = studio.train(max_steps=20)
    assert studio.of(RunStarted)[0].resumed
    assert (folder / "embeddings" / "my-style-best-until-10.safetensors").exists()
    assert [(check.step, check.data == "") for check in read_history(folder / "evaluation.csv")] == [
        (0, True),
        (5, True),
        (10, True),
        (15, False),
        (20, False),
    ]
    assert finished.best_step in (15, 20)


def test_stop_during_a_preview_saves_too(studio: Studio) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, PreviewMade) and event.step == 10:
            studio.control.stop()

    finished = studio.train(stop, save_embedding_every=0)
    assert (finished.reason, finished.step) == ("stopped", 10)
    assert files.load(studio.embedding_file).step == 10


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
)
def test_out_of_memory_in_a_step_saves_and_says_what_to_do(studio: Studio, error: Exception) -> None:
    model = studio.host.model
    predict = model.predict

    def full(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if model.predictions == SELF_TEST + 5:
            raise error
        return predict(noisy, *rest)  # type: ignore[arg-type]

    model.predict = full  # type: ignore[method-assign,assignment]
    with pytest.raises(TrainingFailed, match="Out of memory after step 5, which is saved: lower Batch size"):
        studio.train(validate_every=0, save_image_every=0)
    assert files.load(studio.embedding_file).step == 5


def test_a_step_that_runs_out_of_memory_is_repeated_and_reported(studio: Studio, another: Studio) -> None:
    settings = {"max_steps": 8, "batch_size": 1, "save_image_every": 0}
    another.train(**settings)
    model = studio.host.model
    predict = model.predict
    trained: list[str] = []

    def full_once(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if torch.is_grad_enabled():
            trained.append(model.checkpointing)
            if len(trained) == SELF_TEST + 5:
                raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return predict(noisy, *rest)  # type: ignore[arg-type]

    model.predict = full_once  # type: ignore[method-assign,assignment]
    studio.train(**settings)
    assert trained == ["off"] * (SELF_TEST + 5) + ["transformer-blocks"] * 4
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))
    (warning,) = (event for event in studio.of(LogMessage) if "out of memory" in event.text)
    assert warning.warning
    assert warning.text == (
        "Step 5 ran out of memory and is repeated with less, which changes no result: from now on Gradient "
        "checkpointing is transformer-blocks."
    )


def test_a_model_that_cannot_teach_is_refused_before_anything_is_written(studio: Studio) -> None:
    studio.host.model.poison_after = 0
    before = studio.embedding_file.read_bytes()
    with pytest.raises(BadInput, match="A trial step gave the gradient nan, from which nothing can be learned"):
        studio.train()
    assert studio.embedding_file.read_bytes() == before
    assert not studio.logs.exists()


def test_out_of_memory_while_measuring_at_the_end_saves_too(studio: Studio) -> None:
    model = studio.host.model
    predict = model.predict

    def full(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        if not torch.is_grad_enabled() and len(studio.of(StepDone)) == 13:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return predict(noisy, *rest)  # type: ignore[arg-type]

    model.predict = full  # type: ignore[method-assign,assignment]
    with pytest.raises(TrainingFailed, match="Out of memory after step 13"):
        studio.train(max_steps=13, validate_every=100, save_image_every=0, save_embedding_every=0)
    assert files.load(studio.embedding_file).step == 13


def test_a_kill_after_the_last_step_still_publishes(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, Evaluated) and event.step == 18:
            raise Killed

    monkeypatch.setattr("lib_ti.training.callbacks.saver.STATE_EVERY_SECONDS", 0.0)
    with pytest.raises(Killed):
        studio.train(kill, max_steps=18, validate_every=9, save_image_every=0)
    assert files.load(studio.embedding_file).step == 10
    finished = studio.train(max_steps=18, validate_every=9, save_image_every=0)
    assert (finished.step, files.load(studio.embedding_file).step) == (18, 18)


def test_a_picture_whose_pixels_are_broken_is_told(studio: Studio) -> None:
    broken = studio.pictures / "broken.jpg"
    Image.effect_noise((300, 300), 90).convert("RGB").save(broken, quality=95)
    broken.write_bytes(broken.read_bytes()[:-20000])
    finished = studio.train(max_steps=2)
    assert any("1 file skipped: broken.jpg (the file is cut off" in event.text for event in studio.of(LogMessage))
    assert "Skipped broken.jpg: the file is cut off" in (finished.folder / "run.log").read_text()
    assert studio.host.models.watched == studio.events


def test_a_damaged_or_foreign_model_is_told(studio: Studio) -> None:
    folder = studio.train(max_steps=5).folder
    (folder / "state.safetensors").unlink()
    studio.host.models.model = FakeModel(name="other", model_hash="9999999999")
    studio.train(max_steps=10)
    assert any("trained on fake [0123456789]; this run continues with other" in e.text for e in studio.of(LogMessage))


def test_leftovers_of_a_killed_program_are_removed(studio: Studio) -> None:
    left = studio.host.folders.embeddings / ".my-style-0123abcd.writing.safetensors"
    left.write_bytes(b"half")
    studio.train(max_steps=1)
    assert not left.exists()


def test_a_killed_run_goes_on_from_its_state(studio: Studio, another: Studio) -> None:
    studio.train(max_steps=20)

    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 14:
            raise Killed

    with pytest.raises(Killed):
        another.train(kill, max_steps=20)
    assert files.load(another.embedding_file).step == 10
    another.train(max_steps=20)
    assert another.of(RunStarted)[0].first_step == 10
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_a_run_killed_before_its_first_save_is_set_aside_by_the_next(studio: Studio) -> None:
    class Killed(BaseException):
        pass

    def kill(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            raise Killed

    with pytest.raises(Killed):
        studio.train(kill, save_embedding_every=0)
    (left,) = studio.logs.glob("*/my-style")
    assert (left / "images" / "my-style-0.png").exists() and not (left / "state.safetensors").exists()
    finished = studio.train()
    assert finished.folder == left
    said = [event.text for event in studio.of(LogMessage)]
    assert f"A run ended before its first save: its folder {left} is set aside, and a new run begins." in said
    (kept,) = studio.logs.glob("*/my-style.replaced-*")
    assert any(str(kept) in text for text in said)
    assert (kept / "images" / "my-style-0.png").exists() and (kept / "run.log").exists()
    assert (left / "run.log").read_text(encoding="utf-8").count("begins at step 0") == 1
    assert (left / "state.safetensors").exists()


def test_what_may_be_something_to_keep_is_not_set_aside(studio: Studio) -> None:
    first = studio.train(max_steps=10).folder
    (first / "state.safetensors").unlink()  # as load_state advises for a damaged one
    of_webui = first.parent / "my-style-2"
    (of_webui / "images").mkdir(parents=True)
    assert studio.train(max_steps=20).folder == first.parent / "my-style-3"
    assert not list(studio.logs.glob("*/*.replaced-*"))


def test_training_on_from_an_earlier_copy_begins_a_new_run(studio: Studio) -> None:
    first = studio.train()
    studio.embedding_file.write_bytes((first.folder / "embeddings" / "my-style-10.safetensors").read_bytes())
    second = studio.train()
    assert second.folder != first.folder
    assert studio.of(RunStarted)[0].first_step == 10


def test_a_changed_learning_rate_is_applied_and_told(studio: Studio) -> None:
    studio.train(max_steps=5)
    studio.train(max_steps=10, learning_rate="0.5")
    notes = [event.text for event in studio.of(LogMessage)]
    assert any("Embedding learning rate was '0.005' and is '0.5'" in text for text in notes)
    assert studio.of(StepDone)[0].learning_rate == 0.5


def test_another_dataset_is_told_and_another_model_refused(studio: Studio) -> None:
    studio.train(max_steps=5)
    (studio.pictures / "00.txt").write_text("something else")
    studio.train(max_steps=10)
    assert any("images, captions or sizes have changed" in event.text for event in studio.of(LogMessage))
    studio.host.models.model = FakeModel(name="other", model_hash="9999999999")
    with pytest.raises(BadInput, match=r"trained on fake \[0123456789\].*now other"):
        studio.train(max_steps=15)


def test_max_steps_already_reached_is_told(studio: Studio) -> None:
    studio.train(max_steps=5)
    with pytest.raises(BadInput, match="trained for 5 steps already.*raise Max steps"):
        studio.train(max_steps=5)


def test_a_failing_preview_never_ends_the_run(studio: Studio) -> None:
    studio.host.model.previews_fail = True
    assert studio.train().reason == "done"
    assert "not enough graphics memory for the preview: make it smaller" in studio.of(PreviewFailed)[0].reason


def test_previews_take_the_captions_in_turn_with_one_seed(studio: Studio) -> None:
    studio.train()
    made = studio.of(PreviewMade)
    assert len({event.prompt for event in made}) == 3
    assert {event.seed for event in made} == {7}
    studio.train(max_steps=40, preview_prompt="a house, [name]")
    assert {event.prompt for event in studio.of(PreviewMade)} == {"a house, my-style"}


def test_each_line_of_the_preview_prompt_is_a_preview_of_every_step(studio: Studio) -> None:
    folder = studio.train(preview_prompt="a house, [name]\n\n  a cat by [name]\n").folder
    made = studio.of(PreviewMade)
    expected = [(step, prompt) for step in (0, 10, 20) for prompt in ("a house, my-style", "a cat by my-style")]
    assert [(event.step, event.prompt) for event in made] == expected
    assert {event.seed for event in made} == {7}
    images = {path.name for path in (folder / "images").iterdir()}
    assert images == {f"my-style-{step}{mark}.png" for step in (0, 10, 20) for mark in ("", "-prompt-2")}
    assert {path.name for path in (folder / "image_embeddings").iterdir()} == {
        f"my-style-{step}.png" for step in (0, 10, 20)
    }
    run = RunFolder(folder, "my-style")
    assert [step for step, _ in run.previews()] == [0, 10, 20]
    assert {step: list(row) for step, row in run.preview_grid().items()} == {0: [1, 2], 10: [1, 2], 20: [1, 2]}
    shown = studio.embedding_file.with_name("my-style.preview.png").read_bytes()
    assert shown in [path.read_bytes() for _, path in run.previews()]


def test_several_preview_prompts_do_not_change_the_training(studio: Studio, another: Studio) -> None:
    studio.train(preview_prompt="[name]\na house, [name]")
    another.train(max_steps=10, preview_prompt="[name]\na house, [name]\na cat")
    another.train(preview_prompt="")
    assert vectors(studio.embedding_file).equal(vectors(another.embedding_file))


def test_a_preview_that_fails_does_not_keep_the_others_back(studio: Studio) -> None:
    generate = studio.host.model.generate

    def some(request: ImageRequest, *rest: Any) -> Image.Image:
        if "cat" in request.prompt:
            raise RuntimeError("out of memory")
        return generate(request, *rest)

    studio.host.model.generate = some  # type: ignore[method-assign]
    studio.train(max_steps=5, preview_prompt="a cat\na house, [name]")
    assert [event.number for event in studio.of(PreviewMade)] == [2, 2]
    failed = studio.of(PreviewFailed)[0]
    assert "Preview 1 of 2 after step 0 could not be generated" in str(describe_event(failed))


def test_a_preview_carries_its_parameters(studio: Studio) -> None:
    folder = studio.train().folder
    with Image.open(folder / "images" / "my-style-10.png") as picture:
        assert "Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 32x32" in picture.text["parameters"]


def test_undefined_loss_goes_back_and_ends_with_the_reason(studio: Studio) -> None:
    studio.host.model.poison_after = SELF_TEST + 40
    with pytest.raises(
        TrainingFailed, match="NaN or infinite for 10 steps in a row.*Lower the Embedding learning rate"
    ):
        studio.train(max_steps=100, learning_rate="0.7", validate_every=0, save_image_every=0)
    embedding = files.load(studio.embedding_file)
    assert embedding.step == 30
    assert embedding.vectors["clip_l"].isfinite().all()


def test_a_single_bad_step_is_skipped_and_marked(studio: Studio) -> None:
    model = studio.host.model
    predict = model.predict

    def once(noisy: torch.Tensor, *rest: object) -> torch.Tensor:
        out = predict(noisy, *rest)  # type: ignore[arg-type]
        return out * float("nan") if model.predictions == SELF_TEST + 4 else out

    model.predict = once  # type: ignore[method-assign,assignment]
    assert studio.train(validate_every=0, save_image_every=0).reason == "done"
    assert [event.step for event in studio.of(StepDone) if event.skipped] == [4]


def test_loss_scaling_trains_as_without(studio: Studio, another: Studio) -> None:
    another.host.model.needs_loss_scaling = True
    studio.train()
    another.train()
    torch.testing.assert_close(vectors(studio.embedding_file), vectors(another.embedding_file))


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


def test_the_card_shows_the_preview_of_the_best_step(studio: Studio) -> None:
    finished = studio.train(save_image_every=5, learning_rate="5")
    assert finished.best_step == 0  # the first measurement; the picture before training is no one's card
    shown = studio.embedding_file.with_name("my-style.preview.png")
    assert shown.read_bytes() == (finished.folder / "images" / "my-style-5.png").read_bytes()


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


def test_damaged_state_begins_anew_and_says_so(studio: Studio) -> None:
    folder = studio.train(max_steps=5).folder
    (folder / "state.safetensors").write_bytes(b"broken")
    studio.train(max_steps=10)
    assert studio.of(RunStarted)[0].first_step == 5
    assert any("no state of the first 5 steps" in event.text for event in studio.of(LogMessage))


def test_small_sets_hold_nothing_out(studio: Studio, tmp_path: Path) -> None:
    few = draw_images(tmp_path / "few", count=4)
    studio.train(dataset=str(few))
    started = studio.of(RunStarted)[0]
    assert (started.images, started.validation_images) == (4, 0)
    assert not any(event.overtraining for event in studio.of(Evaluated))
