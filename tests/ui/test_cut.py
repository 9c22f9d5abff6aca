"""Frames on the found pictures: looked for, kept, read as text, and shown; on real files and without Gradio."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset import cut_page, cut_work
from lib_ti.ui.dataset.cut_text import read_lines, write_lines
from lib_ti.ui.dataset.cut_work import Framed, FramedSet
from tests.fakes import FakeHost

EVIL = '"><script>alert(1)</script>.png'


def task() -> TaskContext:
    return TaskContext(lambda **_: None)


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    """Two photographs, 451×300 and 600×400, one that is square, and a broken file."""
    source = tmp_path / "found"
    source.mkdir()
    Image.fromarray(skimage.data.chelsea()).save(source / "cat.jpg", quality=95)
    Image.fromarray(skimage.data.coffee()).save(source / "10 coffee.png")
    Image.fromarray(skimage.data.coffee()[:200, :200]).save(source / "2 corner.png")
    (source / "broken.jpg").write_bytes(b"no picture")
    return PrepareConfig(source=str(source), output=str(tmp_path / "prepared"), width=256, height=256)


@pytest.fixture
def found(config: PrepareConfig) -> FramedSet:
    return cut_work.find(config, (), task())


def picture(found: FramedSet, name: str) -> Framed:
    return next(one for one in found.pictures if one.name == name)


def sent(found: FramedSet, name: str, frames: list[list[float]], *, excluded: bool = False, **changes: Any) -> str:
    """A message as the page's script sends it."""
    decision = {"name": name, "left_out": excluded, "frames": frames}
    pictures = {digest(found, name): decision}
    folders = {"source": found.config.source, "folder": str(found.folder.path)}
    return json.dumps({"number": "17", **folders, "pictures": pictures, **changes})


def digest(found: FramedSet, name: str) -> str:
    return picture(found, name).item.digest


# Looking for frames


def test_pictures_come_in_natural_order_and_what_cannot_be_used_is_listed(found: FramedSet) -> None:
    assert [one.name for one in found.pictures] == ["2 corner.png", "10 coffee.png", "cat.jpg"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("broken.jpg", "it is not an image of a known kind")
    ]


def test_frames_belong_to_the_folder_that_a_page_names(config: PrepareConfig, found: FramedSet, tmp_path: Path) -> None:
    for same in (config.source, f' "{config.source}/" ', ""):
        assert found.is_of(same)
    assert not found.is_of(str(tmp_path / "other"))


def test_default_frames_are_those_that_prepare_uses(config: PrepareConfig, found: FramedSet) -> None:
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    made = {one.source: one.crop_box for one in read_manifest(found.folder).results}
    assert len(made) == 3
    for one in found.pictures:
        (default,) = one.default
        frame = made[one.name]
        assert frame is not None
        assert default.pixels(one.item.source_size) == frame.pixels(one.item.source_size)


def test_long_pictures_have_a_frame_for_each_part(config: PrepareConfig) -> None:
    Image.new("RGB", (900, 200), "red").save(Path(config.source) / "long.png")
    found = cut_work.find(PrepareConfig(**{**vars(config), "split": True}), (), task())
    assert len(picture(found, "long.png").default) == 6


def test_the_same_settings_look_at_no_picture_again(config: PrepareConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cut_work.find(config, (), task())
    looked_at: list[str] = []
    original = cut_work.proposed_crop_boxes

    def counted(item: Any, *args: Any) -> Any:
        looked_at.append(item.path.name)
        return original(item, *args)

    monkeypatch.setattr(cut_work, "proposed_crop_boxes", counted)
    Image.fromarray(skimage.data.coffee()[:, ::-1]).save(Path(config.source) / "new.png")
    second = cut_work.find(config, (), task(), first)
    assert looked_at == ["new.png"]
    assert picture(second, "cat.jpg").default == picture(first, "cat.jpg").default
    other = PrepareConfig(**{**vars(config), "width": 512})
    assert not second.fits(other)
    cut_work.find(other, (), task(), second)
    assert len(looked_at) == 5


def test_progress_is_told_and_stopping_is_heard(config: PrepareConfig) -> None:
    seen: list[dict[str, Any]] = []
    cut_work.find(config, (), TaskContext(lambda **changes: seen.append(changes)))
    assert {"done": 0, "total": 3} in seen
    assert {"done": 3, "total": 3} in seen
    asked = task()
    asked.control.stop()
    with pytest.raises(Stopped, match="stopped after 1 of 3 pictures"):
        cut_work.find(config, (), asked)


# Keeping what was decided


def test_what_a_page_sends_is_in_the_next_plan(config: PrepareConfig, found: FramedSet) -> None:
    host = FakeHost(Path(config.source).parent)
    two = [[0, 0, 0.5, 0.75], [0.4, 0.25, 0.5, 0.75]]
    for message in (sent(found, "10 coffee.png", two), sent(found, "cat.jpg", [], excluded=True)):
        cut_work.keep(host.folders, cut_work.read_changes(message))
    plan = make_plan(config)
    assert plan.excluded == ("cat.jpg",)
    sizes = [one.spec.crop_size for one in plan.results if one.spec.item.path.name == "10 coffee.png"]
    assert sizes == [(300, 300)] * 2


def test_default_frames_again_leave_no_decision(config: PrepareConfig, found: FramedSet) -> None:
    host = FakeHost(Path(config.source).parent)
    cut_work.keep(host.folders, cut_work.read_changes(sent(found, "cat.jpg", [[0, 0, 0.5, 0.5]])))
    edits = cut_work.keep(host.folders, cut_work.read_changes(sent(found, "cat.jpg", [])))
    assert edits == Edits()


def test_frames_leave_what_was_region_from_json(found: FramedSet) -> None:
    erased = RemovedRegion("abc", (0, 0, 9, 9), "telea")
    key = digest(found, "cat.jpg")
    update_edits(
        found.folder,
        lambda edits: edits.with_image(key, ImageEdits("cat.jpg", excluded=True, removed_regions=(erased,))),
    )
    edits = cut_work.decide(found.folder, {key: ImageEdits("cat.jpg", crop_boxes=(CropBox(0, 0, 0.5, 0.5),))})
    assert edits.by_digest[key] == ImageEdits(
        "cat.jpg", crop_boxes=(CropBox(0, 0, 0.5, 0.5),), removed_regions=(erased,)
    )


def test_a_frame_is_cut_at_the_edge_that_rounding_took_it_over(found: FramedSet) -> None:
    changes = cut_work.read_changes(sent(found, "cat.jpg", [[-0.000001, 0.333334, 1.000002, 0.666667]]))
    (frame,) = changes.decisions[digest(found, "cat.jpg")].crop_boxes
    assert (frame.x, frame.width, frame.y + frame.height) == (0, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"pictures": {"../../etc": {"name": "a", "left_out": False, "frames": []}}},
        {"pictures": {"a" * 64: {"name": "a", "left_out": False, "frames": [[0, 0, 1]]}}},
        {"pictures": {"a" * 64: {"name": "a", "left_out": False, "frames": [[0, 0, "x", 1]]}}},
        {"pictures": {"a" * 64: {"name": "a", "left_out": False, "frames": [[0.5, 0, 0, 1]]}}},
        {"pictures": {"a" * 64: {"name": "a", "left_out": False, "frames": [[float("nan"), 0, 1, 1]]}}},
        {"pictures": []},
    ],
)
def test_what_is_no_message_is_refused(found: FramedSet, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="load the page again"):
        cut_work.read_changes(sent(found, "cat.jpg", [], **change))
    for text in ("", "[]", "{", "7"):
        with pytest.raises(BadInput, match="load the page again"):
            cut_work.read_changes(text)


def test_a_page_writes_only_where_it_may(found: FramedSet, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "elsewhere",)
    with pytest.raises(BadInput, match="outside the folders"):
        cut_work.keep(host.folders, cut_work.read_changes(sent(found, "cat.jpg", [[0, 0, 1, 1]])))
    assert not found.folder.manifest.exists()


# As text


def edited(found: FramedSet) -> Edits:
    return cut_work.decide(
        found.folder,
        {
            digest(found, "cat.jpg"): ImageEdits(
                "cat.jpg", crop_boxes=(CropBox(0.1, 0.1, 0.4, 0.6), CropBox(0.333333, 0, 0.5, 0.75))
            ),
            digest(found, "2 corner.png"): ImageEdits("2 corner.png", excluded=True),
        },
    )


def test_frames_as_text_have_a_line_for_each_picture(found: FramedSet) -> None:
    lines = write_lines(found, edited(found)).splitlines()
    assert lines[0] == "2 corner.png: excluded"
    assert re.fullmatch(r"# 10 coffee\.png: \d+ 0 400 400", lines[1])
    assert lines[2] == "cat.jpg: 45 30 180 180; 150 0 226 225"


def test_lines_that_nobody_changed_change_nothing(found: FramedSet) -> None:
    edits = edited(found)
    before = found.folder.manifest.read_bytes()
    assert cut_work.decide(found.folder, read_lines(write_lines(found, edits), found, edits)) == edits
    assert found.folder.manifest.read_bytes() == before


def test_lines_decide_about_the_pictures_that_they_name(found: FramedSet) -> None:
    text = "\n# cat.jpg: 0 0 300 300\n2 corner.png: Excluded; 0, 0, 100, 100\n"
    decisions = read_lines(text, found, edited(found))
    assert decisions == {
        digest(found, "cat.jpg"): ImageEdits("cat.jpg"),
        digest(found, "2 corner.png"): ImageEdits("2 corner.png", excluded=True, crop_boxes=(CropBox(0, 0, 0.5, 0.5),)),
    }


def test_all_lines_that_are_wrong_are_told(found: FramedSet) -> None:
    text = "cat.jpg: 0 0 500 100\nno.png: excluded\ncat.jpg: 0 0 ten 10\njust words\ncat.jpg: 0 0 --1 5"
    with pytest.raises(BadInput) as caught:
        read_lines(text, found, Edits())
    assert caught.value.problems == (
        "Line 1: the frame 0 0 500 100 is not within cat.jpg, which is 451×300.",
        "Line 2: there is no picture 'no.png' in the source folder; check its name.",
        "Line 3: '0 0 ten 10' is no frame; write left top width height in whole pixels, or excluded.",
        "Line 4: 'just words' has no colon; write a picture's name, a colon, and left top width height.",
        "Line 5: '0 0 --1 5' is no frame; write left top width height in whole pixels, or excluded.",
    )


# The page


def test_the_grid_shows_frames_where_they_are_and_how_large(found: FramedSet) -> None:
    page = cut_page.grid(found, edited(found))
    cards = re.findall(r'<figure class="ti-card([^"]*)"[^>]*data-name="([^"]*)"', page)
    assert cards == [(" ti-left-out", "2 corner.png"), ("", "10 coffee.png"), ("", "cat.jpg")]
    cat = page[page.index('data-name="cat.jpg"') :]
    assert cat.count('class="ti-frame ti-small"') == 2  # by hand, and smaller than 256 × 256
    assert 'data-frame="0.100443 0.100000 0.399113 0.600000"' in cat  # of the shape that is trained
    assert "180×180<b" in cat
    assert "×1.42</b>" in cat  # 256 / 180
    assert '<div class="ti-frame ti-default" tabindex="0"' in page
    assert "Files that cannot be used (1)" in page


def test_frames_of_any_shape_are_shown_as_the_bucket_that_they_become(config: PrepareConfig) -> None:
    found = cut_work.find(PrepareConfig(**{**vars(config), "shape": "buckets"}), (), task())
    edits = cut_work.decide(
        found.folder, {digest(found, "cat.jpg"): ImageEdits("cat.jpg", crop_boxes=(CropBox(0, 0, 1, 0.6),))}
    )
    page = cut_page.grid(found, edits)
    assert "352x160" in page.split('data-buckets="')[1].split('"')[0].split()
    plan = make_plan(found.config)
    cut = next(one.spec.crop_size for one in plan.results if one.spec.item.path.name == "cat.jpg")
    assert f"{cut[0]}×{cut[1]}<b" in page


def test_names_are_text(config: PrepareConfig) -> None:
    Image.new("RGB", (64, 64)).save(Path(config.source) / EVIL.replace("/", ""))
    found = cut_work.find(config, (), task())
    page = cut_page.grid(found, Edits())
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_each_grid_is_another_text_so_that_a_page_shows_it(found: FramedSet) -> None:
    assert cut_page.grid(found, Edits()) != cut_page.grid(found, Edits())


def test_answers_name_the_message(found: FramedSet) -> None:
    answer = cut_page.saved("17", edited(found))
    assert 'data-saved="17"' in answer
    assert "1 image excluded, 1 cropped by hand." in answer
    assert 'data-saved="17" data-failed="yes"' in cut_page.not_saved("17", "")


def test_a_thousand_pictures_are_a_page_within_a_second(config: PrepareConfig, found: FramedSet) -> None:
    many = FramedSet(config, PreparedFolder(Path(config.output)), found.pictures[:1] * 1000, ())
    start = time.perf_counter()
    page = cut_page.grid(many, Edits())
    assert time.perf_counter() - start < 2  # 0.1 s on a free machine
    assert len(page) < 2_000_000
