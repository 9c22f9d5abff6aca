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
from lib_ti.ui.dataset.crop import state, view
from lib_ti.ui.dataset.crop.box_lines import read, write
from lib_ti.ui.dataset.crop.state import FolderCrops, ImageCrops
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
def found(config: PrepareConfig) -> FolderCrops:
    return state.propose(config, (), task())


def picture(found: FolderCrops, name: str) -> ImageCrops:
    return next(one for one in found.images if one.name == name)


def sent(found: FolderCrops, name: str, frames: list[list[float]], *, excluded: bool = False, **changes: Any) -> str:
    """A message as the page's script sends it."""
    decision = {"name": name, "excluded": excluded, "crop_boxes": frames}
    pictures = {digest(found, name): decision}
    folders = {"source": found.config.source, "folder": str(found.folder.path)}
    return json.dumps({"number": "17", **folders, "images": pictures, **changes})


def digest(found: FolderCrops, name: str) -> str:
    return picture(found, name).item.digest


# Looking for frames


def test_images_come_in_natural_order_and_what_cannot_be_used_is_listed(found: FolderCrops) -> None:
    assert [one.name for one in found.images] == ["2 corner.png", "10 coffee.png", "cat.jpg"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("broken.jpg", "it is not an image of a known kind")
    ]


def test_boxes_belong_to_the_folder_that_a_page_names(
    config: PrepareConfig, found: FolderCrops, tmp_path: Path
) -> None:
    for same in (config.source, f' "{config.source}/" ', ""):
        assert found.is_of(same)
    assert not found.is_of(str(tmp_path / "other"))


def test_default_crop_boxes_are_those_that_prepare_uses(config: PrepareConfig, found: FolderCrops) -> None:
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    made = {one.source: one.crop_box for one in read_manifest(found.folder).results}
    assert len(made) == 3
    for one in found.images:
        (default,) = one.default
        frame = made[one.name]
        assert frame is not None
        assert default.pixels(one.item.source_size) == frame.pixels(one.item.source_size)


def test_long_images_have_a_crop_box_for_each_part(config: PrepareConfig) -> None:
    Image.new("RGB", (900, 200), "red").save(Path(config.source) / "long.png")
    found = state.propose(PrepareConfig(**{**vars(config), "split": True}), (), task())
    assert len(picture(found, "long.png").default) == 6


def test_the_same_settings_open_no_image_again(config: PrepareConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    first = state.propose(config, (), task())
    looked_at: list[str] = []
    original = state.proposed_crop_boxes

    def counted(item: Any, *args: Any) -> Any:
        looked_at.append(item.path.name)
        return original(item, *args)

    monkeypatch.setattr(state, "proposed_crop_boxes", counted)
    Image.fromarray(skimage.data.coffee()[:, ::-1]).save(Path(config.source) / "new.png")
    second = state.propose(config, (), task(), first)
    assert looked_at == ["new.png"]
    assert picture(second, "cat.jpg").default == picture(first, "cat.jpg").default
    other = PrepareConfig(**{**vars(config), "width": 512})
    assert not second.matches(other)
    state.propose(other, (), task(), second)
    assert len(looked_at) == 5


def test_progress_is_told_and_stopping_is_heard(config: PrepareConfig) -> None:
    seen: list[dict[str, Any]] = []
    state.propose(config, (), TaskContext(lambda **changes: seen.append(changes)))
    assert {"done": 0, "total": 3} in seen
    assert {"done": 3, "total": 3} in seen
    asked = task()
    asked.control.stop()
    with pytest.raises(Stopped, match="stopped after 1 of 3 images"):
        state.propose(config, (), asked)


# Keeping what was decided


def test_what_a_page_sends_is_in_the_next_plan(config: PrepareConfig, found: FolderCrops) -> None:
    host = FakeHost(Path(config.source).parent)
    two = [[0, 0, 0.5, 0.75], [0.4, 0.25, 0.5, 0.75]]
    for message in (sent(found, "10 coffee.png", two), sent(found, "cat.jpg", [], excluded=True)):
        state.save(host.folders, state.read_message(message))
    plan = make_plan(config)
    assert plan.excluded == ("cat.jpg",)
    sizes = [one.spec.crop_size for one in plan.results if one.spec.item.path.name == "10 coffee.png"]
    assert sizes == [(300, 300)] * 2


def test_default_crop_boxes_again_leave_no_decision(config: PrepareConfig, found: FolderCrops) -> None:
    host = FakeHost(Path(config.source).parent)
    state.save(host.folders, state.read_message(sent(found, "cat.jpg", [[0, 0, 0.5, 0.5]])))
    edits = state.save(host.folders, state.read_message(sent(found, "cat.jpg", [])))
    assert edits == Edits()


def test_crop_boxes_leave_removed_regions_alone(found: FolderCrops) -> None:
    erased = RemovedRegion("abc", (0, 0, 9, 9), "telea")
    key = digest(found, "cat.jpg")
    update_edits(
        found.folder,
        lambda edits: edits.with_image(key, ImageEdits("cat.jpg", excluded=True, removed_regions=(erased,))),
    )
    edits = state.decide(found.folder, {key: ImageEdits("cat.jpg", crop_boxes=(CropBox(0, 0, 0.5, 0.5),))})
    assert edits.by_digest[key] == ImageEdits(
        "cat.jpg", crop_boxes=(CropBox(0, 0, 0.5, 0.5),), removed_regions=(erased,)
    )


def test_a_crop_box_ends_at_the_edge_that_rounding_took_it_over(found: FolderCrops) -> None:
    changes = state.read_message(sent(found, "cat.jpg", [[-0.000001, 0.333334, 1.000002, 0.666667]]))
    (frame,) = changes.decisions[digest(found, "cat.jpg")].crop_boxes
    assert (frame.x, frame.width, frame.y + frame.height) == (0, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"images": {"../../etc": {"name": "a", "excluded": False, "crop_boxes": []}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[0, 0, 1]]}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[0, 0, "x", 1]]}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[0.5, 0, 0, 1]]}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[float("nan"), 0, 1, 1]]}}},
        {"images": []},
    ],
)
def test_what_is_no_message_is_refused(found: FolderCrops, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        state.read_message(sent(found, "cat.jpg", [], **change))
    for text in ("", "[]", "{", "7"):
        with pytest.raises(BadInput, match="reload the page"):
            state.read_message(text)


def test_a_page_writes_only_where_it_may(found: FolderCrops, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "elsewhere",)
    with pytest.raises(BadInput, match="outside the folders"):
        state.save(host.folders, state.read_message(sent(found, "cat.jpg", [[0, 0, 1, 1]])))
    assert not found.folder.manifest.exists()


# As text


def edited(found: FolderCrops) -> Edits:
    return state.decide(
        found.folder,
        {
            digest(found, "cat.jpg"): ImageEdits(
                "cat.jpg", crop_boxes=(CropBox(0.1, 0.1, 0.4, 0.6), CropBox(0.333333, 0, 0.5, 0.75))
            ),
            digest(found, "2 corner.png"): ImageEdits("2 corner.png", excluded=True),
        },
    )


def test_crop_boxes_as_text_have_a_line_for_each_image(found: FolderCrops) -> None:
    lines = write(found, edited(found)).splitlines()
    assert lines[0] == "2 corner.png: excluded"
    assert re.fullmatch(r"# 10 coffee\.png: \d+ 0 400 400", lines[1])
    assert lines[2] == "cat.jpg: 45 30 180 180; 150 0 226 225"


def test_lines_that_nobody_changed_change_nothing(found: FolderCrops) -> None:
    edits = edited(found)
    before = found.folder.manifest.read_bytes()
    assert state.decide(found.folder, read(write(found, edits), found, edits)) == edits
    assert found.folder.manifest.read_bytes() == before


def test_lines_decide_about_the_images_that_they_name(found: FolderCrops) -> None:
    text = "\n# cat.jpg: 0 0 300 300\n2 corner.png: Excluded; 0, 0, 100, 100\n"
    decisions = read(text, found, edited(found))
    assert decisions == {
        digest(found, "cat.jpg"): ImageEdits("cat.jpg"),
        digest(found, "2 corner.png"): ImageEdits("2 corner.png", excluded=True, crop_boxes=(CropBox(0, 0, 0.5, 0.5),)),
    }


def test_all_lines_that_are_wrong_are_told(found: FolderCrops) -> None:
    text = "cat.jpg: 0 0 500 100\nno.png: excluded\ncat.jpg: 0 0 ten 10\njust words\ncat.jpg: 0 0 --1 5"
    with pytest.raises(BadInput) as caught:
        read(text, found, Edits())
    assert caught.value.problems == (
        "Line 1: the crop box 0 0 500 100 is not within cat.jpg, which is 451×300.",
        "Line 2: there is no image 'no.png' in the source folder; check its name.",
        "Line 3: '0 0 ten 10' is not a crop box; write left top width height in whole pixels, or excluded.",
        "Line 4: 'just words' has no colon; write an image's name, a colon, and left top width height.",
        "Line 5: '0 0 --1 5' is not a crop box; write left top width height in whole pixels, or excluded.",
    )


# The page


def test_the_grid_shows_crop_boxes_where_they_are_and_how_large(found: FolderCrops) -> None:
    page = view.grid(found, edited(found))
    cards = re.findall(r'<figure class="ti-card([^"]*)"[^>]*data-name="([^"]*)"', page)
    assert cards == [(" ti-is-excluded", "2 corner.png"), ("", "10 coffee.png"), ("", "cat.jpg")]
    cat = page[page.index('data-name="cat.jpg"') :]
    assert cat.count('class="ti-crop-box ti-upscaled"') == 2  # by hand, and smaller than 256 × 256
    assert 'data-box="0.100443 0.100000 0.399113 0.600000"' in cat  # of the shape that is trained
    assert "180×180<b" in cat
    assert "×1.42</b>" in cat  # 256 / 180
    assert '<div class="ti-crop-box ti-default" tabindex="0"' in page
    assert "Files that cannot be used (1)" in page


def test_crop_boxes_of_any_shape_are_shown_as_the_bucket_that_they_become(config: PrepareConfig) -> None:
    found = state.propose(PrepareConfig(**{**vars(config), "shape": "buckets"}), (), task())
    edits = state.decide(
        found.folder, {digest(found, "cat.jpg"): ImageEdits("cat.jpg", crop_boxes=(CropBox(0, 0, 1, 0.6),))}
    )
    page = view.grid(found, edits)
    assert "352x160" in page.split('data-buckets="')[1].split('"')[0].split()
    plan = make_plan(found.config)
    cut = next(one.spec.crop_size for one in plan.results if one.spec.item.path.name == "cat.jpg")
    assert f"{cut[0]}×{cut[1]}<b" in page


def test_names_are_text(config: PrepareConfig) -> None:
    Image.new("RGB", (64, 64)).save(Path(config.source) / EVIL.replace("/", ""))
    found = state.propose(config, (), task())
    page = view.grid(found, Edits())
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_each_grid_is_another_text_so_that_a_page_shows_it(found: FolderCrops) -> None:
    assert view.grid(found, Edits()) != view.grid(found, Edits())


def test_answers_name_the_message(found: FolderCrops) -> None:
    answer = view.saved("17", edited(found))
    assert 'data-saved="17"' in answer
    assert "1 image excluded, 1 cropped by hand." in answer
    assert 'data-saved="17" data-failed="yes"' in view.not_saved("17", "")


def test_a_thousand_images_are_a_page_within_a_second(config: PrepareConfig, found: FolderCrops) -> None:
    many = FolderCrops(config, PreparedFolder(Path(config.output)), found.images[:1] * 1000, ())
    start = time.perf_counter()
    page = view.grid(many, Edits())
    assert time.perf_counter() - start < 2  # 0.1 s on a free machine
    assert len(page) < 2_000_000
