"""Results of a preparation: which files there are, and their pixels."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from lib_ti.config import PrepareConfig
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.make import pixels_to_open, proposed_crop_boxes, size_to_open
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.recipe.saliency import FaceDetector
from lib_ti.prep.recipe.write_results import describe
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, mask_from_boxes
from lib_ti.prep.remove.patches import save_patch
from lib_ti.prep.sources import open_layered
from tests.data.conftest import ImageFolder
from tests.fakes import FakeHost, FakeTools
from tests.prep.recipe.preparation import carried_out, centred, contents, edit, files, prepared


def test_images_captions_and_masks_come_out_and_the_originals_stay(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.jpg", (100, 80), caption="a house").with_suffix(".txt")
    images.draw("b.png", (80, 100), mode="RGBA")
    Image.new("L", (100, 80), 7).save(images.path / "a-mask.png")
    before = contents(images.path)
    summary = prepared(images)
    assert contents(images.path) == before
    assert files(output) == [
        "image_001-mask.png",
        "image_001.png",
        "image_001.txt",
        "image_002.png",
        "image_002.txt",
        "preparation.json",
    ]
    assert output.caption("image_001.png").read_text(encoding="utf-8") == "a house"
    assert output.caption("image_002.png").read_text(encoding="utf-8") == "b"
    with Image.open(output.image("image_002.png")) as second, Image.open(output.mask("image_001.png")) as mask:
        assert (second.mode, second.size) == ("RGBA", (64, 64))
        assert (mask.mode, mask.size, mask.getextrema()) == ("L", (64, 64), (7, 7))
    assert [describe(one) for one in summary.made] == [
        "a.jpg → image_001.png: cropped in the center, downscaled",
        "b.png → image_002.png: cropped in the center, downscaled",
    ]
    # Training reads the folder as it is.
    found = scan(output.path, Rules(64, 64, use_alpha=True))
    assert [item.caption for item in found.items] == ["a house", "b"]
    assert not found.skipped


def test_a_result_has_the_pixels_that_pillow_gives(images: ImageFolder, output: PreparedFolder) -> None:
    path = images.draw("a.png", (300, 200))
    prepared(images)
    with Image.open(path) as source, Image.open(output.image("image_001.png")) as result:
        plain = ImageOps.fit(source, (64, 64), Image.Resampling.LANCZOS)
        difference = np.abs(np.asarray(plain, int) - np.asarray(result, int))
    assert difference.mean() < 1
    assert np.percentile(difference, 99) <= 8


def test_large_jpegs_are_cropped_in_the_same_place_as_others(images: ImageFolder, output: PreparedFolder) -> None:
    path = images.draw("a.png", (1600, 1000))
    with Image.open(path) as image:
        image.save(images.path / "b.jpg", quality=95)
    plan = make_plan(centred(images))
    for name in ("a.png", "b.jpg"):
        edit(plan, name, crop_boxes=(CropBox(0.3, 0.2, 0.25, 0.4),))
    prepared(images)
    with (
        Image.open(output.image("image_001.png")) as first,
        Image.open(output.image("image_002.png")) as second,
    ):
        assert np.abs(np.asarray(first, int) - np.asarray(second, int)).mean() < 4


@pytest.mark.parametrize(
    ("values", "opened"),
    [
        ({}, (683, 512)),
        ({"downscale": False}, None),
        ({"width": 2048, "height": 2048, "shape": "keep"}, (2731, 2048)),
        ({"shape": "keep"}, (683, 512)),
    ],
)
def test_an_image_is_opened_no_larger_than_its_results_need(
    images: ImageFolder, values: dict, opened: tuple[int, int] | None
) -> None:
    Image.new("L", (4000, 3000)).save(images.path / "a.jpg")
    [planned] = make_plan(centred(images, **{"width": 512, "height": 512, **values})).results
    cover = size_to_open([planned.spec])
    assert cover == (opened and pytest.approx(opened, abs=1))
    piece = open_layered(planned.spec.item, cover=cover)
    width, height = piece.image.size
    assert width * height <= pixels_to_open([planned.spec]) <= 4000 * 3000
    assert cover is None or (width >= cover[0] and height >= cover[1])


def test_crop_boxes_follow_the_image_as_it_is_seen(images: ImageFolder, output: PreparedFolder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.new("RGB", (200, 100), "blue")
    stored.paste("red", (150, 0, 200, 100))  # at the bottom, when seen
    stored.save(images.path / "a.jpg", exif=exif, quality=95)
    edit(make_plan(centred(images)), "a.jpg", crop_boxes=(CropBox(0, 0.8, 0.4, 0.2),))
    prepared(images)
    with Image.open(output.image("image_001.png")) as result:
        red, _, blue = np.asarray(result).reshape(-1, 3).mean(axis=0)
        assert red > 200 and blue < 40


def test_flipped_copies_mirror_image_transparency_and_mask(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png", (64, 64), mode="RGBA", caption="left")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 20, 64))
    mask.save(images.path / "a-mask.png")
    summary = prepared(images, flip=True, flip_words=True)
    for name in ("image_{}.png", "image_{}-mask.png"):
        with Image.open(output.path / name.format("001")) as one, Image.open(output.path / name.format("002")) as other:
            assert ImageOps.mirror(one).tobytes() == other.tobytes()
    assert output.caption("image_002.png").read_text() == "right"
    assert describe(summary.made[1]) == "a.png → image_002.png: mirrored"


def test_removed_regions_are_gone_from_every_result(images: ImageFolder, output: PreparedFolder) -> None:
    image = Image.new("RGB", (800, 400), "green")
    image.paste("red", (360, 180, 440, 220))
    image.save(images.path / "a.jpg", quality=95)  # which is decoded at reduced size where nothing is erased
    frames = (CropBox(0, 0, 1, 1), CropBox(0.4, 0.4, 0.2, 0.2))
    edit(make_plan(centred(images)), "a.jpg", crop_boxes=frames)
    assert len(prepared(images, flip=True).made) == 4
    patch = inpaint(image, mask_from_boxes([(360, 180, 440, 220)], image.size, margin=8), FillMethod("telea"))
    save_patch(output, patch)
    edit(make_plan(centred(images)), "a.jpg", removed_regions=(patch.region,))
    summary = prepared(images, flip=True)
    assert len(summary.made) == 4
    for one in summary.made:
        with Image.open(output.image(one.name)) as result:
            assert result.getextrema()[0][1] < 40
        assert one.operations[0] == {"operation": "remove", "box": [352, 172, 448, 228], "by": "telea"}
    (output.patches / f"{patch.region.patch}.png").unlink()
    failed = prepared(images, flip=True, width=128).failed
    assert [one.path.name for one in failed] == ["a.jpg"]
    assert "remove the region again" in failed[0].reason


def test_the_host_loads_an_upscaler_only_for_small_images(
    images: ImageFolder, output: PreparedFolder, tmp_path: Path
) -> None:
    acquired: list[str] = []

    class Watched(FakeTools):
        def upscaler(self, name: str, report):
            acquired.append(name)
            return super().upscaler(name, report)

    host = FakeHost(tmp_path)
    host.tools = Watched()
    images.draw("large.png", (100, 100))
    prepared(images, host=host, upscaler="Nearest")
    assert not acquired
    images.draw("small.png", (32, 32))
    summary = prepared(images, host=host, upscaler="Nearest")
    assert acquired == ["Nearest"]
    assert summary.made[0].operations == ({"operation": "upscale", "by": "Nearest", "factor": 2.0},)
    # Enlarged by another one, and left small, it is another result.
    assert [one.source for one in prepared(images).made] == ["small.png"]
    assert [one.source for one in prepared(images, upscaler="none").made] == ["small.png"]
    with Image.open(output.image("image_002.png")) as result:
        assert result.size == (32, 32)
    with pytest.raises(BadInput, match="is not available here"):
        carried_out(make_plan(centred(images, upscaler="Nearest"), ["Nearest"]))


def test_previewed_crop_boxes_equal_those_of_the_results(images: ImageFolder, output: PreparedFolder) -> None:
    for name, size in (("a.jpg", (1200, 500)), ("b.png", (64, 64)), ("c.png", (400, 100)), ("d.jpg", (1500, 800))):
        images.draw(name, size)
    config = centred(images, framing="saliency", split=True, flip=True)
    edit(make_plan(config), "b.png", crop_boxes=(CropBox(0.1, 0, 0.2, 0.3), CropBox(0.5, 0.5, 0.5, 0.5)))
    plan, faces = make_plan(config), FaceDetector()
    items = {one.spec.item.path.name: (one.spec.item, one.spec.edits) for one in plan.results}
    shown = {name: proposed_crop_boxes(item, edits, config, faces) for name, (item, edits) in items.items()}
    carried_out(plan)
    made = [one for one in read_manifest(output).results if not one.flipped]
    assert shown == {name: [one.crop_box for one in made if one.source == name] for name in items}
    assert [len(frames) for frames in shown.values()] == [3, 2, 5, 1]


def test_names_that_are_no_unicode_are_prepared_too(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png").rename(images.path / os.fsdecode(b"caf\xe9 9.png"))
    prepared(images, name_pattern="[stem]")
    assert files(output) == ["caf 9.png", "caf 9.txt", "preparation.json"]
    assert output.caption("caf 9.png").read_text(encoding="utf-8") == "caf� 9"
    assert prepared(images, name_pattern="[stem]").unchanged == 1


def test_the_manifest_records_how_each_result_was_made(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png", (32, 64))
    prepared(images)
    content = json.loads(output.manifest.read_text(encoding="utf-8"))
    [result] = content["results"]
    assert (result["source"], result["name"]) == ("a.png", "image_001.png")
    assert [one["operation"] for one in result["operations"]] == ["crop", "upscale"]
    assert content["settings"]["source"] == str(images.path.resolve())
    # It is enough to prepare again.
    again = make_plan(PrepareConfig(**content["settings"]))
    assert [one.state for one in again.results] == ["unchanged"]


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "1", "I;16", "LA"])
def test_images_of_every_kind_come_out_as_rgb(images: ImageFolder, output: PreparedFolder, mode: str) -> None:
    image = Image.radial_gradient("L").resize((80, 80))
    if mode == "I;16":
        Image.fromarray(np.asarray(image).astype(np.uint16) * 257).save(images.path / "a.png")
    else:
        image.convert("RGB").convert(mode).save(images.path / f"a.{'jpg' if mode == 'CMYK' else 'png'}")
    prepared(images)
    with Image.open(output.image("image_001.png")) as result:
        assert result.mode == "RGB"
        assert result.getextrema()[0][1] > 200
