"""What is done and still to do in the steps of Dataset, read from real folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import TaskContext
from lib_ti.config import InspectConfig, PrepareConfig, to_mapping
from lib_ti.data.preparations import last_source
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.inspect.record import InspectionRecord, read_record
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.remove.proposals import Proposals
from lib_ti.prep.remove.remove_text import keep, pending, propose_text_removals
from lib_ti.ui.dataset.crop import state as crop_state
from lib_ti.ui.dataset.inspect import state as inspect_state
from lib_ti.ui.dataset.prepare.state import Preparation
from lib_ti.ui.dataset.workflow import service, view
from lib_ti.ui.dataset.workflow.reading import read_state
from lib_ti.ui.dataset.workflow.state import DatasetState
from lib_ti.ui.dataset.workflow.steps import STEPS, Progress, blocked, step_of
from tests.fakes import FakeHost
from tests.prep.photographs import blur, letter, photograph, resize

_TASK = TaskContext(lambda **_: None)


@pytest.fixture
def folder(tmp_path: Path) -> PreparedFolder:
    """Sound photographs, a blurred one, one with text, a small one, and a file that is no image."""
    source = tmp_path / "found"
    source.mkdir()
    for name in ("astronaut", "camera"):
        resize(0.5)(photograph(name)).save(source / f"{name}.jpg", quality=92)
    blur(6)(photograph("moon")).save(source / "moon.png")
    lettered = letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold")
    lettered(photograph("coffee")).save(source / "coffee.png")
    (source / "broken.jpg").write_bytes(b"no image")
    return PreparedFolder(tmp_path / "found-prepared", source)


def config(folder: PreparedFolder, **changes: Any) -> PrepareConfig:
    same = PrepareConfig(source=str(folder.source), output=str(folder.path), width=128, height=128, framing="centre")
    return replace(same, **changes)


def read(folder: PreparedFolder, **changes: Any) -> DatasetState:
    """The state as a new process reads it."""
    assert folder.source
    return read_state(folder.source, folder, to_mapping(config(folder, **changes)), read_record(folder))


def progress(step: str, state: DatasetState) -> Progress:
    return step_of(step).progress(state)


def inspect(folder: PreparedFolder) -> None:
    assert folder.source
    inspect_state.inspect(folder.source, folder, InspectConfig(width=128, height=128), _TASK)


def prepare(folder: PreparedFolder, **changes: Any) -> None:
    execute_plan(make_plan(config(folder, **changes)), progress=lambda *_: None, stop=lambda: False)


def decide(folder: PreparedFolder, name: str, **changes: Any) -> None:
    found = next(image for image in read(folder).images if image.name == name)
    update_edits(folder, lambda edits: edits.with_image(found.digest, replace(edits.of(found.digest, name), **changes)))


def test_an_untouched_page_has_no_error_and_says_what_comes_first() -> None:
    nothing = DatasetState()
    assert "No folder is chosen yet" in view.overview(nothing)
    assert 'data-done="" data-open=""' in view.overview(nothing)
    assert [step.name for step in STEPS if blocked(step, nothing)] == ["crop", "prepare", "captions"]
    assert "then press Inspect" in view.first_sight(step_of("inspect"), nothing)
    for name in ("crop", "prepare", "captions"):
        assert "Choose the folder with your images first." in view.first_sight(step_of(name), nothing)
        assert view.missing_step(step_of(name), nothing).name == "inspect"


def test_the_steps_are_numbered_and_the_optional_ones_are_marked() -> None:
    assert [step.label for step in STEPS] == [
        "1 Inspect", "2 Crop", "3 Remove (optional)", "4 Prepare", "5 Captions", "6 Masks (optional)",
    ]  # fmt: skip


def test_images_are_counted_before_and_after_they_are_inspected(folder: PreparedFolder) -> None:
    before = read(folder)
    assert len(before.images) == 5
    assert progress("inspect", before) == Progress(False, ("inspect the images",), begun=False)
    inspect(folder)
    after = read(folder)
    assert len(after.images) == 4  # without the file that is no image
    assert (after.suggested, after.to_fix, after.not_inspected) == (1, 1, 0)
    assert progress("inspect", after).todo == (
        "exclude 1 image, or adjust the thresholds", "1 image needs fixing in the next steps",
    )  # fmt: skip
    decide(folder, "moon.png", excluded=True)
    done = read(folder)
    assert (done.excluded, progress("inspect", done).done) == (1, True)
    assert "1 needs attention" in view.overview(done)
    assert progress("remove", done).todo == ("1 image contains text",)


def test_a_new_page_continues_with_the_folder_inspected_last(folder: PreparedFolder) -> None:
    inspect(folder)
    assert last_source() == folder.source


def test_images_that_came_since_are_to_be_inspected(folder: PreparedFolder) -> None:
    inspect(folder)
    assert folder.source
    photograph("chelsea").save(folder.source / "chelsea.jpg")
    (folder.source / "camera.jpg").write_bytes((folder.source / "camera.jpg").read_bytes() + b"more")
    state = read(folder)
    assert state.not_inspected == 2
    assert progress("inspect", state).todo[0] == "inspect 2 new images"


def test_crop_boxes_that_were_shown_count_until_the_size_changes(folder: PreparedFolder) -> None:
    inspect(folder)
    assert not progress("crop", read(folder)).begun
    crop_state.propose(config(folder), (), _TASK)
    assert progress("crop", read(folder)).done
    assert progress("crop", read(folder, width=256)).todo == (
        "check the crop boxes again: the size or the shape has changed",
    )
    assert folder.source
    photograph("chelsea").save(folder.source / "chelsea.jpg")
    assert progress("crop", read(folder)).todo == ("check the crop boxes of 1 new image",)


def test_prepared_images_are_done_until_a_decision_or_a_setting_changes(folder: PreparedFolder) -> None:
    inspect(folder)
    assert progress("prepare", read(folder)) == Progress(False, ("prepare the images",), begun=False)
    prepare(folder)
    state = read(folder)
    assert progress("prepare", state).done
    assert progress("crop", state).done
    assert (len(state.trained), state.captions_missing) == (4, 4)
    assert progress("prepare", read(folder, width=256)).todo == ("prepare again: the settings have changed",)
    decide(folder, "camera.jpg", crop_boxes=(CropBox(0.1, 0.1, 0.5, 0.5),))
    assert progress("prepare", read(folder)).todo == ("prepare 1 changed image again",)
    decide(folder, "moon.png", excluded=True)
    assert progress("prepare", read(folder)).todo[-1] == "prepare again to remove 1 result of excluded images"
    assert len(read(folder).trained) == 3
    prepare(folder)
    assert progress("prepare", read(folder)).done


def test_results_of_earlier_versions_are_not_taken_for_changed(folder: PreparedFolder) -> None:
    inspect(folder)
    prepare(folder)
    text = folder.manifest.read_text()
    folder.manifest.write_text(text.replace('"edits_key": ""', '"edits_key": null'))
    decide(folder, "camera.jpg", crop_boxes=(CropBox(0.1, 0.1, 0.5, 0.5),))
    assert read_manifest(folder).results[0].edits_key is None
    assert read(folder).changed == 0


def test_captions_are_missing_where_they_are_empty_or_a_file_name(folder: PreparedFolder) -> None:
    prepare(folder)
    manifest = folder.manifest.read_bytes()
    folder.manifest.unlink()
    read(folder)  # while it is being prepared, as it were
    folder.manifest.write_bytes(manifest)
    texts = sorted(folder.path.glob("*.txt"))
    assert progress("captions", read(folder)).todo == ("4 captions are missing",)
    for text in texts:
        text.write_text("what it shows")
    assert progress("captions", read(folder)).done
    texts[0].write_text("")
    assert progress("captions", read(folder)).todo == ("1 caption is missing",)
    assert progress("captions", replace(read(folder), unsaved=2)).todo[-1] == "2 captions are not saved"


def test_optional_steps_are_done_only_by_doing_something(folder: PreparedFolder) -> None:
    prepare(folder)
    state = read(folder)
    assert progress("masks", state) == progress("remove", state) == Progress(False)
    assert "Optional" in view.end(step_of("masks"), state)
    photograph("camera").save(folder.path / "image_001-mask.png")
    assert progress("masks", read(folder)).done


def test_proposed_removals_wait_for_a_review_until_they_are_kept_or_rejected(folder: PreparedFolder) -> None:
    inspect(folder)
    nothing = Progress(False, ("1 image contains text",))
    assert progress("remove", read(folder)) == nothing
    propose_text_removals(config(folder), at_least=1.0, progress=lambda *_: None, stop=lambda: False)
    assert progress("remove", read(folder)) == Progress(False, ("1 proposed removal waits for your review",))
    assert "To do: 1 proposed removal waits for your review." in view.end(step_of("remove"), read(folder))
    (digest,) = (one.digest for one in pending(folder))
    Proposals(folder).decide({digest: False})
    assert progress("remove", read(folder)) == nothing
    Proposals(folder).decide({digest: True})
    assert len(keep(folder, [digest])) == 1
    assert progress("remove", read(folder)).done


def test_a_damaged_record_is_as_none(folder: PreparedFolder) -> None:
    inspect(folder)
    (folder.inspection / "record.json").write_text('[{"name": 1}]')
    assert read_record(folder) == InspectionRecord()
    assert read(folder).not_inspected == 5


def test_a_problem_with_the_folder_is_part_of_the_state(tmp_path: Path) -> None:
    preparation = Preparation(FakeHost(tmp_path))
    state = service.dataset_state(preparation, {"source": str(tmp_path / "nowhere"), "output": ""})
    assert "does not exist" in state.problem
    assert "does not exist" in view.overview(state)
    assert view.end(step_of("inspect"), state).endswith("; check its path.</p>")
    assert "ti-error" not in view.overview(state)
    (tmp_path / "found-prepared").mkdir()
    (tmp_path / "found-prepared" / "preparation.json").write_text("no manifest")
    (tmp_path / "found").mkdir()
    damaged = service.dataset_state(preparation, {"source": str(tmp_path / "found"), "output": ""})
    assert "is damaged" in damaged.problem


def test_names_are_text(folder: PreparedFolder) -> None:
    state = DatasetState(source="/tmp/<script>", images=())
    assert "<script>" not in view.overview(state)
