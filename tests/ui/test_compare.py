"""Two runs side by side in Results: what differs, their previews of equal prompts, and new images of both."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_ti.background.kinds import COMPARISON
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.ui.results.compare import service, view
from lib_ti.ui.results.compare.service import Side
from lib_ti.ui.results.service import ResultsService
from lib_ti.ui.results.state import RunResults
from tests.fakes import FakeHost


@pytest.fixture
def other(run: RunResults, trained_host: FakeHost) -> RunResults:
    """The same run under another name, of another learning rate, whose last step has no previews."""
    folder = run.folder.path.with_name("other-style")
    shutil.copytree(run.folder.path, folder)
    for path in folder.rglob("my-style-*"):
        path.rename(path.with_name(path.name.replace("my-style", "other-style")))
    for number in (1, 2):
        (folder / "images" / f"other-style-20{'-prompt-2' if number == 2 else ''}.png").unlink()
    for path in folder.glob("settings-*.json"):
        content = json.loads(path.read_text())
        content["settings"] |= {"name": "other-style", "learning_rate": "0.1"}
        path.write_text(json.dumps(content))
    published = trained_host.folders.embeddings / "my-style.safetensors"
    files.save(replace(files.load(published), name="other-style"), published.with_name("other-style.safetensors"))
    return RunResults(folder.parents[1], "other-style", str(folder))


def test_all_other_runs_of_any_embedding_are_listed(run: RunResults, other: RunResults, trained_host: FakeHost) -> None:
    shutil.copytree(run.folder.path, run.folder.path.with_name("my-style-2"))
    results = ResultsService(trained_host, BackgroundTasks())
    day = run.folder.path.parent.name
    found = results.other_runs(str(run.folder.path.parents[1]), run)
    assert found == {
        f"my-style: {day}/my-style-2": ("my-style", str(run.folder.path.with_name("my-style-2"))),
        f"other-style: {day}/other-style": ("other-style", str(other.folder.path)),
    }


def test_only_what_differs_is_listed_after_what_was_reached(run: RunResults, other: RunResults) -> None:
    found = service.differences(run, other)
    assert list(found) == [
        "Best step",
        "Validation loss there",
        "Less error with the keyword",
        "Embedding Learning rate",
    ]
    assert found["Embedding Learning rate"] == ("0.05", "0.1")
    assert found["Best step"][0] == found["Best step"][1]
    assert found["Less error with the keyword"][0].endswith("%")


def test_previews_of_equal_prompt_and_seed_are_side_by_side(run: RunResults, other: RunResults) -> None:
    pairs = service.equal_previews(run, other, (20, 20))
    # The prompts are alike but for the names of the embeddings only where both were generated with their own.
    assert pairs == []
    for preview in other.previews():
        _rename(preview.path)
    pairs = service.equal_previews(run, other, (20, 20))
    assert [(one.step, two.step, one.number) for one, two in pairs] == [(20, 15, 1), (20, 15, 2)]
    # A chosen checkpoint of the other run is compared at its own step.
    chosen = service.equal_previews(run, other, (20, Side(other, "10").step))
    assert [(one.step, two.step) for one, two in chosen] == [(20, 10), (20, 10)]
    shown = view.pair(("one", "two"), service.differences(run, other), pairs)
    assert shown.count("<img") == 4 and "two, step 15" in shown and "Embedding Learning rate" in shown
    assert "no previews of the same prompt" in view.pair(("one", "two"), {}, [])


def test_the_same_prompts_and_seeds_are_generated_with_both(
    run: RunResults, other: RunResults, trained_host: FakeHost
) -> None:
    tasks, requests = BackgroundTasks(), []
    trained_host.model.requests = requests
    sides = Side(run, "10"), Side(other, service.best_checkpoint(other))
    service.start(tasks, *sides, "a house, [name]\na tree, [name]", trained_host)
    assert tasks.wait(60)
    now, sheet = tasks.status(COMPARISON), tasks.result(COMPARISON)
    assert (now.state, now.title) == ("done", "Comparing my-style with other-style")
    assert sheet.path == run.folder.path / "comparison.png" and sheet.path.exists()
    assert [(request.prompt, request.seed) for request, _ in requests] == [
        ("a house, my-style", 7),
        ("a house, other-style", 7),
        ("a tree, my-style", 8),
        ("a tree, other-style", 8),
    ]
    assert "2 prompts, the same seeds" in sheet.caption
    assert "my-style) at step 10 and other-style" in sheet.caption


def test_a_run_without_checkpoints_and_no_prompts_are_refused(
    run: RunResults, other: RunResults, trained_host: FakeHost
) -> None:
    with pytest.raises(BadInput, match="no checkpoint of step 11"):
        _ = Side(other, "11").step
    with pytest.raises(BadInput, match="There is no prompt"):
        service.start(BackgroundTasks(), Side(run, "10"), Side(other, "20"), " ", trained_host)
    shutil.rmtree(other.folder.path / "embeddings")
    with pytest.raises(BadInput, match="has no checkpoints: choose another one"):
        service.best_checkpoint(other)


def _rename(path: Path) -> None:
    """Give a preview the prompt that its run would have written with the embedding's name."""
    with Image.open(path) as image:
        image.load()
        info = PngInfo()
        info.add_text("parameters", image.text["parameters"].replace("my-style", "other-style"))
        image.save(path, pnginfo=info)
