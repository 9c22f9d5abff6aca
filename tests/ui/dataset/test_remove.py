"""Erasing in one picture at a time, and what carries paint between page and server; without Gradio."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from lib_ti.config import PrepareConfig
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import BadInput
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset.painting import layer as painted
from lib_ti.ui.dataset.painting import view as painting_view
from lib_ti.ui.dataset.painting.view import PaintableImage
from lib_ti.ui.dataset.remove.state import Removals
from lib_ti.ui.server.temporary_images import TemporaryImages
from tests.fakes import FakeHost
from tests.prep.photographs import photograph

BOX = (60, 320, 200, 350)


@pytest.fixture
def config(tmp_path: Path) -> PrepareConfig:
    source = tmp_path / "found"
    source.mkdir()
    lettered = Image.fromarray(skimage.data.coffee())
    ImageDraw.Draw(lettered).rectangle(BOX, "white")
    lettered.save(source / "coffee.png")
    Image.new("RGB", (64, 64), "red").save(source / "red", "PNG")  # a picture by its content only
    (source / "notes.pdf").write_bytes(b"%PDF")
    return PrepareConfig(source=str(source), output=str(tmp_path / "prepared"), width=400, height=400)


@pytest.fixture
def removals(config: PrepareConfig) -> Removals:
    return Removals(FakeHost(Path(config.source).parent))


def layer(config: PrepareConfig, name: str = "coffee.png", box: tuple[int, int, int, int] = BOX) -> str:
    """What a page sends that has a box painted over."""
    path = Path(config.source) / name
    with Image.open(path) as picture:
        mask = Image.new("L", picture.size)
    mask.paste(255, (box[0] - 2, box[1] - 2, box[2] + 3, box[3] + 3))
    return painted.write(path, mask)


def seen(address: str) -> Image.Image:
    """The picture that a page loads from an address of a picture that was made to be shown."""
    name = parse_qs(urlparse(address).query)["name"][0]
    return Image.open(base64.urlsafe_b64decode(name).decode())


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)).mean())


# What is painted, as text


def test_paint_is_the_same_after_the_way_to_the_page_and_back(tmp_path: Path) -> None:
    mask = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8))
    found = painted.read(painted.write(tmp_path / "ä b.png", mask))
    assert found.name == "ä b.png"
    assert found.belongs_to(tmp_path / "ä b.png")
    assert not found.belongs_to(tmp_path / "other" / "ä b.png")
    assert found.layer is not None
    assert found.layer.tobytes() == mask.tobytes()


def test_a_large_image_is_painted_on_smaller(tmp_path: Path) -> None:
    mask = Image.new("L", (6000, 3000))
    mask.paste(255, (3000, 0, 6000, 3000))
    found = painted.read(painted.write(tmp_path / "a.png", mask))
    assert found.layer is not None
    assert found.layer.size == painted.shown_size(mask.size) == (2048, 1024)
    whole = found.at_size((6000, 3000))
    assert whole is not None
    assert np.mean(np.asarray(whole) != np.asarray(mask)) < 0.001


def test_nothing_painted_is_no_layer(tmp_path: Path) -> None:
    assert painted.read(painted.write(tmp_path / "a.png", Image.new("L", (9, 9)))).layer is None
    assert painted.read(painted.write(tmp_path / "a.png", None)).at_size((9, 9)) is None


def png(size: tuple[int, int]) -> str:
    file = io.BytesIO()
    Image.new("RGBA", size).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a.b c d e",
        f"{'0' * 16}.YQ== 1 data:image/jpeg;base64,AAAA",
        f"{'0' * 16}.YQ== 1 data:image/png;base64,AAAA",
        f"{'0' * 16}.YQ== 1 data:image/png;base64,{png((2049, 1))}",
        f"{'0' * 16}.Y 1",
    ],
)
def test_what_no_page_sends_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        painted.read(text)


# Erasing


def test_images_are_those_of_the_source_folder(config: PrepareConfig, removals: Removals) -> None:
    assert [(one.name, one.note) for one in removals.images(config)] == [("coffee.png", ""), ("red", "")]
    removals.remove(config, "coffee.png", layer(config), 0)
    assert [one.note for one in removals.images(config)] == ["1 removed", ""]


def test_what_is_removed_is_shown_and_prepared(config: PrepareConfig, removals: Removals) -> None:
    before = (Path(config.source) / "coffee.png").read_bytes()
    assert removals.stage(config, "coffee.png").before == ""
    assert "Removed in coffee.png, by telea" in removals.remove(config, "coffee.png", layer(config), 0)
    stage = removals.stage(config, "coffee.png")
    assert stage.note == "1 removed"
    now, then = seen(stage.now), seen(stage.before)
    assert now.crop(BOX).resize((1, 1)).getpixel((0, 0))[1] < 150 < then.crop(BOX).resize((1, 1)).getpixel((0, 0))[1]
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    with Image.open(Path(config.output) / "picture_001.png") as result:
        frame = read_manifest(PreparedFolder(Path(config.output))).results[0].crop_box
        assert frame is not None
        assert difference(result, now.crop(frame.pixels(now.size))) < 4  # that one is a JPEG
    assert (Path(config.source) / "coffee.png").read_bytes() == before


def test_undo_gives_back_image_and_paint_and_redo_the_removed_region(config: PrepareConfig, removals: Removals) -> None:
    text = layer(config)
    removals.remove(config, "coffee.png", text, 0)
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
    removals.redo(config, "coffee.png")
    assert removals.stage(config, "coffee.png").now == erased
    with pytest.raises(BadInput, match="Nothing was undone in coffee.png"):
        removals.redo(config, "coffee.png")


def test_a_new_erasing_ends_what_could_be_done_again(config: PrepareConfig, removals: Removals) -> None:
    removals.remove(config, "coffee.png", layer(config), 0)
    removals.undo(config, "coffee.png")
    removals.remove(replace(config, fill="ns"), "coffee.png", layer(config), 0)
    with pytest.raises(BadInput, match="Nothing was undone"):
        removals.redo(config, "coffee.png")
    with pytest.raises(BadInput, match="Nothing is removed in red"):
        removals.undo(config, "red")


def test_the_same_again_changes_nothing(config: PrepareConfig, removals: Removals) -> None:
    removals.remove(config, "coffee.png", layer(config), 0)
    assert "nothing has changed" in removals.remove(config, "coffee.png", layer(config), 0)
    assert removals.stage(config, "coffee.png").note == "1 removed"


def test_a_model_fills_with_prompt_and_seed(config: PrepareConfig, removals: Removals) -> None:
    by_model = replace(config, fill="model", fill_prompt="wood")
    removals.remove(by_model, "coffee.png", layer(config), 77)
    edits = read_manifest(PreparedFolder(Path(config.output))).edits
    (region,) = next(iter(edits.by_digest.values())).removed_regions
    assert (region.method, region.prompt, region.seed, region.model) == ("model", "wood", 77, "fake")
    assert seen(removals.stage(config, "coffee.png").now).getpixel((130, 335))[0] in range(67, 87)
    with pytest.raises(BadInput, match="The seed is -1; enter a number from 0"):
        removals.remove(by_model, "coffee.png", layer(config), -1)


def test_without_a_model_that_can_fill_it_is_said(config: PrepareConfig, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.tools.can_inpaint = False  # type: ignore[misc]
    with pytest.raises(BadInput, match="no model can inpaint here; choose telea or ns"):
        Removals(host).remove(replace(config, fill="model"), "coffee.png", layer(config), 0)


def test_paint_of_one_image_never_gets_to_another(config: PrepareConfig, removals: Removals) -> None:
    with pytest.raises(BadInput, match=r"belongs to coffee\.png and not to red"):
        removals.remove(config, "red", layer(config), 0)
    with pytest.raises(BadInput, match="Nothing is painted"):
        removals.remove(config, "red", "", 0)
    with pytest.raises(BadInput, match="Nothing is painted"):
        removals.remove(config, "red", painted.write(Path(config.source) / "red", None), 0)
    assert not Path(config.output).exists()


def test_text_is_found_beside_what_is_painted(config: PrepareConfig, removals: Removals) -> None:
    picture = photograph("coffee").copy()
    box = ImageDraw.Draw(picture).textbbox((0, 0), "COPYRIGHT")
    words = Image.new("L", (box[2], box[3]))
    ImageDraw.Draw(words).text((0, 0), "COPYRIGHT my blog", fill=255)
    words = words.resize((words.width * 5, words.height * 5))
    picture.paste("white", (30, 300), words)
    picture.save(Path(config.source) / "signed.png")
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


def test_no_text_is_said_and_paint_stays(config: PrepareConfig, removals: Removals) -> None:
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


# The page


def test_the_stage_has_the_size_that_is_painted_on(config: PrepareConfig, removals: Removals) -> None:
    page = painting_view.stage(removals.stage(config, "coffee.png"), "ti_remove_mask")
    assert '<canvas width="600" height="400"' in page
    assert "ti-before" not in page
    assert "ti-compare" not in page
    removals.remove(config, "coffee.png", layer(config), 0)
    page = painting_view.stage(removals.stage(config, "coffee.png"), "ti_remove_mask")
    assert 'class="ti-before"' in page
    assert 'data-note="1 removed"' in page


def test_names_are_text(tmp_path: Path) -> None:
    name = "<b onload='x'>&.png"
    Image.new("RGB", (64, 64)).save(tmp_path / name)
    page = painting_view.row([PaintableImage(tmp_path / name, name, "<i>")], "goto")
    assert "<b onload" not in page
    assert "<i>" not in page
    assert re.search(r'data-name="&lt;b onload=&#x27;x&#x27;&gt;&amp;\.png"', page)


def test_images_to_show_are_made_once_and_the_newest_are_kept() -> None:
    made: list[str] = []

    def make(key: str) -> Image.Image:
        made.append(key)
        return Image.new("RGB", (8, 8))

    shown = TemporaryImages(most=2)
    addresses = {key: shown.address(key, lambda key=key: make(key)) for key in ("a", "b", "a", "c")}
    assert made == ["a", "b", "c"]
    assert seen(addresses["a"]).size == (8, 8)
    with pytest.raises(FileNotFoundError):
        seen(addresses["b"])
    shown.address("b", lambda: make("b"))
    assert made == ["a", "b", "c", "b"]


def test_an_image_of_a_subfolder_can_be_chosen(tmp_path: Path) -> None:
    inner = tmp_path / "found" / "10_thing"
    inner.mkdir(parents=True)
    for number, path in enumerate((inner.parent / "a.png", inner / "a.png")):
        Image.new("RGB", (64, 64), (90 * number, 0, 0)).save(path)
    config = PrepareConfig(source=str(inner.parent), output=str(tmp_path / "prepared"), subfolders=True)
    work = Removals(FakeHost(tmp_path))
    assert [one.name for one in work.images(config)] == ["a.png", "10_thing/a.png"]
    assert work.stage(config, "10_thing/a.png").path == inner / "a.png"
