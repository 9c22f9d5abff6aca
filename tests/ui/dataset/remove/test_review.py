"""The review of text removed from all images, without Gradio."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import TaskContext
from lib_ti.config import InspectConfig, PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.inspect.measure_folder import measure_folder
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.signals import Control
from lib_ti.ui.dataset.remove.review import state, view
from lib_ti.ui.dataset.remove.review.state import ReviewMessage, TextReview
from tests.fakes import FakeHost
from tests.prep.conftest import save
from tests.prep.photographs import letter, photograph
from tests.ui.dataset.remove.conftest import seen

LETTERED = {
    "coffee.png": letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold")(
        photograph("coffee")
    ),
    "cat.png": letter("SAMPLE IMAGE", height=0.1, place=(0.5, 0.5), font="DejaVuSans-Bold")(photograph("chelsea")),
}


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    found = tmp_path / "found"
    found.mkdir()
    for name, image in LETTERED.items():
        save(image, found / name)
    save(photograph("rocket"), found / "rocket.jpg")
    return PrepareConfig(source=str(found), output=str(tmp_path / "prepared"), width=256, height=256, fill="telea")


@pytest.fixture
def review(tmp_path: Path) -> TextReview:
    return TextReview(FakeHost(tmp_path))


def search(review: TextReview, config: PrepareConfig) -> Any:
    progress: list[dict[str, Any]] = []
    task = TaskContext(lambda **changes: progress.append(changes))
    return review.propose(config, InspectConfig.text, task), progress


def task(*, stopped: bool = False) -> TaskContext:
    control = Control()
    if stopped:
        control.stop()
    return TaskContext(lambda **_: None, control)


def removed(config: PrepareConfig) -> set[str]:
    edits = read_manifest(PreparedFolder(Path(config.output))).edits
    return {one.name for one in edits.by_digest.values() if one.removed_regions}


def test_every_image_with_text_is_shown_before_and_after_and_accepted(
    config: PrepareConfig, review: TextReview
) -> None:
    assert review.review(config).images == ()
    found, progress = search(review, config)
    assert sorted(found.found) == ["cat.png", "coffee.png"]
    assert {"done": 3, "total": 3} in progress
    shown = review.review(config)
    assert [one.name for one in shown.accepted] == ["cat.png", "coffee.png"]
    for one in shown.images:
        assert seen(one.before).size == seen(one.after).size
    page = view.pairs(shown)
    assert page.count('role="switch"') == 2
    assert page.count('aria-checked="true"') == 2
    assert "2 images have text" in view.outcome(found)


def test_what_a_page_rejects_is_not_kept_and_keeping_is_undone(config: PrepareConfig, review: TextReview) -> None:
    search(review, config)
    shown = review.review(config)
    review.decide(config, ReviewMessage("1", shown.key, {shown.images[0].digest: False}))
    assert [one.name for one in review.review(config).accepted] == ["coffee.png"]
    assert removed(config) == set()
    kept = review.keeping(config)(task()).message
    assert kept.startswith("Removed the text of 1 image.")
    assert "1 rejected image still listed" in kept
    assert removed(config) == {"coffee.png"}
    assert review.kept(config) == 1
    with pytest.raises(BadInput, match="No image is accepted"):
        review.keeping(config)
    assert review.undo(config) == "Undone: the text of 1 image is there again, to be reviewed."
    assert removed(config) == set()
    assert review.kept(config) == 0
    assert len(review.review(config).images) == 2


def test_a_stopped_task_keeps_nothing_and_says_what_it_decided(config: PrepareConfig, review: TextReview) -> None:
    search(review, config)
    with pytest.raises(Stopped, match="nothing was removed, and all can still be reviewed"):
        review.keeping(config)(task(stopped=True))
    assert removed(config) == set()
    with pytest.raises(Stopped, match="Stopped after 0 of 2 proposals; the others are as they were"):
        review.deciding_all(config, accepted=False)(task(stopped=True))
    assert len(review.review(config).accepted) == 2


def test_keeping_reports_how_many_images_are_done(config: PrepareConfig, review: TextReview) -> None:
    search(review, config)
    progress: list[dict[str, Any]] = []
    review.keeping(config)(TaskContext(lambda **changes: progress.append(changes)))
    assert progress == [{"done": done, "total": 2} for done in range(3)]


def test_another_session_has_the_same_review(config: PrepareConfig, review: TextReview, tmp_path: Path) -> None:
    search(review, config)
    review.deciding_all(config, accepted=False)(task())
    other = TextReview(FakeHost(tmp_path)).review(config)
    assert [one.accepted for one in other.images] == [False, False]
    assert other.stamp == review.review(config).stamp


def test_images_are_accepted_by_a_list_of_names(config: PrepareConfig, review: TextReview) -> None:
    search(review, config)
    review.deciding_by_names(config, "\n coffee.png \n")(task())
    assert [one.name for one in review.review(config).accepted] == ["coffee.png"]
    with pytest.raises(BadInput, match=r"no proposal for an image 'rocket\.jpg'"):
        review.deciding_by_names(config, "coffee.png\nrocket.jpg")


def test_only_images_in_which_inspect_found_text_are_looked_at(config: PrepareConfig, review: TextReview) -> None:
    folder = PreparedFolder(Path(config.output))
    measure_folder(
        Path(config.source), cache_folder=folder.inspection, progress=lambda *_: None, stop=lambda: False, workers=1
    )
    found, progress = search(review, config)
    assert sorted(found.found) == ["cat.png", "coffee.png"]
    assert found.clean == 1
    assert {"done": 2, "total": 2} in progress


def test_an_image_that_was_deleted_is_not_shown(config: PrepareConfig, review: TextReview) -> None:
    search(review, config)
    (Path(config.source) / "cat.png").unlink()
    assert [one.name for one in review.review(config).images] == ["coffee.png"]
    review.keeping(config)(task())
    assert removed(config) == {"coffee.png"}


def test_messages_of_another_folder_or_of_no_page_are_refused(config: PrepareConfig, review: TextReview) -> None:
    search(review, config)
    message = state.read_message(json.dumps({"number": "5", "key": "other", "images": {"a": True}}))
    assert message == ReviewMessage("5", "other", {"a": True})
    with pytest.raises(BadInput, match="shows proposals for another folder"):
        review.decide(config, message)
    for text in ("", "[]", '{"number": "1"}'):
        with pytest.raises(BadInput, match="reload the page"):
            state.read_message(text)
