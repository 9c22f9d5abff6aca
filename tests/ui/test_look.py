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
from lib_ti.ui.dataset import look_page, look_work
from lib_ti.ui.dataset.look_columns import BY_NAME, COLUMNS, ORDERS, TOGETHER, WORST_FIRST, direction, ordered, turned
from lib_ti.ui.dataset.look_query import BESIDE, GALLERY, TABLE, Asked, Query, counts
from lib_ti.ui.dataset.look_view import View, stamp
from lib_ti.ui.dataset.look_work import LookedOver, Seen
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
def looks(source: Path) -> MeasuredFolder:
    return measure_folder(source, progress=lambda done, total: None, stop=lambda: False)


@pytest.fixture
def folder(tmp_path: Path) -> PreparedFolder:
    return PreparedFolder(tmp_path / "prepared")


@pytest.fixture
def looked(looks: MeasuredFolder, folder: PreparedFolder) -> LookedOver:
    return LookedOver(looks, folder)


def asked(looked: LookedOver, **changes: Any) -> Asked:
    same = Asked(CONFIG, str(looked.looks.folder), str(looked.folder.path), GALLERY, BY_NAME, "")
    return replace(same, **changes)


def view(looked: LookedOver, **changes: Any) -> View:
    return View.of(looked, asked(looked, **changes))


def names(pictures: Any) -> list[str]:
    return [seen.name for seen in pictures]


def seen(looked: LookedOver, name: str) -> Seen:
    return next(one for one in looked.pictures(CONFIG) if one.name == name)


def digests(looked: LookedOver, *wanted: str, excluded: bool = True) -> dict[str, bool]:
    return {seen(looked, name).digest: excluded for name in wanted}


def excluded(looked: LookedOver) -> set[str]:
    return {one.name for one in read_manifest(looked.folder).edits.by_digest.values() if one.excluded}


# Looking


def test_all_pictures_are_looked_at_and_kept_for_the_next_look(source: Path, folder: PreparedFolder) -> None:
    before = sorted(path.name for path in source.iterdir())
    found = look_work.look(source, folder, CONFIG, task())
    assert names(found.pictures(CONFIG)) == NAMES
    assert [one.path.name for one in found.looks.skipped] == ["broken.jpg"]
    assert list(folder.inspection.iterdir())
    assert sorted(path.name for path in source.iterdir()) == before


def test_a_look_is_stopped(source: Path, folder: PreparedFolder) -> None:
    stopping = task()
    stopping.control.stop()
    with pytest.raises(Stopped):
        look_work.look(source, folder, CONFIG, stopping)


def test_folders_are_checked_before_anything_is_looked_at(source: Path, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    assert look_work.folders(host.folders, f" {source} ", str(tmp_path / "prepared")) == (
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
            look_work.folders(host.folders, found, prepared)
    assert not (source / "preparation.json").exists()


def test_folders_out_of_reach_are_refused(source: Path, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "mine",)
    with pytest.raises(BadInput) as refused:
        look_work.folders(host.folders, str(source), str(tmp_path / "prepared"))
    assert len(refused.value.problems) == 2


def test_thresholds_judge_anew_what_was_measured(looked: LookedOver) -> None:
    assert [issue.kind for issue in seen(looked, "coffee.jpg").judged.issues] == ["small"]
    generous = replace(CONFIG, small=9, blurry=0, noise=255, dark=0)
    assert looked.report(generous).counts().keys().isdisjoint({"small", "blurry", "noise", "dark"})


# Deciding


def test_what_is_left_out_is_in_the_manifest_and_left_out_of_the_plan(looked: LookedOver) -> None:
    assert looked.decide(digests(looked, "moon.png", "retina.png")) == 2
    assert excluded(looked) == {"moon.png", "retina.png"}
    assert [one.name for one in looked.pictures(CONFIG) if one.excluded] == ["moon.png", "retina.png"]
    plan = make_plan(PrepareConfig(source=str(looked.looks.folder), output=str(looked.folder.path)))
    assert sorted(plan.excluded) == ["moon.png", "retina.png"]
    assert looked.decide(digests(looked, "moon.png")) == 0


def test_decisions_are_taken_back_one_by_one_and_others_stay(looked: LookedOver) -> None:
    moon = seen(looked, "moon.png").digest
    frame = CropBox(0, 0, 0.5, 0.5)
    update_edits(looked.folder, lambda edits: edits.with_image(moon, ImageEdits("moon.png", crop_boxes=(frame,))))
    looked.decide(digests(looked, "moon.png", "coffee.jpg"))
    looked.decide({**digests(looked, "retina.png"), **digests(looked, "coffee.jpg", excluded=False)})
    assert excluded(looked) == {"moon.png", "retina.png"}
    assert looked.undo() == 2
    assert excluded(looked) == {"moon.png", "coffee.jpg"}
    assert looked.undo() == 2
    assert not looked.can_undo
    assert looked.undo() == 0
    assert read_manifest(looked.folder).edits == Edits({moon: ImageEdits("moon.png", crop_boxes=(frame,))})


def test_a_second_look_at_the_same_folders_can_undo_too(
    looked: LookedOver, looks: MeasuredFolder, tmp_path: Path
) -> None:
    looked.decide(digests(looked, "moon.png"))
    again = LookedOver(looks, looked.folder, looked)
    assert again.undo() == 1
    assert excluded(again) == set()
    looked.decide(digests(looked, "moon.png"))
    assert not LookedOver(looks, PreparedFolder(tmp_path / "other"), looked).can_undo


def test_a_decision_about_a_picture_that_is_gone_is_undone_without_it(
    looked: LookedOver, looks: MeasuredFolder
) -> None:
    looked.decide(digests(looked, "moon.png", "coffee.jpg"))
    fewer = replace(looks, images=tuple(one for one in looks.images if one.path.name != "moon.png"))
    assert LookedOver(fewer, looked.folder, looked).undo() == 2
    assert excluded(looked) == {"moon.png"}


def test_what_is_advised_is_left_out_and_no_picture_is_lost_with_its_copy(looked: LookedOver) -> None:
    assert any(one.judged.has("duplicate") for one in looked.pictures(CONFIG) if one.name in ("brick.jpg", "copy.jpg"))
    looked.decide(look_work.advised(looked.pictures(CONFIG)))
    assert excluded(looked) == {"camera 10.png", "moon.png", "retina.png"}
    assert look_work.advised(looked.pictures(CONFIG)) == {}


def test_of_equal_files_the_first_is_used(looked: LookedOver) -> None:
    assert seen(looked, "copy.jpg").copy_of == "brick.jpg"
    assert not seen(looked, "copy.jpg").in_use
    assert seen(looked, "brick.jpg").in_use
    plan = make_plan(PrepareConfig(source=str(looked.looks.folder), output=str(looked.folder.path)))
    assert {one.spec.item.path.name for one in plan.results} == set(NAMES) - {"copy.jpg"}


def test_what_a_page_sends_is_kept(looked: LookedOver) -> None:
    wanted = digests(looked, "moon.png")
    text = json.dumps({"number": 7, "place": looked.place, "pictures": wanted})
    assert look_work.keep(looked, look_work.read_changes(text)) is looked
    assert excluded(looked) == {"moon.png"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"number": 1, "place": "x", "pictures": 5}'])
def test_what_no_page_sends_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="load the page again"):
        look_work.read_changes(text)


def test_a_page_of_another_look_is_refused(looked: LookedOver, looks: MeasuredFolder, tmp_path: Path) -> None:
    wanted = digests(looked, "moon.png")
    other = LookedOver(looks, PreparedFolder(tmp_path / "other"))
    for now in (None, other):
        with pytest.raises(BadInput, match="another look"):
            look_work.keep(now, look_work.Changes("1", looked.place, wanted))
    with pytest.raises(BadInput, match="another look"):
        looked.decide({"0" * 64: True})
    assert not looked.folder.manifest.exists()


def test_a_damaged_manifest_is_said_and_left_alone(looked: LookedOver) -> None:
    wanted = digests(looked, "moon.png")
    looked.folder.path.mkdir()
    looked.folder.manifest.write_text("{")
    with pytest.raises(BadInput, match="is damaged"):
        looked.decide(wanted)
    with pytest.raises(BadInput, match="is damaged"):
        view(looked)
    assert looked.folder.manifest.read_text() == "{"
    assert not looked.can_undo


def test_a_list_of_names_decides_about_all(looked: LookedOver) -> None:
    looked.decide(digests(looked, EVIL, "moon.png"))
    text = look_work.write_names(looked.pictures(CONFIG))
    assert text.splitlines() == [EVIL, "moon.png"]
    wanted = look_work.read_names(f"\n {EVIL} \ncoffee.jpg", looked.pictures(CONFIG))
    assert looked.decide(wanted) == 2
    assert excluded(looked) == {EVIL, "coffee.jpg"}
    with pytest.raises(BadInput) as refused:
        look_work.read_names("nobody.jpg\ncoffee.jpg\nno one.png", looked.pictures(CONFIG))
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
        ("grainiest first", "retina.png"),
        ("darkest first", "moon.png"),
        (TOGETHER, "brick.jpg"),
    ],
)
def test_orders_begin_with_what_they_say(looked: LookedOver, order: str, first: str) -> None:
    assert names(ordered(looked.pictures(CONFIG), order))[0] == first


def test_each_measure_has_two_orders_that_are_each_others_reverse(looked: LookedOver) -> None:
    pictures = [one for one in looked.pictures(CONFIG) if not one.copy_of]  # equal ones keep their order
    for column in COLUMNS:
        values = [[column.value(one.judged) for one in ordered(pictures, order)] for order in column.orders]
        assert values[0] == values[1][::-1]
        assert values[0] == sorted(values[0], reverse=not column.low_is_bad)
    assert len(set(ORDERS)) == len(ORDERS)


def test_those_with_most_against_them_come_first(looked: LookedOver) -> None:
    pictures = ordered(looked.pictures(CONFIG), WORST_FIRST)
    against = [sum(issue.advice == "exclude" for issue in one.judged.issues) for one in pictures]
    assert against == sorted(against, reverse=True)
    assert against[0] > against[-1] == 0


def test_heads_of_columns_turn_the_order() -> None:
    assert turned(BY_NAME, "grain") == "grainiest first"
    assert turned("grainiest first", "grain") == "least grain first"
    assert turned("least grain first", "grain") == "grainiest first"
    assert turned("grainiest first", "name") == BY_NAME
    assert turned("grainiest first", "nothing") == "grainiest first"
    assert direction("grainiest first", "grain") == "descending"
    assert direction("blurriest first", "sharpness") == "ascending"
    assert direction("blurriest first", "grain") == ""
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
def test_a_search_finds(looked: LookedOver, text: str, found: list[str]) -> None:
    looked.decide(digests(looked, "moon.png"))
    assert names(view(looked, find=text).shown) == found


def test_words_are_added_and_taken_out() -> None:
    query = Query.of(" dark,moon ,, Dark ")
    assert query.terms == ("dark", "moon", "Dark")
    assert query.has("DARK")
    assert str(query.turned("noise")) == "dark, moon, Dark, noise"
    assert str(query.turned("dark")) == "moon"


def test_words_are_counted(looked: LookedOver) -> None:
    found = counts(looked.pictures(CONFIG))
    assert found["good"] + found["not good"] == len(NAMES)
    assert (found["dark"], found["noise"], found["near-duplicates"], found["no caption"]) == (1, 1, 4, 7)
    assert (found["in use"], found["excluded"]) == (7, 0)


# What is shown


def test_every_picture_is_shown_once_and_names_are_text(looked: LookedOver) -> None:
    looked.decide(digests(looked, "moon.png"))
    for layout in (GALLERY, TABLE):
        html = look_page.pictures(view(looked, layout=layout))
        assert re.findall('data-digest="([0-9a-f]{64})"', html) == [one.digest for one in looked.pictures(CONFIG)]
        assert "<script" not in html
        assert html.count('role="switch"') == len(NAMES) - 1
        assert html.count('aria-checked="false"') == 1
        assert "The same file as brick.jpg" in html
        assert html.count("ti-left-out") == 2


def test_a_number_is_marked_where_a_badge_speaks_of_it(looked: LookedOver) -> None:
    row = next(row for row in look_page.pictures(view(looked, layout=TABLE)).split("<tr") if "moon.png" in row)
    brightness_now = next(column for column in COLUMNS if column.key == "brightness").text(
        seen(looked, "moon.png").judged
    )
    assert f'<td class="ti-marked-out">{brightness_now}</td>' in row
    assert row.count("ti-marked-") == len({issue.kind for issue in seen(looked, "moon.png").judged.issues})


def test_heads_say_how_the_table_is_sorted(looked: LookedOver) -> None:
    html = look_page.pictures(view(looked, layout=TABLE, order="grainiest first"))
    assert re.findall('aria-sort="([a-z]+)"><button type="button" data-sort="([a-z]+)"', html) == [
        ("descending", "grain")
    ]


def test_groups_are_shown_whole_side_by_side_the_best_first(looked: LookedOver) -> None:
    now = view(looked, layout=BESIDE, find="blurry")
    assert names(now.shown) == ["camera 2.jpg", "camera 10.png"]
    html = look_page.pictures(now)
    assert html.count("<section") == 1
    assert html.index("camera 2.jpg") < html.index("camera 10.png")
    assert html.count("Use only this one") == 2
    # Of equal files there is one to use.
    assert "Use only this one" not in look_page.pictures(view(looked, layout=BESIDE, find="group 1"))


def test_where_nothing_fits_a_sentence_says_so(looked: LookedOver) -> None:
    assert "No picture fits “&lt;b&gt;”" in look_page.pictures(view(looked, find="<b>"))
    assert "No two of the pictures that fit “dark” show the same" in look_page.pictures(
        view(looked, find="dark", layout=BESIDE)
    )


def test_the_summary_has_advice_words_and_what_cannot_be_used(looked: LookedOver) -> None:
    html = look_page.summary(view(looked, find="dark"))
    assert looked.report(CONFIG).advice[0] in html
    assert "broken.jpg cannot be used" in html
    assert "7 of 7 pictures are in use, 0 excluded." in html
    assert re.findall('data-word="([^"]+)" data-find="([^"]*)" aria-pressed="true"', html) == [("dark", "")]
    assert 'data-word="noise" data-find="dark, noise" aria-pressed="false"' in html
    assert 'data-word="shaken"' not in html


def test_other_folders_in_the_fields_are_remarked(looked: LookedOver) -> None:
    assert view(looked).remark == ""
    assert view(looked, output=" ").remark == ""
    assert view(looked, source="", output="").remark.endswith("which was looked over last.")
    assert "press “Look over”" in view(looked, source="", output="elsewhere").remark
    assert "press “Look over”" in view(looked, source="elsewhere").remark
    assert "press “Look over”" in look_page.summary(view(looked, output="elsewhere"))


def test_a_page_is_made_anew_when_something_changed_and_only_then(looked: LookedOver) -> None:
    first = stamp(looked, asked(looked))
    assert stamp(looked, asked(looked)) == first
    assert stamp(looked, asked(looked, find="dark")) != first
    assert stamp(looked, asked(looked, config=replace(CONFIG, dark=5))) != first
    looked.decide(digests(looked, "moon.png"))
    assert stamp(looked, asked(looked)) != first


def test_an_empty_folder_is_said(tmp_path: Path, folder: PreparedFolder) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    looked = look_work.look(empty, folder, CONFIG, task())
    assert "There is no readable image here" in look_page.summary(view(looked))
    assert "img" not in look_page.pictures(view(looked))


def test_answers_carry_the_number_of_the_message() -> None:
    assert 'data-saved="7"' in look_page.kept("7")
    refused = look_page.refused('"7', "no")
    assert 'data-saved="&quot;7"' in refused
    assert 'data-failed="yes"' in refused
