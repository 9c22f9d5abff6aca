"""Looking over found pictures: searched, in order, left out and taken in again; on real files and without Gradio."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import TaskContext
from lib_ti.config import InspectConfig, PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.inspect.measure_folder import MeasuredFolder, measure_folder
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset.inspect import state
from lib_ti.ui.dataset.inspect import view as view_html
from lib_ti.ui.dataset.inspect.columns import (
    BY_NAME,
    COLUMNS,
    ORDERS,
    TOGETHER,
    WORST_FIRST,
    direction,
    next_order,
    ordered,
)
from lib_ti.ui.dataset.inspect.listing import Listing, stamp
from lib_ti.ui.dataset.inspect.query import GALLERY, SIDE_BY_SIDE, TABLE, ListRequest, Query, counts
from lib_ti.ui.dataset.inspect.state import Inspection, ListedImage
from tests.fakes import FakeHost
from tests.prep.photographs import blur, brightness, noise, photograph, resize

EVIL = '"><script>alert(1)<&script>.jpg'
NAMES = [EVIL, "brick.jpg", "camera 2.jpg", "camera 10.png", "coffee.jpg", "copy.jpg", "moon.png", "retina.png"]
CONFIG = InspectConfig()


def task(**changes: Any) -> TaskContext:
    return TaskContext(lambda **_: None)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sharp picture and a blurred larger copy, the same file twice, a small one, a dark one, a grainy one."""
    folder = tmp_path_factory.mktemp("found")
    photograph("ihc").save(folder / EVIL, quality=92)
    photograph("brick").save(folder / "brick.jpg", quality=92)
    (folder / "copy.jpg").write_bytes((folder / "brick.jpg").read_bytes())
    photograph("camera").save(folder / "camera 2.jpg", quality=92)
    (folder / "camera 2.txt").write_text("a man with a camera")
    blur(6)(resize(1.2)(photograph("camera"))).save(folder / "camera 10.png")
    resize(0.4)(photograph("coffee")).save(folder / "coffee.jpg", quality=92)
    brightness(0.15)(photograph("moon")).save(folder / "moon.png")
    noise(45)(photograph("retina")).save(folder / "retina.png")
    (folder / "broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def measured(source: Path) -> MeasuredFolder:
    return measure_folder(source, progress=lambda done, total: None, stop=lambda: False)


@pytest.fixture
def folder(tmp_path: Path) -> PreparedFolder:
    return PreparedFolder(tmp_path / "prepared")


@pytest.fixture
def inspection(measured: MeasuredFolder, folder: PreparedFolder) -> Inspection:
    return Inspection(measured, folder)


def request(inspection: Inspection, **changes: Any) -> ListRequest:
    same = ListRequest(CONFIG, str(inspection.measured.folder), str(inspection.folder.path), GALLERY, BY_NAME, "")
    return replace(same, **changes)


def view(inspection: Inspection, **changes: Any) -> Listing:
    return Listing.of(inspection, request(inspection, **changes))


def names(pictures: Any) -> list[str]:
    return [seen.name for seen in pictures]


def seen(inspection: Inspection, name: str) -> ListedImage:
    return next(one for one in inspection.images(CONFIG) if one.name == name)


def digests(inspection: Inspection, *wanted: str, excluded: bool = True) -> dict[str, bool]:
    return {seen(inspection, name).digest: excluded for name in wanted}


def excluded(inspection: Inspection) -> set[str]:
    return {one.name for one in read_manifest(inspection.folder).edits.by_digest.values() if one.excluded}


# Looking


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


def test_folders_out_of_reach_are_refused(source: Path, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "mine",)
    with pytest.raises(BadInput) as refused:
        state.check_folders(host.folders, str(source), str(tmp_path / "prepared"))
    assert len(refused.value.problems) == 2


def test_thresholds_judge_anew_what_was_measured(inspection: Inspection) -> None:
    assert [issue.kind for issue in seen(inspection, "coffee.jpg").inspected.issues] == ["small"]
    generous = replace(CONFIG, small=9, blurry=0, noise=255, dark=0)
    assert inspection.report(generous).counts().keys().isdisjoint({"small", "blurry", "noise", "dark"})


# Deciding


def test_excluded_images_are_in_the_manifest_and_not_in_the_plan(inspection: Inspection) -> None:
    assert inspection.decide(digests(inspection, "moon.png", "retina.png")) == 2
    assert excluded(inspection) == {"moon.png", "retina.png"}
    assert [one.name for one in inspection.images(CONFIG) if one.excluded] == ["moon.png", "retina.png"]
    plan = make_plan(PrepareConfig(source=str(inspection.measured.folder), output=str(inspection.folder.path)))
    assert sorted(plan.excluded) == ["moon.png", "retina.png"]
    assert inspection.decide(digests(inspection, "moon.png")) == 0


def test_decisions_are_taken_back_one_by_one_and_others_stay(inspection: Inspection) -> None:
    moon = seen(inspection, "moon.png").digest
    frame = CropBox(0, 0, 0.5, 0.5)
    update_edits(inspection.folder, lambda edits: edits.with_image(moon, ImageEdits("moon.png", crop_boxes=(frame,))))
    inspection.decide(digests(inspection, "moon.png", "coffee.jpg"))
    inspection.decide({**digests(inspection, "retina.png"), **digests(inspection, "coffee.jpg", excluded=False)})
    assert excluded(inspection) == {"moon.png", "retina.png"}
    assert inspection.undo() == 2
    assert excluded(inspection) == {"moon.png", "coffee.jpg"}
    assert inspection.undo() == 2
    assert not inspection.can_undo
    assert inspection.undo() == 0
    assert read_manifest(inspection.folder).edits == Edits({moon: ImageEdits("moon.png", crop_boxes=(frame,))})


def test_a_second_inspection_of_the_same_folders_can_undo_too(
    inspection: Inspection, measured: MeasuredFolder, tmp_path: Path
) -> None:
    inspection.decide(digests(inspection, "moon.png"))
    again = Inspection(measured, inspection.folder, inspection)
    assert again.undo() == 1
    assert excluded(again) == set()
    inspection.decide(digests(inspection, "moon.png"))
    assert not Inspection(measured, PreparedFolder(tmp_path / "other"), inspection).can_undo


def test_a_decision_about_an_image_that_is_gone_is_undone_without_it(
    inspection: Inspection, measured: MeasuredFolder
) -> None:
    inspection.decide(digests(inspection, "moon.png", "coffee.jpg"))
    fewer = replace(measured, images=tuple(one for one in measured.images if one.path.name != "moon.png"))
    assert Inspection(fewer, inspection.folder, inspection).undo() == 2
    assert excluded(inspection) == {"moon.png"}


def test_suggested_images_are_excluded_and_none_is_lost_with_its_copy(inspection: Inspection) -> None:
    assert any(
        one.inspected.has("duplicate") for one in inspection.images(CONFIG) if one.name in ("brick.jpg", "copy.jpg")
    )
    inspection.decide(state.suggested_exclusions(inspection.images(CONFIG)))
    assert excluded(inspection) == {"camera 10.png", "moon.png", "retina.png"}
    assert state.suggested_exclusions(inspection.images(CONFIG)) == {}


def test_of_equal_files_the_first_is_used(inspection: Inspection) -> None:
    assert seen(inspection, "copy.jpg").copy_of == "brick.jpg"
    assert not seen(inspection, "copy.jpg").in_use
    assert seen(inspection, "brick.jpg").in_use
    plan = make_plan(PrepareConfig(source=str(inspection.measured.folder), output=str(inspection.folder.path)))
    assert {one.spec.item.path.name for one in plan.results} == set(NAMES) - {"copy.jpg"}


def test_what_a_page_sends_is_kept(inspection: Inspection) -> None:
    wanted = digests(inspection, "moon.png")
    text = json.dumps({"number": 7, "folders": inspection.folders_key, "images": wanted})
    assert state.save(inspection, state.read_message(text)) is inspection
    assert excluded(inspection) == {"moon.png"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": 1, "folders": "x", "images": 5}'])
def test_what_no_page_sends_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        state.read_message(text)


def test_a_page_of_another_inspection_is_refused(
    inspection: Inspection, measured: MeasuredFolder, tmp_path: Path
) -> None:
    wanted = digests(inspection, "moon.png")
    other = Inspection(measured, PreparedFolder(tmp_path / "other"))
    for now in (None, other):
        with pytest.raises(BadInput, match="another inspection"):
            state.save(now, state.ExclusionMessage("1", inspection.folders_key, wanted))
    with pytest.raises(BadInput, match="another inspection"):
        inspection.decide({"0" * 64: True})
    assert not inspection.folder.manifest.exists()


def test_a_damaged_manifest_is_said_and_left_alone(inspection: Inspection) -> None:
    wanted = digests(inspection, "moon.png")
    inspection.folder.path.mkdir()
    inspection.folder.manifest.write_text("{")
    with pytest.raises(BadInput, match="is damaged"):
        inspection.decide(wanted)
    with pytest.raises(BadInput, match="is damaged"):
        view(inspection)
    assert inspection.folder.manifest.read_text() == "{"
    assert not inspection.can_undo


def test_a_list_of_names_decides_about_all(inspection: Inspection) -> None:
    inspection.decide(digests(inspection, EVIL, "moon.png"))
    text = state.write_names(inspection.images(CONFIG))
    assert text.splitlines() == [EVIL, "moon.png"]
    wanted = state.read_names(f"\n {EVIL} \ncoffee.jpg", inspection.images(CONFIG))
    assert inspection.decide(wanted) == 2
    assert excluded(inspection) == {EVIL, "coffee.jpg"}
    with pytest.raises(BadInput) as refused:
        state.read_names("nobody.jpg\ncoffee.jpg\nno one.png", inspection.images(CONFIG))
    assert len(refused.value.problems) == 2
    assert "'nobody.jpg'" in refused.value.problems[0]


# Order and search


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (BY_NAME, EVIL),
        ("no such order", EVIL),
        ("smallest first", "coffee.jpg"),
        ("blurriest first", "camera 10.png"),
        ("most noise first", "retina.png"),
        ("darkest first", "moon.png"),
        (TOGETHER, "brick.jpg"),
    ],
)
def test_orders_begin_with_what_they_say(inspection: Inspection, order: str, first: str) -> None:
    assert names(ordered(inspection.images(CONFIG), order))[0] == first


def test_each_measure_has_two_orders_that_are_each_others_reverse(inspection: Inspection) -> None:
    pictures = [one for one in inspection.images(CONFIG) if not one.copy_of]  # equal ones keep their order
    for column in COLUMNS:
        values = [[column.value(one.inspected) for one in ordered(pictures, order)] for order in column.orders]
        assert values[0] == values[1][::-1]
        assert values[0] == sorted(values[0], reverse=not column.low_is_bad)
    assert len(set(ORDERS)) == len(ORDERS)


def test_those_with_most_against_them_come_first(inspection: Inspection) -> None:
    pictures = ordered(inspection.images(CONFIG), WORST_FIRST)
    against = [sum(issue.advice == "exclude" for issue in one.inspected.issues) for one in pictures]
    assert against == sorted(against, reverse=True)
    assert against[0] > against[-1] == 0


def test_heads_of_columns_turn_the_order() -> None:
    assert next_order(BY_NAME, "noise") == "most noise first"
    assert next_order("most noise first", "noise") == "least noise first"
    assert next_order("least noise first", "noise") == "most noise first"
    assert next_order("most noise first", "name") == BY_NAME
    assert next_order("most noise first", "nothing") == "most noise first"
    assert direction("most noise first", "noise") == "descending"
    assert direction("blurriest first", "sharpness") == "ascending"
    assert direction("blurriest first", "noise") == ""
    assert direction(BY_NAME, "name") == "ascending"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", NAMES),
        (" , ", NAMES),
        ("dark", ["moon.png"]),
        ("Noise , DARK", ["moon.png", "retina.png"]),
        ("dark, in use", []),
        ("excluded", ["moon.png"]),
        ("noise, dark, in use", ["retina.png"]),
        ("near-duplicates", ["brick.jpg", "camera 2.jpg", "camera 10.png", "copy.jpg"]),
        ("group 2", ["camera 2.jpg", "camera 10.png"]),
        ("group 22", []),
        ("CAMERA", ["camera 2.jpg", "camera 10.png"]),
        ("camera, moon", ["camera 2.jpg", "camera 10.png", "moon.png"]),
        ("camera, not good", ["camera 10.png"]),
        ("no caption, camera", ["camera 10.png"]),
        ("nobody", []),
    ],
)
def test_a_search_finds(inspection: Inspection, text: str, found: list[str]) -> None:
    inspection.decide(digests(inspection, "moon.png"))
    assert names(view(inspection, find=text).shown) == found


def test_words_are_added_and_taken_out() -> None:
    query = Query.of(" dark,moon ,, Dark ")
    assert query.terms == ("dark", "moon", "Dark")
    assert query.has("DARK")
    assert str(query.toggled("noise")) == "dark, moon, Dark, noise"
    assert str(query.toggled("dark")) == "moon"


def test_words_are_counted(inspection: Inspection) -> None:
    found = counts(inspection.images(CONFIG))
    assert found["good"] + found["not good"] == len(NAMES)
    assert (found["dark"], found["noise"], found["near-duplicates"], found["no caption"]) == (1, 1, 4, 7)
    assert (found["in use"], found["excluded"]) == (7, 0)


# What is shown


def test_every_image_is_shown_once_and_names_are_text(inspection: Inspection) -> None:
    inspection.decide(digests(inspection, "moon.png"))
    for layout in (GALLERY, TABLE):
        html = view_html.images(view(inspection, layout=layout))
        assert re.findall('data-digest="([0-9a-f]{64})"', html) == [one.digest for one in inspection.images(CONFIG)]
        assert "<script" not in html
        assert html.count('role="switch"') == len(NAMES) - 1
        assert html.count('aria-checked="false"') == 1
        assert "Same file as brick.jpg" in html
        assert html.count("ti-is-excluded") == 2


def test_a_number_is_marked_where_a_badge_speaks_of_it(inspection: Inspection) -> None:
    row = next(row for row in view_html.images(view(inspection, layout=TABLE)).split("<tr") if "moon.png" in row)
    brightness_now = next(column for column in COLUMNS if column.key == "brightness").text(
        seen(inspection, "moon.png").inspected
    )
    assert f'<td class="ti-marked-exclude">{brightness_now}</td>' in row
    assert row.count("ti-marked-") == len({issue.kind for issue in seen(inspection, "moon.png").inspected.issues})


def test_heads_say_how_the_table_is_sorted(inspection: Inspection) -> None:
    html = view_html.images(view(inspection, layout=TABLE, order="most noise first"))
    assert re.findall('aria-sort="([a-z]+)"><button type="button" data-sort="([a-z]+)"', html) == [
        ("descending", "noise")
    ]


def test_groups_are_shown_whole_side_by_side_the_best_first(inspection: Inspection) -> None:
    now = view(inspection, layout=SIDE_BY_SIDE, find="blurry")
    assert names(now.shown) == ["camera 2.jpg", "camera 10.png"]
    html = view_html.images(now)
    assert html.count("<section") == 1
    assert html.index("camera 2.jpg") < html.index("camera 10.png")
    assert html.count("Use only this one") == 2
    # Of equal files there is one to use.
    assert "Use only this one" not in view_html.images(view(inspection, layout=SIDE_BY_SIDE, find="group 1"))


def test_where_nothing_fits_a_sentence_says_so(inspection: Inspection) -> None:
    assert "No image matches “&lt;b&gt;”" in view_html.images(view(inspection, find="<b>"))
    assert "No two images that match “dark” are near-duplicates" in view_html.images(
        view(inspection, find="dark", layout=SIDE_BY_SIDE)
    )


def test_the_summary_has_advice_words_and_what_cannot_be_used(inspection: Inspection) -> None:
    html = view_html.summary(view(inspection, find="dark"))
    assert inspection.report(CONFIG).advice[0] in html
    assert "broken.jpg cannot be used" in html
    assert "7 of 7 images are in use, 0 excluded." in html
    assert re.findall('data-word="([^"]+)" data-find="([^"]*)" aria-pressed="true"', html) == [("dark", "")]
    assert 'data-word="noise" data-find="dark, noise" aria-pressed="false"' in html
    assert 'data-word="shaken"' not in html


def test_other_folders_in_the_fields_are_remarked(inspection: Inspection) -> None:
    assert view(inspection).remark == ""
    assert view(inspection, output=" ").remark == ""
    assert view(inspection, source="", output="").remark.endswith("which was inspected last.")
    assert "press “Inspect”" in view(inspection, source="", output="elsewhere").remark
    assert "press “Inspect”" in view(inspection, source="elsewhere").remark
    assert "press “Inspect”" in view_html.summary(view(inspection, output="elsewhere"))


def test_a_page_is_made_anew_when_something_changed_and_only_then(inspection: Inspection) -> None:
    first = stamp(inspection, request(inspection))
    assert stamp(inspection, request(inspection)) == first
    assert stamp(inspection, request(inspection, find="dark")) != first
    assert stamp(inspection, request(inspection, config=replace(CONFIG, dark=5))) != first
    inspection.decide(digests(inspection, "moon.png"))
    assert stamp(inspection, request(inspection)) != first


def test_an_empty_folder_is_said(tmp_path: Path, folder: PreparedFolder) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    inspection = state.inspect(empty, folder, CONFIG, task())
    assert "There is no readable image here" in view_html.summary(view(inspection))
    assert "img" not in view_html.images(view(inspection))


def test_answers_carry_the_number_of_the_message() -> None:
    assert 'data-saved="7"' in view_html.saved("7")
    refused = view_html.refused('"7', "no")
    assert 'data-saved="&quot;7"' in refused
    assert 'data-failed="yes"' in refused
