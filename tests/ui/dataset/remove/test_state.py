"""Regions removed from one image at a time, undone and redone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import BadInput, Busy, Stopped
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.remove.inpaint import FillMethod, plain_methods
from lib_ti.signals import Control
from lib_ti.ui.dataset.painting import layer as painted
from lib_ti.ui.dataset.painting import view as painting_view
from lib_ti.ui.dataset.remove import view as remove_view
from lib_ti.ui.dataset.remove.fills import FillComparison, FillRequest
from lib_ti.ui.dataset.remove.state import Removals
from tests.fakes import FakeHost
from tests.prep.photographs import photograph
from tests.ui.dataset.remove.conftest import BOX, difference, layer, seen


def test_images_are_those_of_the_source_folder(config: PrepareConfig, removals: Removals) -> None:
    assert [(one.name, one.note) for one in removals.images(config)] == [("coffee.png", ""), ("red", "")]
    removals.remove(FillRequest(config, "coffee.png", layer(config)))
    assert [one.note for one in removals.images(config)] == ["1 removed", ""]


def test_what_is_removed_is_shown_and_prepared(config: PrepareConfig, removals: Removals) -> None:
    before = (Path(config.source) / "coffee.png").read_bytes()
    assert removals.stage(config, "coffee.png").before == ""
    by_telea = replace(config, fill="telea")
    assert (
        "Removed in coffee.png, by telea" in removals.remove(FillRequest(by_telea, "coffee.png", layer(config))).message
    )
    stage = removals.stage(config, "coffee.png")
    assert stage.note == "1 removed"
    assert stage.can_undo
    assert not stage.can_redo
    now, then = seen(stage.now), seen(stage.before)
    assert now.crop(BOX).resize((1, 1)).getpixel((0, 0))[1] < 150 < then.crop(BOX).resize((1, 1)).getpixel((0, 0))[1]
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    with Image.open(Path(config.output) / "image_001.png") as result:
        crop_box = read_manifest(PreparedFolder(Path(config.output))).results[0].crop_box
        assert crop_box is not None
        assert difference(result, now.crop(crop_box.pixels(now.size))) < 4  # that one is a JPEG
    assert (Path(config.source) / "coffee.png").read_bytes() == before


def test_undo_gives_back_image_and_paint_and_redo_the_removed_region(config: PrepareConfig, removals: Removals) -> None:
    text = layer(config)
    removals.remove(FillRequest(config, "coffee.png", text))
    erased = removals.stage(config, "coffee.png").now
    other = layer(config, box=(400, 50, 420, 60))
    sentence, again = removals.undo(config, "coffee.png", other)
    assert "Undone in coffee.png" in sentence
    painted_again = painted.read(again).layer
    assert painted_again is not None
    both = [painted.read(one).layer for one in (text, other)]
    assert painted_again.getbbox() == (58, 48, 423, 353)
    assert np.array_equal(np.asarray(painted_again), np.maximum(*(np.asarray(one) for one in both)))
    assert removals.stage(config, "coffee.png").before == ""
    assert removals.stage(config, "coffee.png").can_redo
    assert painted.read(removals.redo(config, "coffee.png")[1]).layer is None
    assert removals.stage(config, "coffee.png").now == erased
    with pytest.raises(BadInput, match="Nothing was undone in coffee.png"):
        removals.redo(config, "coffee.png")


def test_a_new_removal_ends_redo(config: PrepareConfig, removals: Removals) -> None:
    removals.remove(FillRequest(config, "coffee.png", layer(config)))
    removals.undo(config, "coffee.png")
    removals.remove(FillRequest(replace(config, fill="ns"), "coffee.png", layer(config)))
    with pytest.raises(BadInput, match="Nothing was undone"):
        removals.redo(config, "coffee.png")
    with pytest.raises(BadInput, match="Nothing is removed in red"):
        removals.undo(config, "red")


def test_repeating_a_removal_changes_nothing(config: PrepareConfig, removals: Removals) -> None:
    removals.remove(FillRequest(config, "coffee.png", layer(config)))
    assert "nothing has changed" in removals.remove(FillRequest(config, "coffee.png", layer(config))).message
    assert removals.stage(config, "coffee.png").note == "1 removed"


def test_a_model_fills_with_prompt_and_seed(config: PrepareConfig, removals: Removals) -> None:
    by_model = replace(config, fill="model", fill_prompt="wood")
    removals.remove(FillRequest(by_model, "coffee.png", layer(config), 77))
    edits = read_manifest(PreparedFolder(Path(config.output))).edits
    (region,) = next(iter(edits.by_digest.values())).removed_regions
    assert (region.method, region.prompt, region.seed, region.model) == ("model", "wood", 77, "fake")
    assert seen(removals.stage(config, "coffee.png").now).getpixel((130, 335))[0] in range(67, 87)
    with pytest.raises(BadInput, match="The seed is -1; enter a number from 0"):
        removals.remove(FillRequest(by_model, "coffee.png", layer(config), -1))


def compare(removals: Removals, request: FillRequest) -> FillComparison:
    return removals.compare(request, TaskContext(lambda **_: None))


def test_fills_are_compared_without_removing_anything(config: PrepareConfig, removals: Removals) -> None:
    compared = compare(removals, FillRequest(config, "coffee.png", layer(config)))
    assert tuple(one.method for one in compared.fills) == (*plain_methods(), "model")
    assert [one.method for one in compared.fills if one.automatic] == [FillMethod("auto").for_mask(wide()).method]
    before, *after = (seen(source) for source in (compared.before, *(one.address for one in compared.fills)))
    assert {one.size for one in after} == {before.size}
    assert before.width < photograph("coffee").width
    assert all(difference(one, before) > 1 for one in after)
    assert not Path(config.output).exists()
    with pytest.raises(BadInput, match="Nothing is painted"):
        compare(removals, FillRequest(config, "coffee.png", ""))


def test_a_chosen_fill_is_removed_as_it_was_shown(config: PrepareConfig, removals: Removals) -> None:
    compared = compare(removals, FillRequest(config, "coffee.png", layer(config)))
    removed = removals.choose(compared, compared.key, "ns")
    assert (removed.name, removed.source) == ("coffee.png", config.source)
    assert "Removed in coffee.png, by ns" in removed.message
    edits = read_manifest(PreparedFolder(Path(config.output))).edits
    (region,) = next(iter(edits.by_digest.values())).removed_regions
    patch = compared.patch("ns")
    assert patch is not None
    assert region == patch.region


def test_a_fill_is_not_chosen_for_an_image_that_has_changed_since(config: PrepareConfig, removals: Removals) -> None:
    compared = compare(removals, FillRequest(config, "coffee.png", layer(config)))
    removals.remove(FillRequest(config, "coffee.png", layer(config, box=(400, 50, 420, 60))))
    with pytest.raises(BadInput, match=r"coffee\.png has changed since its fills were compared"):
        removals.choose(compared, compared.key, "ns")
    for key, method in ((compared.key, "none"), ("other", "ns")):
        with pytest.raises(BadInput, match="no longer kept: press Compare fills again"):
            removals.choose(compared, key, method)
    with pytest.raises(BadInput, match="no longer kept"):
        removals.choose(None, "", "ns")


def test_a_method_that_fails_is_reported_among_the_others(config: PrepareConfig, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)

    def busy(_: object) -> object:
        raise Busy("Training is in progress: wait until it has ended.")

    host.tools.inpainter = busy  # type: ignore[assignment, method-assign]
    compared = compare(Removals(host), FillRequest(config, "coffee.png", layer(config)))
    assert [one.problem for one in compared.fills if one.problem] == [
        "Training is in progress: wait until it has ended."
    ]
    assert all(one.address for one in compared.fills if not one.problem)
    assert "Training is in progress" in remove_view.compared_fills(compared)


def test_comparing_can_be_stopped(config: PrepareConfig, removals: Removals) -> None:
    control = Control()
    control.stop()
    with pytest.raises(Stopped, match=r"Comparing the fills of coffee\.png was stopped"):
        removals.compare(FillRequest(config, "coffee.png", layer(config)), TaskContext(lambda **_: None, control))


def test_what_is_painted_while_a_fill_is_made_stays_painted(config: PrepareConfig, removals: Removals) -> None:
    removed = removals.remove(FillRequest(config, "coffee.png", layer(config)))
    assert painted.read(removals.remaining(config, removed, layer(config))).layer is None
    both = Image.new("L", (600, 400))
    for mask in (wide(), wide((400, 50, 420, 60))):
        both.paste(255, mask=mask)
    path = Path(config.source) / "coffee.png"
    left = painted.read(removals.remaining(config, removed, painted.write(path, both))).layer
    assert left is not None
    assert left.getbbox() == (398, 48, 423, 63)


def wide(box: tuple[int, int, int, int] = BOX) -> Image.Image:
    """What :func:`layer` paints, as a mask."""
    mask = Image.new("L", (600, 400))
    mask.paste(255, (box[0] - 2, box[1] - 2, box[2] + 3, box[3] + 3))
    return mask


def test_a_missing_inpainting_model_is_reported(config: PrepareConfig, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.tools.can_inpaint = False  # type: ignore[misc]
    with pytest.raises(BadInput, match="no model can inpaint here; choose auto, telea or ns"):
        Removals(host).remove(FillRequest(replace(config, fill="model"), "coffee.png", layer(config)))


def test_paint_of_one_image_never_gets_to_another(config: PrepareConfig, removals: Removals) -> None:
    with pytest.raises(BadInput, match=r"belongs to coffee\.png and not to red"):
        removals.remove(FillRequest(config, "red", layer(config)))
    with pytest.raises(BadInput, match="Nothing is painted"):
        removals.remove(FillRequest(config, "red", ""))
    with pytest.raises(BadInput, match="Nothing is painted"):
        removals.remove(FillRequest(config, "red", painted.write(Path(config.source) / "red", None)))
    assert not Path(config.output).exists()


def test_text_is_found_beside_what_is_painted(config: PrepareConfig, removals: Removals) -> None:
    image = photograph("coffee").copy()
    box = ImageDraw.Draw(image).textbbox((0, 0), "COPYRIGHT")
    words = Image.new("L", (box[2], box[3]))
    ImageDraw.Draw(words).text((0, 0), "COPYRIGHT my blog", fill=255)
    words = words.resize((words.width * 5, words.height * 5))
    image.paste("white", (30, 300), words)
    image.save(Path(config.source) / "signed.png")
    text, sentence = removals.find_text(config, "signed.png", layer(config, "signed.png", (500, 10, 520, 20)))
    assert "Possible text is painted over" in sentence
    found = painted.read(text).layer
    assert found is not None
    mask = np.asarray(found) > 127
    letters = np.zeros_like(mask)
    letters[300 : 300 + words.height, 30 : 30 + words.width] = np.asarray(words) > 200
    assert mask[letters].mean() > 0.9
    assert mask[10:20, 500:520].all()
    assert mask.mean() < 0.2


def test_no_text_is_reported_and_paint_stays(config: PrepareConfig, removals: Removals) -> None:
    before = layer(config, "red", (10, 10, 20, 20))
    text, sentence = removals.find_text(config, "red", before)
    assert (text, sentence) == (before, "No text was found in red; paint over the area to remove.")


def test_a_mask_from_a_file_is_painted(config: PrepareConfig, removals: Removals, tmp_path: Path) -> None:
    mask = Image.new("L", (300, 200))
    mask.paste(255, (0, 0, 150, 200))
    mask.save(tmp_path / "mask.png")
    found = painted.read(removals.load(config, "coffee.png", tmp_path / "mask.png")[0]).layer
    assert found is not None
    assert found.size == (600, 400)
    assert np.asarray(found)[:, :298].min() == 255
    (tmp_path / "mask.png").write_bytes(b"")
    with pytest.raises(UnreadableImage):
        removals.load(config, "coffee.png", tmp_path / "mask.png")


@pytest.mark.parametrize("name", ["", "../found/coffee.png", "missing.png"])
def test_what_is_no_image_of_the_folder_is_refused(config: PrepareConfig, removals: Removals, name: str) -> None:
    for action in (removals.stage, removals.undo):
        with pytest.raises(BadInput, match="choose"):
            action(config, name)


def test_names_that_are_no_unicode_can_be_chosen(config: PrepareConfig, removals: Removals) -> None:
    path = Path(config.source) / "caf\udce9.png"
    Image.new("RGB", (64, 64), "blue").save(path)
    (name,) = [one.name for one in removals.images(config) if one.name.startswith("caf")]
    assert name == "caf�.png"
    assert removals.stage(config, name).path == path
    page = painting_view.row(removals.images(config), "goto") + painting_view.stage(
        removals.stage(config, name), "field"
    )
    assert "caf�.png" in page.encode().decode()
