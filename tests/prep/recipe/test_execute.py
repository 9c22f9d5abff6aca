"""Preparations carried out: every file by name, again, stopped, killed, and with what a person changed in between."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from lib_ti.config import PrepareConfig
from lib_ti.data.dataset import Rules
from lib_ti.data.preparations import without_excluded
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.loss_masks import remove_mask, save_mask
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe import stream
from lib_ti.prep.recipe.execute import PreparationSummary, execute_plan
from lib_ti.prep.recipe.make import pixels_to_open, proposed_crop_boxes, size_to_open
from lib_ti.prep.recipe.pixel_budget import PixelBudget
from lib_ti.prep.recipe.plan import Plan, make_plan
from lib_ti.prep.recipe.saliency import FaceDetector
from lib_ti.prep.recipe.write_results import describe
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, mask_from_boxes
from lib_ti.prep.remove.patches import save_patch
from lib_ti.prep.sources import open_layered
from lib_ti.storage.atomic import CannotWrite
from tests.data.conftest import ImageFolder
from tests.fakes import FakeHost, FakeTools


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "found")


@pytest.fixture
def output(tmp_path: Path) -> PreparedFolder:
    return PreparedFolder(tmp_path / "prepared")


def settings(images: ImageFolder, **values) -> PrepareConfig:
    output = images.path.parent / "prepared"
    common = {"source": str(images.path), "output": str(output), "width": 64, "height": 64, "framing": "centre"}
    return PrepareConfig(**{**common, **values})


def carried_out(plan: Plan, **options) -> PreparationSummary:
    return execute_plan(plan, **{"progress": lambda *_: None, "stop": lambda: False, **options})


def prepared(images: ImageFolder, *, host: FakeHost | None = None, **values) -> PreparationSummary:
    plan = make_plan(settings(images, **values), host.tools.upscalers if host else ())
    return carried_out(plan, tools=host.tools if host else None)


def edit(plan: Plan, name: str, **values) -> None:
    digest = next(one.spec.item.digest for one in plan.results if one.spec.item.path.name == name)
    update_edits(plan.folder, lambda edits: edits.with_image(digest, replace(edits.of(digest, name), **values)))


def files(folder: PreparedFolder) -> list[str]:
    """What training would see, and what was put aside."""
    inner = [f"removed/{path.name}" for path in folder.removed.iterdir()] if folder.removed.exists() else []
    return sorted(inner) + sorted(path.name for path in folder.path.iterdir() if path.is_file())


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_images_captions_and_masks_come_out_and_the_originals_stay(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.jpg", (100, 80), caption="a house").with_suffix(".txt")
    images.draw("b.png", (80, 100), mode="RGBA")
    Image.new("L", (100, 80), 7).save(images.path / "a-mask.png")
    before = contents(images.path)
    summary = prepared(images)
    assert contents(images.path) == before
    assert files(output) == [
        "picture_001-mask.png",
        "picture_001.png",
        "picture_001.txt",
        "picture_002.png",
        "picture_002.txt",
        "preparation.json",
    ]
    assert output.caption("picture_001.png").read_text(encoding="utf-8") == "a house"
    assert output.caption("picture_002.png").read_text(encoding="utf-8") == "b"
    with Image.open(output.image("picture_002.png")) as second, Image.open(output.mask("picture_001.png")) as mask:
        assert (second.mode, second.size) == ("RGBA", (64, 64))
        assert (mask.mode, mask.size, mask.getextrema()) == ("L", (64, 64), (7, 7))
    assert [describe(one) for one in summary.made] == [
        "a.jpg → picture_001.png: cropped in the center, downscaled",
        "b.png → picture_002.png: cropped in the center, downscaled",
    ]
    # Training reads the folder as it is.
    found = scan(output.path, Rules(64, 64, use_alpha=True))
    assert [item.caption for item in found.items] == ["a house", "b"]
    assert not found.skipped


def test_a_result_has_the_pixels_that_pillow_gives(images: ImageFolder, output: PreparedFolder) -> None:
    path = images.draw("a.png", (300, 200))
    prepared(images)
    with Image.open(path) as source, Image.open(output.image("picture_001.png")) as result:
        plain = ImageOps.fit(source, (64, 64), Image.Resampling.LANCZOS)
        difference = np.abs(np.asarray(plain, int) - np.asarray(result, int))
    assert difference.mean() < 1
    assert np.percentile(difference, 99) <= 8


def test_large_jpegs_are_cropped_in_the_same_place_as_others(images: ImageFolder, output: PreparedFolder) -> None:
    path = images.draw("a.png", (1600, 1000))
    with Image.open(path) as image:
        image.save(images.path / "b.jpg", quality=95)
    plan = make_plan(settings(images))
    for name in ("a.png", "b.jpg"):
        edit(plan, name, crop_boxes=(CropBox(0.3, 0.2, 0.25, 0.4),))
    prepared(images)
    with (
        Image.open(output.image("picture_001.png")) as first,
        Image.open(output.image("picture_002.png")) as second,
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
    [planned] = make_plan(settings(images, **{"width": 512, "height": 512, **values})).results
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
    edit(make_plan(settings(images)), "a.jpg", crop_boxes=(CropBox(0, 0.8, 0.4, 0.2),))
    prepared(images)
    with Image.open(output.image("picture_001.png")) as result:
        red, _, blue = np.asarray(result).reshape(-1, 3).mean(axis=0)
        assert red > 200 and blue < 40


def test_flipped_copies_mirror_image_transparency_and_mask(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png", (64, 64), mode="RGBA", caption="left")
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 20, 64))
    mask.save(images.path / "a-mask.png")
    summary = prepared(images, flip=True, flip_words=True)
    for name in ("picture_{}.png", "picture_{}-mask.png"):
        with Image.open(output.path / name.format("001")) as one, Image.open(output.path / name.format("002")) as other:
            assert ImageOps.mirror(one).tobytes() == other.tobytes()
    assert output.caption("picture_002.png").read_text() == "right"
    assert describe(summary.made[1]) == "a.png → picture_002.png: mirrored"


def test_removed_regions_are_gone_from_every_result(images: ImageFolder, output: PreparedFolder) -> None:
    image = Image.new("RGB", (800, 400), "green")
    image.paste("red", (360, 180, 440, 220))
    image.save(images.path / "a.jpg", quality=95)  # which is decoded at reduced size where nothing is erased
    frames = (CropBox(0, 0, 1, 1), CropBox(0.4, 0.4, 0.2, 0.2))
    edit(make_plan(settings(images)), "a.jpg", crop_boxes=frames)
    assert len(prepared(images, flip=True).made) == 4
    patch = inpaint(image, mask_from_boxes([(360, 180, 440, 220)], image.size, margin=8), FillMethod("telea"))
    save_patch(output, patch)
    edit(make_plan(settings(images)), "a.jpg", removed_regions=(patch.region,))
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
    lent: list[str] = []

    class Watched(FakeTools):
        def upscaler(self, name: str, report):
            lent.append(name)
            return super().upscaler(name, report)

    host = FakeHost(tmp_path)
    host.tools = Watched()
    images.draw("large.png", (100, 100))
    prepared(images, host=host, upscaler="Nearest")
    assert not lent
    images.draw("small.png", (32, 32))
    summary = prepared(images, host=host, upscaler="Nearest")
    assert lent == ["Nearest"]
    assert summary.made[0].operations == ({"operation": "upscale", "by": "Nearest", "factor": 2.0},)
    # Enlarged by another one, and left small, it is another result.
    assert [one.source for one in prepared(images).made] == ["small.png"]
    assert [one.source for one in prepared(images, upscaler="none").made] == ["small.png"]
    with Image.open(output.image("picture_002.png")) as result:
        assert result.size == (32, 32)
    with pytest.raises(BadInput, match="is not available here"):
        carried_out(make_plan(settings(images, upscaler="Nearest"), ["Nearest"]))


def test_previewed_crop_boxes_equal_those_of_the_results(images: ImageFolder, output: PreparedFolder) -> None:
    for name, size in (("a.jpg", (1200, 500)), ("b.png", (64, 64)), ("c.png", (400, 100)), ("d.jpg", (1500, 800))):
        images.draw(name, size)
    config = settings(images, framing="saliency", split=True, flip=True)
    edit(make_plan(config), "b.png", crop_boxes=(CropBox(0.1, 0, 0.2, 0.3), CropBox(0.5, 0.5, 0.5, 0.5)))
    plan, faces = make_plan(config), FaceDetector()
    items = {one.spec.item.path.name: (one.spec.item, one.spec.edits) for one in plan.results}
    shown = {name: proposed_crop_boxes(item, edits, config, faces) for name, (item, edits) in items.items()}
    carried_out(plan)
    made = [one for one in read_manifest(output).results if not one.flipped]
    assert shown == {name: [one.crop_box for one in made if one.source == name] for name in items}
    assert [len(frames) for frames in shown.values()] == [3, 2, 5, 1]


# Again


def test_a_second_run_does_nothing(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.jpg"):
        images.draw(name, (100, 80))
    prepared(images, framing="saliency")
    before = contents(output.path)
    times = {path: path.stat().st_mtime_ns for path in output.path.rglob("*.png")}
    summary = prepared(images, framing="saliency")
    assert (len(summary.made), summary.unchanged) == (0, 2)
    assert contents(output.path) == before
    assert {path: path.stat().st_mtime_ns for path in output.path.rglob("*.png")} == times


def test_a_stopped_run_is_continued(images: ImageFolder, output: PreparedFolder) -> None:
    for number in range(9):
        images.draw(f"{number}.png")
    seen: list[tuple[int, int]] = []
    with pytest.raises(Stopped, match=r"after \d of 9 images"):
        carried_out(
            make_plan(settings(images, workers=1)),
            progress=lambda done, total: seen.append((done, total)),
            stop=lambda: len(seen) > 3,
        )
    done = seen[-1][0]
    assert seen == [(number, 9) for number in range(done + 1)]
    assert 3 <= done < 9
    summary = prepared(images)
    assert (len(summary.made), summary.unchanged) == (9 - done, done)
    assert [path.name for path in sorted(output.path.glob("*.png"))] == [f"picture_{n:03}.png" for n in range(1, 10)]


def _run_until_killed(plan: Plan) -> None:
    carried_out(plan, progress=lambda done, total: os._exit(9) if done == 4 else None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_killed_while_recreating_results_continues_silently(images: ImageFolder, output: PreparedFolder) -> None:
    for number in range(9):
        images.draw(f"{number}.png", (100, 80))
    prepared(images)
    plan = make_plan(settings(images, width=128))
    process = multiprocessing.get_context("fork").Process(target=_run_until_killed, args=(plan,))
    process.start()
    process.join(20)
    summary = prepared(images, width=128)
    assert (len(summary.made), summary.notes) == (9, [])
    assert not output.removed.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_run_is_continued_under_the_same_names(images: ImageFolder, output: PreparedFolder) -> None:
    for number in range(9):
        images.draw(f"{number}.png", (100, 80), caption=f"caption {number}")
        Image.new("L", (100, 80), 9).save(images.path / f"{number}-mask.png")
    plan = make_plan(settings(images, workers=2))
    process = multiprocessing.get_context("fork").Process(target=_run_until_killed, args=(plan,))
    process.start()
    process.join(20)
    assert process.exitcode == 9
    assert len(list(output.path.glob("picture_*-mask.png"))) >= 4
    (output.path / ".picture_001-0123abcd.png.writing").write_bytes(b"half a pic")
    (output.path / ".picture_001-89abcdef.writing.png").write_bytes(b"an earlier version's")
    output.caption("picture_001.png").write_text("edited meanwhile")
    summary = prepared(images)
    assert len(summary.made) == 9
    assert not summary.notes
    assert sorted(path.name for path in output.path.glob("*.png")) == [
        f"picture_{number:03}{kind}.png" for number in range(1, 10) for kind in ("-mask", "")
    ]
    assert not list(output.path.glob(".*.writing*"))
    assert not output.removed.exists()
    assert output.caption("picture_001.png").read_text() == "edited meanwhile"
    assert output.caption("picture_009.png").read_text() == "caption 8"


def test_captions_that_were_edited_stay_and_others_follow_their_source(
    images: ImageFolder, output: PreparedFolder
) -> None:
    for name in ("a", "b", "c"):
        images.draw(f"{name}.png", (100, 100), caption=f"{name} before")
    prepared(images)
    output.caption("picture_001.png").write_text("edited")
    output.caption("picture_003.png").unlink()
    for name in ("a", "b"):
        (images.path / f"{name}.txt").write_text(f"{name} after")
    for values in ({}, {"width": 128}, {"width": 128, "name": "cat"}):  # kept, made again, renamed
        prepared(images, **values)
        captions = [path.read_text() for path in sorted(output.path.glob("*.txt"))]
        assert captions == ["edited", "b after", "c before"]
    assert [path.name for path in sorted(output.path.glob("*.txt"))] == ["cat_001.txt", "cat_002.txt", "cat_003.txt"]


def test_an_edited_caption_of_a_changed_source_is_kept_and_reported(
    images: ImageFolder, output: PreparedFolder
) -> None:
    images.draw("a.png", caption="a house")
    prepared(images)
    output.caption("picture_001.png").write_text("edited")
    images.draw("a.png", salt="another")
    [note] = prepared(images).notes
    assert "a.png, which has changed; its caption was edited and is kept" in note
    assert output.caption("picture_001.png").read_text() == "edited"


def test_names_that_are_no_unicode_are_prepared_too(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png").rename(images.path / os.fsdecode(b"caf\xe9 9.png"))
    prepared(images, name_pattern="[stem]")
    assert files(output) == ["caf 9.png", "caf 9.txt", "preparation.json"]
    assert output.caption("caf 9.png").read_text(encoding="utf-8") == "caf� 9"
    assert prepared(images, name_pattern="[stem]").unchanged == 1


def test_a_mask_painted_on_a_result_stays_while_the_result_shows_the_same(
    images: ImageFolder, output: PreparedFolder
) -> None:
    images.draw("a.png", (200, 100))
    Image.new("L", (200, 100), 255).save(images.path / "a-mask.png")
    prepared(images)
    binarize = save_mask(output.image("picture_001.png"), Image.new("L", (64, 64), 9)).read_bytes()
    prepared(images)
    prepared(images, width=128, height=128)
    assert output.mask("picture_001.png").read_bytes() == binarize
    edit(make_plan(settings(images)), "a.png", crop_boxes=(CropBox(0, 0, 0.5, 1),))
    summary = prepared(images)
    [note] = summary.notes
    assert note.startswith("picture_001.png now shows another region, so the mask painted on it does not fit")
    assert (output.removed / "picture_001-mask.png").read_bytes() == binarize
    with Image.open(output.mask("picture_001.png")) as mask:
        assert mask.getextrema() == (255, 255)


def test_a_removed_mask_stays_removed_until_the_result_is_recreated(
    images: ImageFolder, output: PreparedFolder
) -> None:
    images.draw("a.png")
    Image.new("L", (64, 64), 5).save(images.path / "a-mask.png")
    prepared(images)
    remove_mask(output.image("picture_001.png"))
    prepared(images)
    assert not output.mask("picture_001.png").exists()
    prepared(images, width=128)
    assert output.mask("picture_001.png").exists()
    (images.path / "a-mask.png").unlink()
    prepared(images, width=128)
    assert not output.mask("picture_001.png").exists()


def test_edited_results_are_set_aside_before_they_are_recreated(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png")
    prepared(images)
    Image.new("RGB", (9, 9)).save(output.image("picture_001.png"))
    changed = output.image("picture_001.png").read_bytes()
    summary = prepared(images)
    aside = output.removed / "picture_001.png"
    assert summary.notes == [f"picture_001.png was changed since it was made; the changed file is now {aside}."]
    assert aside.read_bytes() == changed


def test_a_file_that_appears_under_a_planned_name_is_put_aside(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png")
    plan = make_plan(settings(images))
    output.path.mkdir()
    output.image("picture_001.png").write_bytes(b"someone's")
    carried_out(plan)
    assert (output.removed / "picture_001.png").read_bytes() == b"someone's"


def test_obsolete_results_are_moved_and_not_deleted(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    Image.new("L", (64, 64)).save(images.path / "a-mask.png")
    prepared(images)
    before = contents(output.path)
    for _ in range(2):
        edit(make_plan(settings(images)), "a.png", excluded=True)
        assert prepared(images).removed == 1
        edit(make_plan(settings(images)), "b.png")  # nothing
        update_edits(output, lambda edits: type(edits)())
        prepared(images)
    aside = [
        f"removed/picture_001{extra}" for extra in ("-2.png", "-2.txt", "-mask-2.png", "-mask.png", ".png", ".txt")
    ]
    assert [name for name in files(output) if name.startswith("removed/")] == sorted(aside)
    assert (output.removed / "picture_001.png").read_bytes() == before["picture_001.png"]


def test_renaming_takes_caption_and_mask_along(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png")
    Image.new("L", (64, 64)).save(images.path / "a-mask.png")
    prepared(images)
    summary = prepared(images, name="cat", name_pattern="[stem] [name] [number]")
    assert (summary.renamed, summary.unchanged, len(summary.made)) == (1, 1, 0)
    assert files(output) == ["a cat 001-mask.png", "a cat 001.png", "a cat 001.txt", "preparation.json"]


def test_the_manifest_records_how_each_result_was_made(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png", (32, 64))
    prepared(images)
    content = json.loads(output.manifest.read_text(encoding="utf-8"))
    [result] = content["results"]
    assert (result["source"], result["name"]) == ("a.png", "picture_001.png")
    assert [one["operation"] for one in result["operations"]] == ["crop", "upscale"]
    assert content["settings"]["source"] == str(images.path.resolve())
    # It is enough to prepare again.
    again = make_plan(PrepareConfig(**content["settings"]))
    assert [one.state for one in again.results] == ["unchanged"]


def test_decisions_made_during_a_run_are_kept(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    plan = make_plan(settings(images))
    carried_out(plan, progress=lambda done, total: edit(plan, "a.png", excluded=True) if done == 1 else None)
    manifest = read_manifest(output)
    assert [one.excluded for one in manifest.edits.by_digest.values()] == [True]
    assert all(one.digest for one in manifest.results)


def test_changes_of_the_manifest_by_many_at_once_are_all_kept(output: PreparedFolder) -> None:
    def decide(number: int) -> None:
        update_edits(output, lambda edits: edits.with_image(f"{number}", replace(edits.of("", "x.png"), excluded=True)))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_manifest(output).edits.by_digest) == 8


# What goes wrong


def test_broken_files_stop_nothing(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.png", "e.png"):
        images.draw(name, (200, 200))
    data = (images.path / "b.jpg").read_bytes()
    (images.path / "b.jpg").write_bytes(data[: len(data) // 2])
    (images.path / "d-mask.png").write_bytes(b"no picture")
    plan = make_plan(settings(images))
    images.draw("c.jpg", (200, 200), salt="changed meanwhile")
    summary = carried_out(plan)
    assert [one.source for one in summary.made] == ["a.jpg", "e.png"]
    assert {one.path.name: one.reason for one in summary.failed} == {
        "c.jpg": "the file was changed while the images were being read; start the run again to use it",
    }
    assert {one.path.name: one.reason for one in plan.skipped} == {
        "b.jpg": "the file is cut off; copy or download it again",
        "d.png": "its mask d-mask.png cannot be used: it is not an image of a known kind",
    }
    assert "1 image could not be used." in summary.describe()
    # What was changed meanwhile keeps its name; what was broken gets one once it is whole.
    images.draw("b.jpg", (200, 200))
    assert [one.name for one in prepared(images).made] == ["picture_004.png", "picture_002.png"]


@pytest.mark.parametrize("mode", ["CMYK", "L", "P", "1", "I;16", "LA"])
def test_images_of_every_kind_come_out_as_rgb(images: ImageFolder, output: PreparedFolder, mode: str) -> None:
    image = Image.radial_gradient("L").resize((80, 80))
    if mode == "I;16":
        Image.fromarray(np.asarray(image).astype(np.uint16) * 257).save(images.path / "a.png")
    else:
        image.convert("RGB").convert(mode).save(images.path / f"a.{'jpg' if mode == 'CMYK' else 'png'}")
    prepared(images)
    with Image.open(output.image("picture_001.png")) as result:
        assert result.mode == "RGB"
        assert result.getextrema()[0][1] > 200


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_made(
    images: ImageFolder, tmp_path: Path
) -> None:
    images.draw("a.png")
    plan = make_plan(settings(images))
    (tmp_path / "prepared").write_text("in the way")
    with pytest.raises(CannotWrite, match="cannot be written"):
        carried_out(plan)


def test_a_full_disk_ends_the_run_and_finished_results_are_kept(
    images: ImageFolder, output: PreparedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        images.draw(f"{number}.png")
    written = stream.write_results.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.name == "picture_003.png":
            raise CannotWrite(f"{path} cannot be written: the disk is full.")
        written(path, data)

    monkeypatch.setattr(stream.write_results, "write_bytes", full)
    with pytest.raises(CannotWrite, match="disk is full"):
        prepared(images, workers=1)
    monkeypatch.setattr(stream.write_results, "write_bytes", written)
    summary = prepared(images)
    assert (len(summary.made), summary.unchanged) == (2, 2)


def test_a_plan_is_carried_out_once(images: ImageFolder) -> None:
    images.draw("a.png")
    plan = make_plan(settings(images))
    carried_out(plan)
    with pytest.raises(BadInput, match="make a new plan"):
        carried_out(plan)


def test_two_runs_of_one_folder_do_not_mix(images: ImageFolder) -> None:
    images.draw("a.png")
    plan = make_plan(settings(images))
    refused: list[str] = []

    def meanwhile(done: int, total: int) -> None:
        if done == 0:
            with pytest.raises(BadInput) as error:
                carried_out(plan)
            refused.append(str(error.value))

    carried_out(plan, progress=meanwhile)
    assert len(refused) == 1 and "Another preparation" in refused[0]


def test_few_images_are_open_at_one_time(images: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        images.draw(f"{number}.png")
    at_once, most = [0], [0]
    lock = threading.Lock()
    opened = stream.open_layered

    def watched(*args, **options):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.01)
        piece = opened(*args, **options)
        with lock:
            at_once[0] -= 1
        return piece

    monkeypatch.setattr(stream, "open_layered", watched)
    prepared(images, workers=3)
    assert 2 <= most[0] <= 3
    # Large ones even fewer.
    monkeypatch.setattr(stream, "MOST_PIXELS", 64 * 64 + 1)
    most[0] = 0
    prepared(images, workers=3, width=128)
    assert most[0] == 1


def test_who_needs_more_room_than_there_is_waits_until_alone() -> None:
    room = PixelBudget(10)
    events: list[str] = []

    def large() -> None:
        with room.taken(99):
            events.append("large")

    with room.taken(4):
        thread = threading.Thread(target=large)
        thread.start()
        time.sleep(0.02)
        events.append("small")
    thread.join(5)
    assert events == ["small", "large"]
    with room.taken(10):
        pass


def test_decisions_follow_the_images_into_another_prepared_folder(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png", "c.png"):
        images.draw(name)
    first = make_plan(settings(images))
    edit(first, "a.png", excluded=True)
    edit(first, "b.png", crop_boxes=(CropBox(0, 0, 0.5, 0.5),))
    item = next(one.spec.item for one in first.results if one.spec.item.path.name == "c.png")
    patch = inpaint(open_layered(item).image, mask_from_boxes([(8, 8, 16, 16)], (64, 64)), FillMethod("telea"))
    save_patch(first.folder, patch)
    edit(first, "c.png", removed_regions=(patch.region,))
    before = contents(output.path)
    elsewhere = PreparedFolder(output.path.with_name("elsewhere"))
    second = make_plan(settings(images, output=str(elsewhere.path)))
    assert second.excluded == ("a.png",)
    said = "count for {} too: 1 image excluded, 1 cropped by hand, 1 with regions removed."
    assert any(said.format(elsewhere.path) in remark for remark in second.remarks)
    assert not elsewhere.path.exists()
    summary = carried_out(second)
    assert [one.source for one in summary.made] == ["b.png", "c.png"]
    assert [one["operation"] for one in summary.made[1].operations] == ["remove"]
    assert contents(output.path) == before
    # From now on each folder has its own.
    edit(make_plan(settings(images)), "b.png", excluded=True)
    assert make_plan(settings(images, output=str(elsewhere.path))).excluded == ("a.png",)
    assert read_manifest(elsewhere).edits.describe() == "1 image excluded, 1 cropped by hand, 1 with regions removed"


def test_results_of_images_that_are_excluded_later_are_not_trained(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    prepared(images)
    edit(make_plan(settings(images)), "a.png", excluded=True)
    found = without_excluded(scan(output.path, Rules(64, 64, validation_split=0)))
    assert [item.path.name for item in found.items] == ["picture_002.png"]
    assert "press Prepare to remove it from the folder): picture_001.png." in found.remarks[0]
