"""Masks of prepared images: painted, loaded, made of transparency, removed; without Gradio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from lib_ti.data.dataset import Rules
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from lib_ti.ui.dataset.masks import view as masks_view
from lib_ti.ui.dataset.masks.state import LossMasks
from lib_ti.ui.dataset.painting import layer as painted
from lib_ti.ui.dataset.painting import view as painting_view
from tests.fakes import FakeHost
from tests.ui.dataset.remove.conftest import seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two prepared images, one of which is transparent at its left side."""
    made = tmp_path / "prepared"
    made.mkdir()
    image = Image.fromarray(skimage.data.chelsea()).resize((256, 256))
    image.save(made / "cat_001.png")
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 64, 256))
    image.putalpha(alpha)
    image.save(made / "cat_002.png")
    return made


@pytest.fixture
def masks(tmp_path: Path) -> LossMasks:
    return LossMasks(FakeHost(tmp_path).folders)


def half(path: Path, size: tuple[int, int] = (256, 256)) -> painted.PaintedLayer:
    """What a page sends whose left half is painted: it does not count."""
    layer = Image.new("L", size)
    layer.paste(255, (0, 0, size[0] // 2, size[1]))
    return painted.read(painted.write(path, layer))


def mask_from_boxes(path: Path) -> np.ndarray:
    with Image.open(path.with_name(f"{path.stem}-mask.png")) as mask:
        assert mask.mode == "L"
        return np.asarray(mask)


def test_what_is_painted_does_not_count_in_training(folder: Path, masks: LossMasks) -> None:
    kept = masks.save(folder, half(folder / "cat_001.png"))
    assert kept.message == "Saved cat_001-mask.png: 50% of the image is trained."
    assert not kept.warning
    mask = mask_from_boxes(folder / "cat_001.png")
    assert mask[:, :128].max() == 0
    assert mask[:, 128:].min() == 255
    found = scan(folder, Rules(256, 256, use_alpha=True, validation_split=0))
    assert [item.path.name for item in found.items if item.mask] == ["cat_001.png"]
    assert [(one.name, one.note) for one in masks.images(folder)] == [("cat_001.png", "mask"), ("cat_002.png", "")]


def test_a_mask_is_shown_as_it_was_painted(folder: Path, masks: LossMasks) -> None:
    sent = half(folder / "cat_001.png")
    assert painted.read(masks.layer(folder, "cat_001.png")).layer is None
    masks.save(folder, sent)
    back = painted.read(masks.layer(folder, "cat_001.png"))
    assert back.belongs_to(folder / "cat_001.png")
    assert back.layer is not None
    assert sent.layer is not None
    assert back.layer.tobytes() == sent.layer.tobytes()


def test_without_the_script_the_mask_is_seen_over_the_image(folder: Path, masks: LossMasks) -> None:
    assert masks.stage(folder, "cat_001.png").overlaid == ""
    masks.save(folder, half(folder / "cat_001.png"))
    stage = masks.stage(folder, "cat_001.png")
    shown = np.asarray(seen(stage.overlaid), float)
    plain = np.asarray(Image.open(folder / "cat_001.png"), float)
    assert np.abs(shown[:, 140:] - plain[:, 140:]).mean() < 4
    assert (shown[:, :120, 0] - shown[:, :120, 1]).mean() > 80  # tinted red
    assert 'class="ti-overlaid"' in painting_view.stage(stage, "ti_masks_mask")


def test_everything_counting_is_no_mask(folder: Path, masks: LossMasks) -> None:
    masks.save(folder, half(folder / "cat_001.png"))
    kept = masks.save(folder, painted.read(painted.write(folder / "cat_001.png", None)))
    assert "The whole image cat_001.png is trained: it has no mask. The previous mask is now" in kept.message
    assert kept.note == ""
    assert not (folder / "cat_001-mask.png").exists()
    assert list((folder / ".preparation" / "removed").iterdir())
    assert masks.remove(folder, "cat_001.png").message == "The whole image cat_001.png is trained: it has no mask."


def test_a_mask_that_excludes_everything_is_saved_with_a_warning(folder: Path, masks: LossMasks) -> None:
    everything = painted.read(painted.write(folder / "cat_001.png", Image.new("L", (256, 256), 255)))
    kept = masks.save(folder, everything)
    assert kept.warning
    assert "exclude the image" in kept.message
    assert mask_from_boxes(folder / "cat_001.png").max() == 0
    assert "ti-warning" in masks_view.saved(kept, "5", "key")


def test_a_mask_of_someone_elses_is_put_aside_once(folder: Path, masks: LossMasks) -> None:
    Image.new("L", (256, 256), 7).save(folder / "cat_001-mask.png")
    before = (folder / "cat_001-mask.png").read_bytes()
    masks.save(folder, half(folder / "cat_001.png"))
    masks.save(folder, half(folder / "cat_001.png", (128, 128)))
    (aside,) = (folder / ".preparation" / "removed").iterdir()
    assert aside.read_bytes() == before


def test_a_mask_from_a_file_fits_its_image(folder: Path, masks: LossMasks, tmp_path: Path) -> None:
    mask = Image.new("L", (64, 64))
    mask.paste(255, (0, 0, 32, 64))
    mask.save(tmp_path / "painted.png")
    assert "50% of the image is trained" in masks.load(folder, "cat_001.png", tmp_path / "painted.png").message
    assert mask_from_boxes(folder / "cat_001.png").shape == (256, 256)
    (tmp_path / "painted.png").write_bytes(b"nothing")
    with pytest.raises(UnreadableImage):
        masks.load(folder, "cat_001.png", tmp_path / "painted.png")


def test_transparency_becomes_a_mask(folder: Path, masks: LossMasks) -> None:
    assert "75% of the image is trained" in masks.from_transparency(folder, "cat_002.png").message
    assert mask_from_boxes(folder / "cat_002.png")[0, 63:65].tolist() == [0, 255]
    with pytest.raises(BadInput, match=r"cat_001\.png has no transparent parts"):
        masks.from_transparency(folder, "cat_001.png")


def test_paint_goes_to_its_own_image_only(folder: Path, masks: LossMasks, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (folder / "cat_001.png").rename(other / "cat_001.png")
    with pytest.raises(BadInput, match="belongs to an image that is not in"):
        masks.save(other, half(folder / "cat_001.png"))
    with pytest.raises(BadInput, match="belongs to an image that is not in"):
        masks.save(folder, half(folder / "cat_001.png"))
    outside = painted.read(painted.write(folder / ".." / "x.png", None))
    with pytest.raises(BadInput, match="belongs to an image that is not in"):
        masks.save(folder, outside)


def test_unusable_folders_are_reported(folder: Path, masks: LossMasks, tmp_path: Path) -> None:
    assert masks.folder(f" {folder} ", "") == folder
    assert masks.folder(str(folder), str(tmp_path / "found")) == folder
    for output, source, words in (
        ("", "", "no prepared folder yet"),
        (str(tmp_path / "none"), "", "does not exist yet"),
        (str(folder), str(folder), "is the source folder"),
    ):
        with pytest.raises(BadInput, match=words):
            masks.folder(output, source)
    (tmp_path / "empty").mkdir()
    assert masks.exists(str(tmp_path / "empty"))
    assert masks.images(tmp_path / "empty") == []
    assert not masks.exists(str(tmp_path / "none"))
    assert not masks.exists("")
    with pytest.raises(BadInput, match="There is no image 'no.png'"):
        masks.stage(folder, "no.png")
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "elsewhere",)
    with pytest.raises(BadInput, match="outside the folders"):
        LossMasks(host.folders).folder(str(folder), "")


def test_answers_name_the_message_and_the_image() -> None:
    assert 'data-saved="5" data-failed="yes"' in masks_view.not_saved("5", "")
