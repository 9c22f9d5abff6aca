"""Preparations of folders in which a person changed something since the last one."""

from __future__ import annotations

from PIL import Image

from lib_ti.data.dataset import Rules
from lib_ti.data.preparations import without_excluded
from lib_ti.data.scan import scan
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.loss_masks import remove_mask, save_mask
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.remove.inpaint import FillMethod, inpaint, mask_from_boxes
from lib_ti.prep.remove.patches import save_patch
from lib_ti.prep.sources import open_layered
from tests.data.conftest import ImageFolder
from tests.prep.recipe.preparation import carried_out, centred, contents, edit, files, prepared


def test_captions_that_were_edited_stay_and_others_follow_their_source(
    images: ImageFolder, output: PreparedFolder
) -> None:
    for name in ("a", "b", "c"):
        images.draw(f"{name}.png", (100, 100), caption=f"{name} before")
    prepared(images)
    output.caption("image_001.png").write_text("edited")
    output.caption("image_003.png").unlink()
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
    output.caption("image_001.png").write_text("edited")
    images.draw("a.png", salt="another")
    [note] = prepared(images).notes
    assert "a.png, which has changed; its caption was edited and is kept" in note
    assert output.caption("image_001.png").read_text() == "edited"


def test_a_mask_painted_on_a_result_stays_while_the_result_shows_the_same(
    images: ImageFolder, output: PreparedFolder
) -> None:
    images.draw("a.png", (200, 100))
    Image.new("L", (200, 100), 255).save(images.path / "a-mask.png")
    prepared(images)
    binarize = save_mask(output.image("image_001.png"), Image.new("L", (64, 64), 9)).read_bytes()
    prepared(images)
    prepared(images, width=128, height=128)
    assert output.mask("image_001.png").read_bytes() == binarize
    edit(make_plan(centred(images)), "a.png", crop_boxes=(CropBox(0, 0, 0.5, 1),))
    summary = prepared(images)
    [note] = summary.notes
    assert note.startswith("image_001.png now shows another region, so the mask painted on it does not fit")
    assert (output.removed / "image_001-mask.png").read_bytes() == binarize
    with Image.open(output.mask("image_001.png")) as mask:
        assert mask.getextrema() == (255, 255)


def test_a_removed_mask_stays_removed_until_the_result_is_recreated(
    images: ImageFolder, output: PreparedFolder
) -> None:
    images.draw("a.png")
    Image.new("L", (64, 64), 5).save(images.path / "a-mask.png")
    prepared(images)
    remove_mask(output.image("image_001.png"))
    prepared(images)
    assert not output.mask("image_001.png").exists()
    prepared(images, width=128)
    assert output.mask("image_001.png").exists()
    (images.path / "a-mask.png").unlink()
    prepared(images, width=128)
    assert not output.mask("image_001.png").exists()


def test_edited_results_are_set_aside_before_they_are_recreated(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png")
    prepared(images)
    Image.new("RGB", (9, 9)).save(output.image("image_001.png"))
    changed = output.image("image_001.png").read_bytes()
    summary = prepared(images)
    aside = output.removed / "image_001.png"
    assert summary.notes == [f"image_001.png was changed since it was made; the changed file is now {aside}."]
    assert aside.read_bytes() == changed


def test_a_file_that_appears_under_a_planned_name_is_put_aside(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png")
    plan = make_plan(centred(images))
    output.path.mkdir()
    output.image("image_001.png").write_bytes(b"someone's")
    carried_out(plan)
    assert (output.removed / "image_001.png").read_bytes() == b"someone's"


def test_obsolete_results_are_moved_and_not_deleted(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    Image.new("L", (64, 64)).save(images.path / "a-mask.png")
    prepared(images)
    before = contents(output.path)
    for _ in range(2):
        edit(make_plan(centred(images)), "a.png", excluded=True)
        assert prepared(images).removed == 1
        edit(make_plan(centred(images)), "b.png")  # nothing
        update_edits(output, lambda edits: type(edits)())
        prepared(images)
    aside = [f"removed/image_001{extra}" for extra in ("-2.png", "-2.txt", "-mask-2.png", "-mask.png", ".png", ".txt")]
    assert [name for name in files(output) if name.startswith("removed/")] == sorted(aside)
    assert (output.removed / "image_001.png").read_bytes() == before["image_001.png"]


def test_renaming_takes_caption_and_mask_along(images: ImageFolder, output: PreparedFolder) -> None:
    images.draw("a.png")
    Image.new("L", (64, 64)).save(images.path / "a-mask.png")
    prepared(images)
    summary = prepared(images, name="cat", name_pattern="[stem] [name] [number]")
    assert (summary.renamed, summary.unchanged, len(summary.made)) == (1, 1, 0)
    assert files(output) == ["a cat 001-mask.png", "a cat 001.png", "a cat 001.txt", "preparation.json"]


def test_decisions_made_during_a_run_are_kept(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    plan = make_plan(centred(images))
    carried_out(plan, progress=lambda done, total: edit(plan, "a.png", excluded=True) if done == 1 else None)
    manifest = read_manifest(output)
    assert [one.excluded for one in manifest.edits.by_digest.values()] == [True]
    assert all(one.digest for one in manifest.results)


def test_decisions_follow_the_images_into_another_prepared_folder(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png", "c.png"):
        images.draw(name)
    first = make_plan(centred(images))
    edit(first, "a.png", excluded=True)
    edit(first, "b.png", crop_boxes=(CropBox(0, 0, 0.5, 0.5),))
    item = next(one.spec.item for one in first.results if one.spec.item.path.name == "c.png")
    patch = inpaint(open_layered(item).image, mask_from_boxes([(8, 8, 16, 16)], (64, 64)), FillMethod("telea"))
    save_patch(first.folder, patch)
    edit(first, "c.png", removed_regions=(patch.region,))
    before = contents(output.path)
    elsewhere = PreparedFolder(output.path.with_name("elsewhere"))
    second = make_plan(centred(images, output=str(elsewhere.path)))
    assert second.excluded == ("a.png",)
    message = "count for {} too: 1 image excluded, 1 cropped by hand, 1 with regions removed."
    assert any(message.format(elsewhere.path) in remark for remark in second.remarks)
    assert not elsewhere.path.exists()
    summary = carried_out(second)
    assert [one.source for one in summary.made] == ["b.png", "c.png"]
    assert [one["operation"] for one in summary.made[1].operations] == ["remove"]
    assert contents(output.path) == before
    # From now on each folder has its own.
    edit(make_plan(centred(images)), "b.png", excluded=True)
    assert make_plan(centred(images, output=str(elsewhere.path))).excluded == ("a.png",)
    assert read_manifest(elsewhere).edits.describe() == "1 image excluded, 1 cropped by hand, 1 with regions removed"


def test_results_of_images_that_are_excluded_later_are_not_trained(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    prepared(images)
    edit(make_plan(centred(images)), "a.png", excluded=True)
    found = without_excluded(scan(output.path, Rules(64, 64, validation_split=0)))
    assert [item.path.name for item in found.items] == ["image_002.png"]
    assert "press Prepare to remove it from the folder): image_001.png." in found.remarks[0]
