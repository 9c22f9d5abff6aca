from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from lib_ti.config import PrepareConfig
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, mask_from_boxes
from lib_ti.prep.remove.patches import apply, load_patch, save_patch
from lib_ti.prep.remove.remove_by_masks import MaskRemovals, remove_by_masks
from tests.data.conftest import ImageFolder
from tests.fakes import FakeHost, FakeInpainter


def photograph() -> Image.Image:
    return Image.fromarray(skimage.data.coffee())


def with_text(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The image with thin white letters on it, and the mask that a person would paint over them."""
    lettered, mask = image.copy(), Image.new("L", image.size)
    for number in range(8):
        place = (60 + 30 * number, 330)
        ImageDraw.Draw(lettered).text(place, "Xyz", "white")
        ImageDraw.Draw(mask).rectangle((place[0] - 1, 329, place[0] + 20, 345), 255)
    return lettered, mask


def piece(image: Image.Image) -> LayeredImage:
    return LayeredImage(image, None, None, "")


@pytest.mark.parametrize("method", ["telea", "ns"])
def test_text_on_a_photograph_is_gone_and_nothing_else_changed(method: str) -> None:
    original = photograph()
    lettered, mask = with_text(original)
    patch = inpaint(lettered, mask, FillMethod(method))
    result = apply(piece(lettered), [patch]).image
    before = np.abs(np.asarray(lettered, int) - np.asarray(original, int))
    after = np.abs(np.asarray(result, int) - np.asarray(original, int))
    letters = before.sum(axis=2) > 100
    assert after[letters].mean() < 0.2 * before[letters].mean()
    outside = np.asarray(mask) <= 127
    assert (np.asarray(result)[outside] == np.asarray(lettered)[outside]).all()
    assert patch.region.box == mask.getbbox()


def test_the_input_image_is_not_modified() -> None:
    lettered, mask = with_text(photograph())
    bytes_before = lettered.tobytes()
    apply(piece(lettered), [inpaint(lettered, mask, FillMethod("telea"))])
    assert lettered.tobytes() == bytes_before


def test_a_model_receives_the_whole_image_and_its_patch_records_how_it_was_made() -> None:
    seen: list[tuple[tuple[int, int], str, int]] = []

    class Watched(FakeInpainter):
        def fill(self, image: Image.Image, mask: Image.Image, *, prompt: str, seed: int) -> Image.Image:
            seen.append((image.size, prompt, seed))
            return super().fill(image, mask, prompt=prompt, seed=seed)

    mask = mask_from_boxes([(300, 200, 400, 220)], (600, 400))
    patch = inpaint(photograph(), mask, FillMethod("model", Watched(), "a table", 7, "v1-5"))
    assert seen == [((600, 400), "a table", 7)]
    assert patch.pixels.getpixel((50, 10)) == (7, 7, 9, 255)
    assert replace(patch.region, patch="") == RemovedRegion("", (300, 200, 400, 220), "model", "a table", 7, "v1-5")


def test_patches_lie_on_each_other_in_their_order() -> None:
    image = Image.new("RGB", (100, 100))
    first, second = mask_from_boxes([(10, 10, 60, 60)], image.size), mask_from_boxes([(40, 40, 90, 90)], image.size)
    patches = [
        inpaint(image, first, FillMethod("model", FakeInpainter(), seed=100)),
        inpaint(image, second, FillMethod("model", FakeInpainter(), seed=200)),
    ]
    both = apply(piece(image), patches)
    assert [both.image.getpixel((at, at))[0] for at in (20, 50, 80, 95)] == [100, 200, 200, 0]
    assert apply(piece(image), patches[:1]).image.getpixel((50, 50))[0] == 100  # the second one undone
    assert [one["operation"] for one in both.record] == ["remove", "remove"]


def test_an_erasing_below_others_can_be_undone() -> None:
    image = Image.new("RGB", (100, 100))
    first = inpaint(
        image, mask_from_boxes([(40, 40, 60, 60)], image.size), FillMethod("model", FakeInpainter(), seed=100)
    )
    corners = mask_from_boxes([(10, 10, 20, 20), (80, 80, 90, 90)], image.size)
    second = inpaint(apply(piece(image), [first]).image, corners, FillMethod("model", FakeInpainter(), seed=200))
    left = apply(piece(image), [second]).image
    assert [left.getpixel((at, at))[0] for at in (15, 50, 85)] == [200, 0, 200]


def test_only_painted_pixels_within_the_box_are_replaced() -> None:
    image = Image.new("RGB", (50, 50), "blue")
    mask = Image.new("L", (50, 50))
    mask.putpixel((10, 10), 255)
    mask.putpixel((20, 20), 255)
    mask.putpixel((15, 15), 127)  # not enough
    result = apply(piece(image), [inpaint(image, mask, FillMethod("model", FakeInpainter(), seed=5))]).image
    changed = np.argwhere((np.asarray(result) != np.asarray(image)).any(axis=2)).tolist()
    assert changed == [[10, 10], [20, 20]]


def test_a_kept_patch_gives_the_same_pixels_again(tmp_path: Path) -> None:
    folder = PreparedFolder(tmp_path)
    lettered, mask = with_text(photograph())
    patch = inpaint(lettered, mask, FillMethod("telea"))
    save_patch(folder, patch)
    again = load_patch(folder, patch.region)
    assert apply(piece(lettered), [again]).image.tobytes() == apply(piece(lettered), [patch]).image.tobytes()


@pytest.mark.parametrize(
    "damage",
    [Path.unlink, lambda path: path.write_bytes(b"x"), lambda path: Image.new("RGBA", (3, 3)).save(path)],
)
def test_a_patch_that_is_gone_or_another_one_is_not_used(tmp_path: Path, damage) -> None:
    folder = PreparedFolder(tmp_path)
    lettered, mask = with_text(photograph())
    patch = inpaint(lettered, mask, FillMethod("telea"))
    save_patch(folder, patch)
    damage(folder.patches / f"{patch.region.patch}.png")
    with pytest.raises(UnreadableImage, match="remove the region again"):
        load_patch(folder, patch.region)


@pytest.mark.parametrize(
    ("level", "filling", "words"),
    [
        (0, FillMethod("telea"), "Nothing is painted"),
        (255, FillMethod("telea"), "The whole image is painted over"),
        (None, FillMethod("magic"), "'magic'; choose one of auto, patchmatch, telea, ns, model"),
        (None, FillMethod("model"), "no model is loaded"),
    ],
)
def test_what_cannot_be_filled_is_refused(level: int | None, filling: FillMethod, words: str) -> None:
    mask = mask_from_boxes([(1, 1, 5, 5)], (20, 20)) if level is None else Image.new("L", (20, 20), level)
    with pytest.raises(BadInput, match=words):
        inpaint(Image.new("RGB", (20, 20)), mask, filling)


def test_boxes_become_a_mask_with_a_margin_that_ends_at_the_edge() -> None:
    mask = mask_from_boxes([(1, 5, 4, 8)], (20, 10), margin=3)
    assert mask.getbbox() == (0, 2, 7, 10)


# A whole folder


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "found")


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    return folder


def settings(images: ImageFolder, **values) -> PrepareConfig:
    output = images.path.parent / "prepared"
    return PrepareConfig(source=str(images.path), output=str(output), width=64, height=64, **values)


def erased(config: PrepareConfig, masks: Path, host: FakeHost | None = None, stop=lambda: False) -> MaskRemovals:
    return remove_by_masks(config, masks, host=host, progress=lambda *_: None, stop=stop)


def test_masks_find_their_images_by_name_or_stem(images: ImageFolder, masks: Path) -> None:
    for name in ("a.jpg", "b.png", "c.png"):
        images.draw(name)
    mask = mask_from_boxes([(10, 10, 20, 20)], (64, 64))
    for name in ("a.png", "b.png.png", "stranger.png"):
        mask.save(masks / name)
    Image.new("L", (64, 64)).save(masks / "c.png")
    config = settings(images)
    outcome = erased(config, masks)
    assert (outcome.removed, outcome.unchanged) == (["a.jpg", "b.png"], [])
    assert {one.path.name: one.reason for one in outcome.skipped} == {
        "stranger.png": "no source image has this name",
        "c.png": "Nothing is painted; paint over the area to remove.",
    }
    planned = make_plan(config).results
    assert [len(one.spec.edits.removed_regions) for one in planned] == [1, 1, 0]


def test_repeating_the_command_removes_nothing_twice(images: ImageFolder, masks: Path) -> None:
    images.draw("a.png")
    mask_from_boxes([(10, 10, 20, 20)], (64, 64)).save(masks / "a.png")
    config = settings(images, fill="telea")
    erased(config, masks)
    assert erased(config, masks).unchanged == ["a.png"]
    # Another method, and another part, are more erasing.
    assert erased(settings(images, fill="ns"), masks).removed == ["a.png"]
    mask_from_boxes([(30, 10, 40, 20)], (64, 64)).save(masks / "a.png")
    assert erased(config, masks).removed == ["a.png"]
    [edits] = read_manifest(PreparedFolder(Path(config.output))).edits.by_digest.values()
    assert [(one.method, one.box[0]) for one in edits.removed_regions] == [("telea", 10), ("ns", 10), ("telea", 30)]


def test_the_hosts_model_fills_and_is_recorded(images: ImageFolder, masks: Path, tmp_path: Path) -> None:
    images.draw("a.png")
    mask_from_boxes([(10, 10, 20, 20)], (64, 64)).save(masks / "a.png")
    config = settings(images, fill="model", fill_prompt="a wall")
    with pytest.raises(BadInput, match="no model can inpaint here"):
        erased(config, masks)
    assert erased(config, masks, FakeHost(tmp_path)).removed == ["a.png"]
    [edits] = read_manifest(PreparedFolder(Path(config.output))).edits.by_digest.values()
    region = edits.removed_regions[0]
    assert (region.method, region.prompt, region.model) == ("model", "a wall", "fake")


def test_broken_images_and_masks_stop_nothing(images: ImageFolder, masks: Path) -> None:
    for name in ("a.jpg", "b.png", "c.png"):
        images.draw(name, (200, 200))
        mask_from_boxes([(10, 10, 20, 20)], (200, 200)).save(masks / f"{Path(name).stem}.png")
    data = (images.path / "a.jpg").read_bytes()
    (images.path / "a.jpg").write_bytes(data[: len(data) // 2])
    (masks / "b.png").write_bytes(b"")
    outcome = erased(settings(images), masks)
    assert outcome.removed == ["c.png"]
    assert [one.path for one in outcome.skipped] == [images.path / "a.jpg", masks / "b.png"]


def test_stopping_keeps_what_was_removed(images: ImageFolder, masks: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        images.draw(name)
        mask_from_boxes([(10, 10, 20, 20)], (64, 64)).save(masks / name)
    config = settings(images)
    answers = iter([False, False, True])
    with pytest.raises(Stopped, match="after 2 of 3"):
        erased(config, masks, stop=lambda: next(answers))
    again = erased(config, masks)
    assert (again.removed, again.unchanged) == (["c.png"], ["a.png", "b.png"])


def test_edits_are_the_same_after_saving(tmp_path: Path) -> None:
    folder = PreparedFolder(tmp_path)
    edits = ImageEdits(
        "ä b.jpg", False, (CropBox(0.1, 1 / 3, 0.25, 0.5),), (RemovedRegion("ab12", (1, 2, 3, 4), "telea"),)
    )
    saved = update_edits(folder, lambda before: before.with_image("digest", edits))
    assert read_manifest(folder).edits == saved == Edits({"digest": edits})
    assert update_edits(folder, lambda before: before.with_image("digest", ImageEdits("x"))) == Edits()
