"""Source images inspected, excluded and included, and decisions undone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.inspect.measure_folder import MeasuredFolder
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset.inspect import decisions, state
from lib_ti.ui.dataset.inspect.state import Inspection
from tests.fakes import FakeHost
from tests.ui.dataset.inspect.conftest import CONFIG, EVIL, NAMES, digests, excluded, names, seen, task, view


def test_all_images_are_measured_and_kept_for_the_next_inspection(source: Path, folder: PreparedFolder) -> None:
    before = sorted(path.name for path in source.iterdir())
    found = state.inspect(source, folder, CONFIG, task())
    assert names(found.images(CONFIG)) == NAMES
    assert [one.path.name for one in found.measured.skipped] == ["broken.jpg"]
    assert list(folder.inspection.iterdir())
    assert sorted(path.name for path in source.iterdir()) == before


def test_an_inspection_is_stopped(source: Path, folder: PreparedFolder) -> None:
    stopping = task()
    stopping.control.stop()
    with pytest.raises(Stopped):
        state.inspect(source, folder, CONFIG, stopping)


def test_folders_are_checked_before_anything_is_measured(source: Path, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    assert state.check_folders(host.folders, f" {source} ", str(tmp_path / "prepared")) == (
        source,
        PreparedFolder(tmp_path / "prepared"),
    )
    for found, prepared, words in (
        ("", "prepared", "No folder is chosen"),
        (str(source), " ", "Prepared folder is empty"),
        (str(source), str(source), "is the source folder"),
        (str(source), str(source / "inside"), "is within the source folder"),
    ):
        with pytest.raises(BadInput, match=words):
            state.check_folders(host.folders, found, prepared)
    assert not (source / "preparation.json").exists()


def test_folders_outside_the_allowed_ones_are_refused(source: Path, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "mine",)
    with pytest.raises(BadInput) as refused:
        state.check_folders(host.folders, str(source), str(tmp_path / "prepared"))
    assert len(refused.value.problems) == 2


def test_thresholds_are_applied_without_measuring_again(inspection: Inspection) -> None:
    assert [issue.kind for issue in seen(inspection, "coffee.jpg").inspected.issues] == ["small"]
    generous = replace(CONFIG, small=9, blurry=0, noise=255, dark=0)
    assert inspection.report(generous).counts().keys().isdisjoint({"small", "blurry", "noise", "dark"})


def test_excluded_images_are_in_the_manifest_and_not_in_the_plan(inspection: Inspection) -> None:
    assert inspection.decide(digests(inspection, "moon.png", "retina.png")) == 2
    assert excluded(inspection) == {"moon.png", "retina.png"}
    assert [one.name for one in inspection.images(CONFIG) if one.excluded] == ["moon.png", "retina.png"]
    plan = make_plan(PrepareConfig(source=str(inspection.measured.folder), output=str(inspection.folder.path)))
    assert sorted(plan.excluded) == ["moon.png", "retina.png"]
    assert inspection.decide(digests(inspection, "moon.png")) == 0


def test_decisions_are_undone_one_by_one_and_others_stay(inspection: Inspection) -> None:
    moon = seen(inspection, "moon.png").digest
    box = CropBox(0, 0, 0.5, 0.5)
    update_edits(inspection.folder, lambda edits: edits.with_image(moon, ImageEdits("moon.png", crop_boxes=(box,))))
    inspection.decide(digests(inspection, "moon.png", "coffee.jpg"))
    inspection.decide({**digests(inspection, "retina.png"), **digests(inspection, "coffee.jpg", excluded=False)})
    assert excluded(inspection) == {"moon.png", "retina.png"}
    assert inspection.undo() == "exclude retina.png, include coffee.jpg"
    assert excluded(inspection) == {"moon.png", "coffee.jpg"}
    assert inspection.redo_label == "exclude retina.png, include coffee.jpg"
    assert inspection.undo_label == "exclude 2 images"
    assert inspection.undo() == "exclude 2 images"
    assert not inspection.undo_label
    assert inspection.undo() == ""
    assert read_manifest(inspection.folder).edits == Edits({moon: ImageEdits("moon.png", crop_boxes=(box,))})


def test_a_second_inspection_of_the_same_folders_can_undo_too(
    inspection: Inspection, measured: MeasuredFolder, tmp_path: Path
) -> None:
    inspection.decide(digests(inspection, "moon.png"))
    again = Inspection(measured, inspection.folder, inspection)
    assert again.undo() == "exclude moon.png"
    assert excluded(again) == set()
    inspection.decide(digests(inspection, "moon.png"))
    assert not Inspection(measured, PreparedFolder(tmp_path / "other"), inspection).undo_label


def test_a_decision_about_a_deleted_image_is_undone_without_it(
    inspection: Inspection, measured: MeasuredFolder
) -> None:
    inspection.decide(digests(inspection, "moon.png", "coffee.jpg"))
    fewer = replace(measured, images=tuple(one for one in measured.images if one.path.name != "moon.png"))
    assert Inspection(fewer, inspection.folder, inspection).undo() == "exclude 2 images"
    assert excluded(inspection) == {"moon.png"}


def test_suggested_images_are_excluded_and_none_is_lost_with_its_copy(inspection: Inspection) -> None:
    assert any(
        one.inspected.has("duplicate") for one in inspection.images(CONFIG) if one.name in ("brick.jpg", "copy.jpg")
    )
    inspection.decide(decisions.suggested_exclusions(inspection.images(CONFIG)))
    assert excluded(inspection) == {"camera 10.png", "moon.png", "retina.png"}
    assert decisions.suggested_exclusions(inspection.images(CONFIG)) == {}


def test_of_equal_files_the_first_is_used(inspection: Inspection) -> None:
    assert seen(inspection, "copy.jpg").copy_of == "brick.jpg"
    assert not seen(inspection, "copy.jpg").in_use
    assert seen(inspection, "brick.jpg").in_use
    plan = make_plan(PrepareConfig(source=str(inspection.measured.folder), output=str(inspection.folder.path)))
    assert {one.spec.item.path.name for one in plan.results} == set(NAMES) - {"copy.jpg"}


def test_a_decision_of_a_page_is_saved(inspection: Inspection) -> None:
    wanted = digests(inspection, "moon.png")
    text = json.dumps({"number": 7, "folders": inspection.folders_key, "images": wanted})
    assert decisions.save(inspection, decisions.read_message(text)) is inspection
    assert excluded(inspection) == {"moon.png"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": 1, "folders": "x", "images": 5}'])
def test_what_no_page_sends_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        decisions.read_message(text)


def test_a_page_of_another_inspection_is_refused(
    inspection: Inspection, measured: MeasuredFolder, tmp_path: Path
) -> None:
    wanted = digests(inspection, "moon.png")
    other = Inspection(measured, PreparedFolder(tmp_path / "other"))
    for now in (None, other):
        with pytest.raises(BadInput, match="another inspection"):
            decisions.save(now, decisions.ExclusionMessage("1", inspection.folders_key, wanted))
    with pytest.raises(BadInput, match="another inspection"):
        inspection.decide({"0" * 64: True})
    assert not inspection.folder.manifest.exists()


def test_a_damaged_manifest_is_reported_and_unchanged(inspection: Inspection) -> None:
    wanted = digests(inspection, "moon.png")
    inspection.folder.path.mkdir()
    inspection.folder.manifest.write_text("{")
    with pytest.raises(BadInput, match="is damaged"):
        inspection.decide(wanted)
    with pytest.raises(BadInput, match="is damaged"):
        view(inspection)
    assert inspection.folder.manifest.read_text() == "{"
    assert not inspection.undo_label


def test_a_list_of_names_decides_about_all(inspection: Inspection) -> None:
    inspection.decide(digests(inspection, EVIL, "moon.png"))
    text = decisions.write_names(inspection.images(CONFIG))
    assert text.splitlines() == [EVIL, "moon.png"]
    wanted = decisions.read_names(f"\n {EVIL} \ncoffee.jpg", inspection.images(CONFIG))
    assert inspection.decide(wanted) == 2
    assert excluded(inspection) == {EVIL, "coffee.jpg"}
    with pytest.raises(BadInput) as refused:
        decisions.read_names("nobody.jpg\ncoffee.jpg\nno one.png", inspection.images(CONFIG))
    assert len(refused.value.problems) == 2
    assert "'nobody.jpg'" in refused.value.problems[0]
