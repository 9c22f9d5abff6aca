from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.config import PrepareConfig, problems
from lib_ti.errors import BadInput
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import ImageEdits
from lib_ti.prep.manifest import Manifest, Result, read_manifest, update_edits, update_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.matching import match
from lib_ti.prep.recipe.plan import Plan, make_plan
from lib_ti.prep.sources import find_image, find_images
from tests.data.conftest import ImageFolder


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "found")


def settings(images: ImageFolder, **values) -> PrepareConfig:
    output = images.path.parent / "prepared"
    return PrepareConfig(**{"source": str(images.path), "output": str(output), "width": 64, "height": 64, **values})


def edit(plan: Plan, name: str, **values) -> None:
    digest = next(one.spec.item.digest for one in plan.results if one.spec.item.path.name == name)
    update_edits(plan.folder, lambda edits: edits.with_image(digest, replace(edits.of(digest, name), **values)))


def pretend_made(plan: Plan) -> None:
    """Write what a run would have left, without images in it."""
    results = []
    plan.folder.path.mkdir(exist_ok=True)
    for one in plan.results:
        wanted = one.spec
        plan.folder.image(one.name).write_bytes(b"")
        results.append(
            Result(
                one.name,
                one.name_template,
                wanted.item.path.name,
                wanted.item.digest,
                wanted.key,
                wanted.automatic,
                wanted.flipped,
                wanted.crop_box or CropBox(0, 0, 1, 1),
                digest="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # of no bytes
            )
        )
    settings = {"source": str(Path(plan.config.source).resolve())}
    update_manifest(plan.folder, lambda before: replace(before, settings=settings, results=tuple(results)))


def by_name(plan: Plan) -> dict[str, str]:
    """What each result is of: the source's name, with ~ where it is mirrored, and the frame's left edge."""
    return {
        one.name: f"{'~' * one.spec.flipped}{one.spec.item.path.name}"
        + (f" {one.spec.crop_box.x:.2f}" if one.spec.crop_box and not one.spec.automatic else "")
        for one in plan.results
    }


def test_the_plan_lists_results_of_each_image_and_writes_nothing(images: ImageFolder) -> None:
    images.draw("10.png", (200, 100))
    images.draw("9.jpg", (32, 32))
    (images.path / "broken.png").write_bytes(b"x")
    config = settings(images)
    plan = make_plan(config)
    assert not Path(config.output).exists()
    assert [one.describe() for one in plan.results] == [
        "9.jpg → picture_001.png: 64×64, upscaled 2 times by Lanczos",
        "10.png → picture_002.png: 64×64, cropped by saliency",
    ]
    assert plan.describe() == (
        "2 results of 2 images: 2 new.",
        "Sizes: 64×64 (2).",
        "Upscaled by Lanczos: 1 result: 9.jpg (2 times).",
        "1 file cannot be used.",
    )
    assert [(one.path.name, one.reason) for one in plan.skipped] == [
        ("broken.png", "it is not an image of a known kind")
    ]


@pytest.mark.parametrize(
    ("values", "size", "factor", "upscaler"),
    [
        ({}, (64, 64), 0.64, ""),
        ({"downscale": False}, (100, 100), 1.0, ""),
        ({"shape": "buckets"}, (88, 40), 0.44, ""),
        ({"shape": "buckets", "downscale": False}, (200, 91), 1.0, ""),
        ({"shape": "keep"}, (128, 64), 0.64, ""),
        ({"shape": "keep", "downscale": False}, (200, 100), 1.0, ""),
        ({"width": 128, "height": 256}, (128, 256), 2.56, "Lanczos"),
        ({"width": 128, "height": 256, "upscaler": "none"}, (50, 100), 1.0, ""),
        ({"width": 128, "height": 256, "upscaler": "Nearest"}, (128, 256), 2.56, "Nearest"),
        ({"shape": "keep", "width": 128, "height": 128}, (256, 128), 1.28, "Lanczos"),
    ],
)
def test_sizes_follow_shape_and_scaling(
    images: ImageFolder, values: dict, size: tuple[int, int], factor: float, upscaler: str
) -> None:
    images.draw("a.png", (200, 100))
    [one] = make_plan(settings(images, **values), ["Nearest"]).results
    assert one.spec.size == size
    assert one.spec.factor == pytest.approx(factor)
    assert one.spec.upscaler == upscaler


def test_crop_boxes_by_hand_make_several_results_of_the_right_shape(images: ImageFolder) -> None:
    images.draw("a.png", (400, 200))
    plan = make_plan(settings(images))
    edit(plan, "a.png", crop_boxes=(CropBox(0, 0, 0.5, 1), CropBox(0.5, 0.0, 0.25, 1.0)))
    first, second = make_plan(settings(images)).results
    assert (first.spec.crop_size, second.spec.crop_size) == ((200, 200), (100, 100))
    assert second.spec.crop_box == CropBox(0.5, 0.25, 0.25, 0.5)
    assert {first.spec.how, second.spec.how} == {"by hand"}
    kept = make_plan(settings(images, shape="keep")).results[1].spec
    assert (kept.crop_box, kept.size) == (CropBox(0.5, 0.0, 0.25, 1.0), (64, 128))


def test_long_images_are_split_unless_cropped_by_hand(images: ImageFolder) -> None:
    images.draw("long.png", (300, 100))
    images.draw("short.png", (150, 100))
    config = settings(images, split=True)
    plan = make_plan(config)
    assert by_name(plan) == {
        "picture_001.png": "long.png 0.00",
        "picture_002.png": "long.png 0.22",
        "picture_003.png": "long.png 0.44",
        "picture_004.png": "long.png 0.67",
        "picture_005.png": "short.png",
    }
    edit(plan, "long.png", crop_boxes=(CropBox(0.1, 0, 0.3, 0.9),))
    assert [one.spec.how for one in make_plan(config).results] == ["by hand", "by saliency"]


def test_flipped_copies_have_their_own_captions(images: ImageFolder) -> None:
    images.draw("a.png", caption="a cat on the left")
    plain = make_plan(settings(images, flip=True))
    assert by_name(plain) == {"picture_001.png": "a.png", "picture_002.png": "~a.png"}
    assert [one.spec.caption for one in plain.results] == ["a cat on the left"] * 2
    swapped = make_plan(settings(images, flip=True, flip_words=True))
    assert [one.spec.caption for one in swapped.results] == ["a cat on the left", "a cat on the right"]


def test_file_names_are_captions_unless_that_is_off(images: ImageFolder) -> None:
    images.draw("1 a house.png")
    images.draw("2.png", caption="a boat")
    plan = make_plan(settings(images))
    assert [one.spec.caption for one in plan.results] == ["a house", "a boat"]
    said = "1 result with the file name as caption, such as “a house”: write better captions after preparing."
    assert said in plan.describe()
    plan = make_plan(settings(images, name_captions=False))
    assert [one.spec.caption for one in plan.results] == ["", "a boat"]


def test_images_excluded_by_hand_have_no_result(images: ImageFolder) -> None:
    images.draw("a.png")
    images.draw("b.png")
    edit(make_plan(settings(images)), "a.png", excluded=True)
    plan = make_plan(settings(images))
    assert by_name(plan) == {"picture_001.png": "b.png"}
    assert "Excluded by hand: a.png." in plan.describe()


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
        "picture_001.png": "b.png",
        "picture_002.png": "d.png",
        "picture_003.png": "a.png",
        "picture_004.png": "c.png",
        "picture_005.png": "e.png",
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
    plan.folder.image("picture_003.png").unlink()
    plan.folder.image("picture_004.png").write_bytes(b"edited")
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
        "picture_004.png": "a.png 0.75",
        "picture_003.png": "a.png 0.50",
        "picture_002.png": "a.png 0.28",
    }
    assert [one.name for one in after.removed] == ["picture_001.png"]
    assert [one.state for one in after.results] == ["new", "unchanged", "outdated"]


def test_a_new_name_renames_existing_results(images: ImageFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    pretend_made(make_plan(settings(images)))
    plan = make_plan(settings(images, name="cat"))
    assert [(one.renamed_from, one.name, one.state) for one in plan.results] == [
        ("picture_001.png", "cat_001.png", "unchanged"),
        ("picture_002.png", "cat_002.png", "unchanged"),
    ]
    assert plan.describe()[0] == "2 results of 2 images: 2 unchanged, 2 renamed."


def test_files_of_other_origin_are_never_overwritten_and_are_reported(images: ImageFolder) -> None:
    images.draw("a.png")
    others = ImageFolder(images.path.parent / "prepared")
    others.draw("PICTURE_001.jpg")
    (others.path / "picture_002.txt").write_text("x")
    (others.path / "notes.md").write_text("x")
    plan = make_plan(settings(images))
    assert by_name(plan) == {"picture_003.png": "a.png"}
    assert plan.remarks == (
        f"{others.path} also contains 1 other image, which training would use too: PICTURE_001.jpg.",
    )


def test_renamed_and_changed_sources_keep_their_results(images: ImageFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    pretend_made(make_plan(settings(images)))
    images.draw("b.png", salt="retouched")
    (images.path / "a.png").rename(images.path / "z.png")
    plan = make_plan(settings(images))
    assert by_name(plan) == {"picture_002.png": "b.png", "picture_001.png": "z.png"}
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


# Bad input


def nested(folder: str) -> Callable[[Path], dict[str, str]]:
    return lambda root: {"output": str(root / folder)}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (nested("found"), "is the source folder"),
        (nested("found/../found"), "is the source folder"),
        (nested("found/inner/out"), "is within the source folder"),
        (nested("."), "is within the prepared folder"),
        (nested("a.txt"), "is a file"),
        (lambda root: {"source": str(root / "nowhere")}, "does not exist"),
        (lambda root: {"source": ""}, "Source folder is empty"),
        (lambda root: {"upscaler": "magic"}, "'magic'; there are Lanczos, none, Nearest."),
        (lambda root: {"name": "a/b"}, "not valid file names on every system"),
        (lambda root: {"name": " "}, "Name is empty"),
        (lambda root: {"name_pattern": "[name]"}, "needs [number] or [stem]"),
        (lambda root: {"name_pattern": "[nane]_[number]"}, "[nane] is not known"),
        (lambda root: {"shape": "keep", "split": True}, "Shape is 'keep'"),
        (lambda root: {"width": 100}, "multiple of 8"),
    ],
)
def test_unusable_settings_are_refused(images: ImageFolder, tmp_path: Path, values, words: str) -> None:
    images.draw("a.png")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(BadInput) as refused:
        make_plan(settings(images, **values(tmp_path)), ["Nearest"])
    assert words in str(refused.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.png", "a.txt", "found"]


def test_a_link_to_the_source_folder_is_that_folder(images: ImageFolder, tmp_path: Path) -> None:
    images.draw("a.png")
    (tmp_path / "link").symlink_to(images.path)
    with pytest.raises(BadInput, match="is the source folder"):
        make_plan(settings(images, output=str(tmp_path / "link")))
    with pytest.raises(BadInput, match="is within the source folder"):
        make_plan(settings(images, output=str(tmp_path / "link" / "new")))


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


def test_all_problems_of_the_settings_are_reported_together() -> None:
    assert len(problems(PrepareConfig(shape="x", width=7, name_pattern="a"))) == 5


def test_finding_one_image_equals_scanning_all(images: ImageFolder) -> None:
    images.draw("a.png", caption="a picture")
    images.draw("b.png")
    config = settings(images)
    found, folder = find_images(config)
    assert [find_image(config, item.path.name) for item in found.items] == [(item, folder) for item in found.items]


@pytest.mark.parametrize("name", ["", ".", "..", "missing.png", "../found/a.png", "a.png/"])
def test_a_file_outside_the_source_folder_is_not_found(images: ImageFolder, name: str) -> None:
    images.draw("a.png")
    with pytest.raises(BadInput, match="There is no image"):
        find_image(settings(images), name)


def test_one_image_is_found_only_between_usable_folders(images: ImageFolder) -> None:
    images.draw("a.png")
    with pytest.raises(BadInput, match="is the source folder"):
        find_image(settings(images, output=str(images.path)), "a.png")


def with_subfolders(images: ImageFolder) -> ImageFolder:
    images.draw("0.png", caption="on top")
    inner = ImageFolder(images.path / "10_thing person")
    inner.draw("0.png", caption="within", salt="another")
    inner.draw("0-masklabel.png", mode="L")
    return images


def test_subfolders_that_are_not_used_are_named(images: ImageFolder) -> None:
    plan = make_plan(settings(with_subfolders(images)))
    assert [one.spec.item.name for one in plan.results] == ["0.png"]
    assert "Sub-folders are not searched: 10_thing person (1 image)." in "\n".join(plan.describe())


def test_equal_names_in_subfolders_get_names_of_their_own(images: ImageFolder) -> None:
    plan = make_plan(settings(with_subfolders(images), subfolders=True, name_pattern="[stem]"))
    assert [(one.spec.item.name, one.name, one.spec.caption) for one in plan.results] == [
        ("0.png", "image-0.png", "on top"),
        ("10_thing person/0.png", "image-0_2.png", "within"),
    ]
    assert plan.results[1].spec.item.mask is not None
    assert "each result is used once per epoch" in "\n".join(plan.describe())


@pytest.mark.parametrize("label", ["-mask", "_mask", ".mask", "-masklabel"])
def test_no_result_becomes_the_mask_of_another(images: ImageFolder, label: str) -> None:
    images.draw(f"cat{label}.png")
    before = make_plan(settings(images, name_pattern="[stem]"))
    assert [one.name for one in before.results] == [f"cat{label}.png"]
    images.draw("cat.jpg")
    images.draw(f"cat{label} (2).png")
    other = ImageFolder(images.path / "more")
    other.draw(f"cat{label}.png", salt="a picture of its own")
    names = [one.name for one in make_plan(settings(images, name_pattern="[stem]", subfolders=True)).results]
    assert "cat.png" in names
    assert f"cat{label}.png" not in names


def test_an_image_of_a_subfolder_is_found_by_its_path(images: ImageFolder) -> None:
    config = settings(with_subfolders(images), subfolders=True)
    item, _ = find_image(config, "10_thing person/0.png")
    assert (item.name, item.caption) == ("10_thing person/0.png", "within")
    with pytest.raises(BadInput, match="There is no image"):
        find_image(settings(images), "10_thing person/0.png")
