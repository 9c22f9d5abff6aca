"""Plans for a folder that holds results of an earlier preparation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import ImageEdits
from lib_ti.prep.manifest import Manifest, Result, read_manifest, update_edits, update_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.matching import match
from lib_ti.prep.recipe.plan import make_plan
from tests.data.conftest import ImageFolder
from tests.prep.recipe.preparation import by_name, edit, pretend_made, settings


def test_decisions_follow_a_renamed_file_and_not_a_changed_one(images: ImageFolder) -> None:
    images.draw("a.png", (200, 100))
    images.draw("b.png", (200, 100))
    plan = make_plan(settings(images))
    for name in ("a.png", "b.png"):
        edit(plan, name, crop_boxes=(CropBox(0.2, 0, 0.5, 1),))
    (images.path / "a.png").rename(images.path / "c.png")
    images.draw("b.png", (200, 100), salt="another")
    plan = make_plan(settings(images))
    assert {one.spec.item.path.name: one.spec.how for one in plan.results} == {
        "b.png": "by saliency",
        "c.png": "by hand",
    }
    assert "Changed since they were edited by hand, so that those edits are not used: b.png." in plan.remarks


# Running again


def test_results_keep_their_names_and_new_ones_get_free_numbers(images: ImageFolder) -> None:
    for name in ("b.png", "d.png"):
        images.draw(name)
    pretend_made(make_plan(settings(images)))
    for name in ("a.png", "c.png", "e.png"):
        images.draw(name)
    plan = make_plan(settings(images))
    assert by_name(plan) == {
        "image_001.png": "b.png",
        "image_002.png": "d.png",
        "image_003.png": "a.png",
        "image_004.png": "c.png",
        "image_005.png": "e.png",
    }
    assert [one.spec.item.path.name for one in plan.to_make] == ["a.png", "c.png", "e.png"]


def test_only_changed_results_are_recreated(images: ImageFolder) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png", "e.jpg"):
        images.draw(name, (100, 100))
    config = settings(images)
    plan = make_plan(config)
    pretend_made(plan)
    assert make_plan(config).to_make == ()
    images.draw("a.png", (100, 100), salt="another")
    edit(plan, "b.png", crop_boxes=(CropBox(0, 0, 0.5, 0.5),))
    plan.folder.image("image_003.png").unlink()
    plan.folder.image("image_004.png").write_bytes(b"edited")
    Image.new("L", (100, 100)).save(images.path / "e-mask.png")
    again = make_plan(config)
    assert {one.state for one in again.results} == {"outdated"}
    assert by_name(again).keys() == by_name(plan).keys()
    assert {one.state for one in make_plan(replace(config, width=128)).results} == {"outdated"}


def test_changes_of_mask_and_caption_are_distinguished(images: ImageFolder) -> None:
    images.draw("a.jpg", caption="before")
    pretend_made(make_plan(settings(images)))
    (images.path / "a.txt").write_text("after")
    [one] = make_plan(settings(images)).results
    assert (one.state, one.spec.caption) == ("unchanged", "after")
    Image.new("L", (64, 64)).save(images.path / "a-mask.png")
    assert make_plan(settings(images)).results[0].state == "outdated"


def test_each_crop_box_continues_the_result_it_overlaps(images: ImageFolder) -> None:
    images.draw("a.png", (400, 100))
    plan = make_plan(settings(images))
    edit(plan, "a.png", crop_boxes=tuple(CropBox(x, 0, 0.25, 1) for x in (0.0, 0.25, 0.5)))
    pretend_made(make_plan(settings(images)))
    # The first is gone, the second moved a little, one is new.
    edit(plan, "a.png", crop_boxes=tuple(CropBox(x, 0, 0.25, 1) for x in (0.75, 0.5, 0.28)))
    after = make_plan(settings(images))
    assert by_name(after) == {
        "image_004.png": "a.png 0.75",
        "image_003.png": "a.png 0.50",
        "image_002.png": "a.png 0.28",
    }
    assert [one.name for one in after.removed] == ["image_001.png"]
    assert [one.state for one in after.results] == ["new", "unchanged", "outdated"]


def test_a_new_name_renames_existing_results(images: ImageFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    pretend_made(make_plan(settings(images)))
    plan = make_plan(settings(images, name="cat"))
    assert [(one.renamed_from, one.name, one.state) for one in plan.results] == [
        ("image_001.png", "cat_001.png", "unchanged"),
        ("image_002.png", "cat_002.png", "unchanged"),
    ]
    assert plan.describe()[0] == "2 results of 2 images: 2 unchanged, 2 renamed."


def test_files_of_other_origin_are_never_overwritten_and_are_reported(images: ImageFolder) -> None:
    images.draw("a.png")
    others = ImageFolder(images.path.parent / "prepared")
    others.draw("IMAGE_001.jpg")
    (others.path / "image_002.txt").write_text("x")
    (others.path / "notes.md").write_text("x")
    plan = make_plan(settings(images))
    assert by_name(plan) == {"image_003.png": "a.png"}
    assert plan.remarks == (f"{others.path} also contains 1 other image, which training would use too: IMAGE_001.jpg.",)


def test_renamed_and_changed_sources_keep_their_results(images: ImageFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    pretend_made(make_plan(settings(images)))
    images.draw("b.png", salt="retouched")
    (images.path / "a.png").rename(images.path / "z.png")
    plan = make_plan(settings(images))
    assert by_name(plan) == {"image_002.png": "b.png", "image_001.png": "z.png"}
    assert not plan.removed


def test_matching_gives_each_earlier_result_to_one_at_most(images: ImageFolder) -> None:
    images.draw("a.png", (300, 100))
    plan = make_plan(settings(images, split=True))
    wanted = [one.spec for one in plan.results]
    earlier = [
        Result(f"{number}.png", "", "a.png", wanted[0].item.digest, "other", False, False, wanted[0].crop_box)
        for number in range(2)
    ]
    matched = match(wanted, earlier)
    assert matched[0] is earlier[0] and matched[1] is earlier[1]
    assert matched[2:] == [None, None]


def test_results_of_other_images_are_not_set_aside_by_mistake(images: ImageFolder, tmp_path: Path) -> None:
    images.draw("a.png")
    pretend_made(make_plan(settings(images)))
    others = ImageFolder(tmp_path / "others")
    others.draw("b.png")
    with pytest.raises(BadInput, match="holds results of other images, from .*found"):
        make_plan(settings(images, source=str(others.path)))
    # The same images in a folder that was moved are the same images.
    images.path.rename(tmp_path / "moved")
    assert make_plan(settings(images, source=str(tmp_path / "moved"))).to_make == ()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": 1, "settings": {}, "edits": {"a": {}}, "results": []}',
        '{"format": 1, "settings": {}, "edits": {}, "results": [{"name": "../x.png"}]}',
        '{"format": 1, "settings": {}, "edits": {"d": {"name": "", "left_out": 0, "frames": [[0, 0, 2, 1]]}}}',
        '{"format": 2}',
    ],
)
def test_a_damaged_manifest_is_never_mistaken_for_an_empty_one(images: ImageFolder, content: str) -> None:
    images.draw("a.png")
    folder = PreparedFolder(images.path.parent / "prepared")
    folder.path.mkdir()
    folder.manifest.write_text(content)
    with pytest.raises(BadInput, match=r"The manifest .*preparation\.json (is damaged|has the format)"):
        make_plan(settings(images))
    with pytest.raises(BadInput):
        update_edits(folder, lambda edits: edits.with_image("d", ImageEdits("a", excluded=True)))
    assert folder.manifest.read_text() == content


def test_the_manifest_is_the_same_after_reading(tmp_path: Path) -> None:
    folder = PreparedFolder(tmp_path)
    result = Result(
        "ä_001.png", "ä_[number]", "b.jpg", "d1", "k1", True, False, CropBox(0.1, 0, 1 / 3, 1), "d2", "a\ncaption", "m",
        ({"operation": "remove", "box": [1, 2, 3, 4]},),
        caption_from_name=True,
    )  # fmt: skip
    written = Manifest({"source": "x", "width": 64}, results=(result, Result("b.png", "", "", "", "", False, True)))
    assert update_manifest(folder, lambda _: written) == written == read_manifest(folder)
