"""Results of a run: what its page shows, and what is done with its checkpoints, on real run folders."""

from __future__ import annotations

import itertools
import shutil
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from lib_ti.background.kinds import CONTACT_SHEET, RUN
from lib_ti.background.tasks import BackgroundTasks, TaskContext
from lib_ti.embedding import files, library
from lib_ti.errors import BadInput, Busy
from lib_ti.storage import in_use
from lib_ti.ui.controller import Controller
from lib_ti.ui.results import contact_sheet, view
from lib_ti.ui.results import state as results
from lib_ti.ui.results.parameters import parse_parameters
from lib_ti.ui.results.selection import selectable, txt2img_values
from lib_ti.ui.results.service import ResultsService
from lib_ti.ui.results.state import RunResults
from tests.fakes import WIDTH, FakeHost
from tests.ui.conftest import TRAINED

NAME = TRAINED


@pytest.fixture
def host(trained_host: FakeHost) -> FakeHost:
    return trained_host


def actions(host: FakeHost) -> ResultsService:
    return ResultsService(host, BackgroundTasks())


def test_runs_are_found_by_embedding(run: RunResults, tmp_path: Path) -> None:
    log = tmp_path / "runs"
    assert results.trained_names(log, ["my-style", "other"]) == ["my-style"]
    assert results.list_runs(log, "other") == []
    assert results.list_runs(log / "missing", "my-style") == []


@pytest.mark.parametrize("path", ["", "/etc", ".."])
def test_only_run_folders_of_the_embedding_are_opened(run: RunResults, tmp_path: Path, path: str) -> None:
    with pytest.raises(BadInput, match="no run of 'my-style'"):
        RunResults(tmp_path / "runs", "my-style", path)


def test_the_page_of_a_run(run: RunResults) -> None:
    previews = run.previews()
    assert [(one.step, one.number) for one in previews] == [(step, n) for step in (0, 5, 10, 15, 20) for n in (1, 2)]
    assert [(one.prompt, one.seed) for one in previews[:2]] == [("a house, my-style", 7), ("a tree, my-style", 7)]
    assert view.strip(previews).count("<img") == 10
    assert "<polyline" in view.curve(run)
    assert list(run.checkpoints()) == ["best", "10", "20"]
    recipe = view.recipe(run)
    for word in ("fake [0123456789]", "9, and 1 for validation", "Max steps", "a house, [name]"):
        assert word in recipe
    assert run.prompts() == ["a house, [name]", "a tree, [name]"]


def test_a_step_is_chosen_with_its_images_and_its_checkpoint(run: RunResults) -> None:
    steps = selectable(run)
    best = steps.checkpoints["best"]
    assert steps.steps == sorted({0, 5, 10, 15, 20, best})
    chosen = steps.at_step(11)
    assert (chosen.step, [one.number for one in chosen.images], chosen.checkpoint) == (10, [1, 2], "10")
    assert "10 2" in view.images(replace(chosen, number=2)) and 'data-chosen="10"' in view.images(chosen)
    first = steps.first_choice()
    assert (first.step, first.checkpoint, first.checkpoint_step) == (best, "best", best)
    assert steps.at_checkpoint("20") == steps.at_step(99)
    assert steps.at_checkpoint("2") is None
    # Of "best" and the number of its step, the one that was chosen stays.
    assert steps.at_step(best, "best").checkpoint == "best"


def test_what_a_step_lacks_is_that_of_the_nearest_and_said(run: RunResults) -> None:
    run.folder.checkpoint("best", ".safetensors").unlink()
    steps = selectable(run)
    chosen = steps.at_step(15)
    assert (chosen.step, chosen.checkpoint, chosen.checkpoint_step) == (15, "20", 20)
    said = view.chosen(chosen, 20)
    assert "There is no checkpoint of step 15; the buttons use the nearest one, of step 20" in said
    assert "The embedding is that of step 20 now" in said
    for path in (run.folder.preview(10), run.folder.preview(10, 2)):
        path.unlink()
    chosen = selectable(run).at_checkpoint("10")
    assert chosen is not None and chosen.image is not None
    assert (chosen.step, chosen.image.step) == (10, 15)
    assert "There is no preview of step 10; this is the nearest." in view.images(chosen)


def test_a_run_without_previews_and_checkpoints_has_nothing_to_choose(run: RunResults) -> None:
    for folder in ("images", "embeddings"):
        shutil.rmtree(run.folder.path / folder)
    chosen = selectable(run).first_choice()
    assert (chosen.images, chosen.checkpoint) == ((), "")
    assert "no previews" in view.images(chosen) and "no checkpoints" in view.chosen(chosen, 20)


def test_a_restored_checkpoint_keeps_its_recipe_and_preview(run: RunResults, host: FakeHost) -> None:
    path = actions(host).restore_checkpoint(run, "10")[0].path
    embedding = files.load(path)
    assert (embedding.name, embedding.step) == ("my-style", 10)
    assert embedding.recipe["initialization_text"] == "style"
    assert host.models.saved[-1] == path
    shown = path.with_name("my-style.preview.png").read_bytes()
    assert shown == run.folder.preview(10).read_bytes()
    with pytest.raises(BadInput, match="no checkpoint of step 11. The run has: best, 10, 20"):
        actions(host).restore_checkpoint(run, "11")[0]


def test_restoring_keeps_the_replaced_file_unless_a_checkpoint_has_it(run: RunResults, host: FakeHost) -> None:
    path = host.folders.embeddings / "my-style.safetensors"
    for step in ("10", "best", "20"):  # all of them are in the run's folder
        assert actions(host).restore_checkpoint(run, step)[0].replaced == ()
    theirs = replace(files.load(path), vectors={"clip_l": torch.ones(2, WIDTH)})
    files.save(theirs, path)
    Image.new("RGB", (9, 9), "red").save(path.with_name("my-style.preview.png"))
    placed = actions(host).restore_checkpoint(run, "10")[0]
    assert [kept.name.split(".replaced-")[0] for kept in placed.replaced] == [path.name, "my-style.preview.png"]
    assert all(str(kept) in placed.notes[0] for kept in placed.replaced)
    kept = shutil.copy(placed.replaced[0], path.with_name("kept.safetensors"))
    assert files.load(Path(kept)).vectors["clip_l"].equal(theirs.vectors["clip_l"])


def test_restoring_is_refused_while_the_embedding_is_trained(run: RunResults, host: FakeHost) -> None:
    path = host.folders.embeddings / "my-style.safetensors"
    before = path.read_bytes()
    with (
        in_use.held(library.target(path), in_use.TRAINED),
        pytest.raises(BadInput, match="'my-style' is being trained by this program since"),
    ):
        actions(host).restore_checkpoint(run, "10")[0]
    assert path.read_bytes() == before


@pytest.mark.parametrize(("suffix", "step"), list(itertools.product([".safetensors", ".pt", ".png"], ["best", "20"])))
def test_downloads_are_called_by_the_embeddings_name(run: RunResults, suffix: str, step: str) -> None:
    results = actions(host)  # whose files are removed with it
    path = results.export_checkpoint(run, step, suffix)
    assert path.name == f"my-style{suffix}"
    wanted = run.checkpoint(step)
    read = files.load(path)
    assert (read.name, read.step) == ("my-style", wanted.step)
    assert read.vectors["clip_l"].equal(wanted.vectors["clip_l"])


def test_train_more_has_the_same_settings_and_more_steps(run: RunResults) -> None:
    values = run.settings_to_continue()
    assert values["max_steps"] == 40
    assert values["preview_prompt"] == "a house, [name]\na tree, [name]"
    for path in run.folder.path.glob("settings-*.json"):
        path.write_text("not JSON")
    with pytest.raises(BadInput, match="cannot be read"):
        run.settings_to_continue()


def test_parameters_of_the_chosen_image_go_to_txt2img(run: RunResults) -> None:
    chosen = selectable(run).at_step(20, number=2)
    assert txt2img_values(run, chosen) == {
        "prompt": "a tree, my-style",
        "negative_prompt": "fog",
        "steps": 20,
        "sampler": "Euler a",
        "scheduler": "Automatic",
        "cfg_scale": 7.0,
        "seed": 7,
        "width": 32,
        "height": 32,
    }
    shutil.rmtree(run.folder.path / "images")
    chosen = selectable(run).at_step(20)
    assert txt2img_values(run, chosen) == {"prompt": "my-style", "negative_prompt": "fog", "seed": -1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("only a prompt", {"prompt": "only a prompt"}),
        (
            "two\nlines\nNegative prompt: fog\nSteps: 9, Sampler: Euler, Schedule type: Karras, CFG scale: 5, Seed: 4",
            {
                "prompt": "two\nlines",
                "negative_prompt": "fog",
                "steps": 9,
                "sampler": "Euler",
                "scheduler": "Karras",
                "cfg_scale": 5.0,
                "seed": 4,
            },
        ),
        ("x\nSteps: many, Seed: none", {"prompt": "x", "negative_prompt": ""}),
    ],
)
def test_generation_parameters_are_read(text: str, expected: dict[str, Any]) -> None:
    assert parse_parameters(text) == expected


def test_a_restore_is_undone_with_the_preview_on_the_card(run: RunResults, host: FakeHost) -> None:
    path, results = host.folders.embeddings / "my-style.safetensors", actions(host)
    theirs = replace(files.load(path), vectors={"clip_l": torch.ones(3, WIDTH)}, step=17)
    files.save(theirs, path)
    shown = path.with_name("my-style.preview.png")
    Image.new("RGB", (9, 9), "red").save(shown)
    before = {one: one.read_bytes() for one in (path, shown)}
    assert results.restorer.undo_title(NAME) == ""
    results.restore_checkpoint(run, "10")
    assert results.restorer.undo_title(NAME) == "Undo: restore step 17"
    results.restore_checkpoint(run, "20")
    assert results.restorer.undo_title(NAME) == "Undo: restore step 10"
    assert results.restorer.undo(NAME).notes == (f"{path} is again the embedding of step 10.",)
    assert files.load(path).step == 10
    results.restorer.undo(NAME)
    assert {one: one.read_bytes() for one in (path, shown)} == before
    assert host.models.saved[-1] == path
    assert results.restorer.undo_title(NAME) == ""
    assert not list(path.parent.glob("*.replaced-*"))  # what was kept aside is back in its place
    with pytest.raises(BadInput, match="No checkpoint of 'my-style' was restored"):
        results.restorer.undo(NAME)


def test_an_embedding_that_was_changed_since_is_not_undone(run: RunResults, host: FakeHost) -> None:
    path, results = host.folders.embeddings / "my-style.safetensors", actions(host)
    results.restore_checkpoint(run, "10")
    files.save(replace(files.load(path), step=99), path)
    with pytest.raises(BadInput, match="was changed since it was restored: nothing was undone"):
        results.restorer.undo(NAME)
    assert files.load(path).step == 99


def test_the_images_of_a_run_are_downloaded_as_a_zip(run: RunResults, host: FakeHost) -> None:
    run.folder.new_image("contact-sheet").write_bytes(run.folder.preview(0).read_bytes())
    results = actions(host)  # whose files are removed with it
    path = results.downloads.images(run)
    assert path.name == "my-style-images.zip"
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert archive.read("my-style/images/my-style-20-prompt-2.png") == run.folder.preview(20, 2).read_bytes()
    assert len(names) == 11 and "my-style/contact-sheet.png" in names


def test_best_checkpoints_of_former_data_can_be_chosen_too(run: RunResults, host: FakeHost) -> None:
    folder = run.folder.path / "embeddings"
    for mark, step in (("until-100", 10), ("until-20", 20)):
        shutil.copy(folder / f"my-style-{step}.safetensors", folder / f"my-style-best-{mark}.safetensors")
    assert list(run.checkpoints()) == ["best", "best-until-100", "best-until-20", "10", "20"]
    actions(host).restore_checkpoint(run, "best-until-100")[0]
    assert files.load(host.folders.embeddings / "my-style.safetensors").step == 10


def test_the_page_follows_the_verdict(run: RunResults) -> None:
    """The loss at step 10 is the lowest, but for one on former data, and for one that is no number."""
    rows = [
        "0,0.010,1,0,validation,old,0.010",
        "5,0.3,1,5,validation,now,0.2 0.4",
        "10,0.1,1,10,validation,now,0.05 0.15",
    ]
    text = "step,loss,norm,best_step,images,data,sample_losses\n" + "\n".join(
        [*rows, "15,nan,1,10,validation,now,nan nan"]
    )
    run.folder.evaluations.write_text(text + "\n")
    verdict = run.verdict()
    assert verdict is not None
    assert verdict.best_step == 10
    assert "lowest 0.1000 at step 10" in view.curve(run)
    assert "ti-earlier" in view.curve(run)


def generate(run: RunResults, host: FakeHost, prompts: str) -> tuple[Path, str, list[tuple[int, int]]]:
    counts: list[tuple[int, int]] = []

    def note(done: int = 0, total: int = 0, message: str = "") -> None:
        if total:
            counts.append((done, total))

    sheet = contact_sheet.generate(run, host, prompts, TaskContext(note))
    return sheet.path, sheet.caption, counts


def test_a_contact_sheet_shows_every_prompt_before_training_and_with_checkpoints(
    run: RunResults, host: FakeHost
) -> None:
    requests = host.model.requests = []
    path, message, done = generate(run, host, "\n\n".join(f"a house {number}, [name]" for number in range(8)))
    assert "8 prompts, before training and with 2 checkpoints" in message
    assert done == [(number, 24) for number in range(24)]
    assert {(request.prompt, steps) for request, steps in requests} == {
        (f"a house {number}, my-style", (step,)) for number in range(8) for step in (0, 10, 20)
    }
    assert path.stat().st_size > 1000


def test_contact_sheet_is_a_task_with_progress_and_a_result(run: RunResults, host: FakeHost) -> None:
    tasks = BackgroundTasks()
    contact_sheet.start(tasks, run, host, "a house, [name]")
    assert tasks.wait(60)
    now, sheet = tasks.status(CONTACT_SHEET), tasks.result(CONTACT_SHEET)
    assert (now.state, now.title, now.total) == ("done", "Contact sheet of my-style", 3)
    assert sheet.path.exists()
    assert sheet.run == run.folder.path


def test_stopped_contact_sheet_writes_no_file(run: RunResults, host: FakeHost) -> None:
    tasks = BackgroundTasks()
    generate = host.model.generate

    def stopping(*arguments: Any) -> Any:
        tasks.control(CONTACT_SHEET).stop()
        return generate(*arguments)

    host.model.generate = stopping  # type: ignore[method-assign]
    before = set(run.folder.path.iterdir())
    contact_sheet.start(tasks, run, host, "a house, [name]")
    assert tasks.wait(60)
    now = tasks.status(CONTACT_SHEET)
    assert (now.state, now.message) == (
        "stopped", "The contact sheet was stopped after 0 of 3 images; no file was written.",
    )  # fmt: skip
    assert set(run.folder.path.iterdir()) == before


def test_contact_sheet_is_refused_during_a_run_and_without_prompts(run: RunResults, host: FakeHost) -> None:
    tasks, end = BackgroundTasks(), threading.Event()
    with pytest.raises(BadInput, match="no prompt"):
        contact_sheet.start(tasks, run, host, " ")
    tasks.start(RUN, "Training my-style", lambda task: end.wait(20))
    with pytest.raises(Busy, match="Training my-style is in progress"):
        contact_sheet.start(tasks, run, host, "a house, [name]")
    end.set()
    assert tasks.wait(20)


def test_contact_sheets_never_replace_each_other(run: RunResults, host: FakeHost) -> None:
    names = [generate(run, host, "a house, [name]")[0].name for _ in range(3)]
    assert names == ["contact-sheet.png", "contact-sheet-2.png", "contact-sheet-3.png"]


def test_without_an_initialization_text_the_first_column_is_without_the_embedding(
    run: RunResults, host: FakeHost
) -> None:
    for _, path in run.folder.checkpoints():
        embedding = files.load(path)
        files.save(replace(embedding, recipe={}), path)
    requests = host.model.requests = []
    generate(run, host, "a house, [name], red")
    assert (requests[0][0].prompt, requests[0][1]) == ("a house, red", ())


@pytest.mark.parametrize(("prompts", "words"), [(" \n", "no prompt"), ("x\n" * 25, "25 prompts, and .* room for 24")])
def test_prompts_that_cannot_be_drawn_are_refused(run: RunResults, host: FakeHost, prompts: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        generate(run, host, prompts)
    assert not list(run.folder.path.glob("contact-sheet*"))


def test_long_lists_are_thinned_evenly_with_their_ends() -> None:
    assert results.evenly(list(range(100)), 4) == [0, 33, 66, 99]
    assert results.evenly([1, 2], 4) == [1, 2]


def test_the_newest_run_is_shown_for_another_embeddings_folder_and_what_is_no_run_is_refused(
    run: RunResults, host: FakeHost
) -> None:
    controller, logs = Controller(host, BackgroundTasks()), str(run.folder.path.parent.parent)
    other = run.folder.path.with_name("other-style")
    shutil.copytree(run.folder.path, other)
    for path in ("", str(other), str(run.folder.path)):
        assert controller.results.run(logs, NAME, path).folder.path == run.folder.path
    with pytest.raises(BadInput, match="choose one from the list"):
        controller.results.run(logs, NAME, str(run.folder.path / "typed"))
