from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.data.beside.masks import find_mask, read_mask
from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.latents import Latents, encode
from lib_ti.data.scan import scan
from tests.data.conftest import EncoderModel, PictureFolder

LOSS_WEIGHT = "the alpha channel is used as loss weight"


def paint(path: Path, levels: np.ndarray) -> None:
    Image.fromarray(levels.astype(np.uint8)).save(path)


def half_white(size: tuple[int, int] = (64, 64)) -> np.ndarray:
    """The right half counts."""
    levels = np.zeros(size[::-1])
    levels[:, size[0] // 2 :] = 255
    return levels


def encoded(
    pictures: PictureFolder, model: EncoderModel, cache: Path | None = None, **options
) -> tuple[Dataset, Latents]:
    found = scan(pictures.path, Rules(**{"width": 64, "height": 64, "use_alpha": True, **options}))
    return encode(found, model, cache_folder=cache, batch_size=2, progress=lambda *_: None, stop=lambda: False)


def test_a_mask_weighs_the_loss(pictures: PictureFolder, model: EncoderModel) -> None:
    pictures.draw("a.jpg")
    paint(pictures.path / "a-mask.png", half_white())
    found, latents = encoded(pictures, model)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert torch.equal(weight[0], torch.cat([torch.zeros(8, 4), torch.full((8, 4), 2.0)], dim=1))
    assert not found.notes


def test_a_mask_of_another_size_fits_its_picture(pictures: PictureFolder, model: EncoderModel) -> None:
    pictures.draw("a.jpg", (300, 300))
    paint(pictures.path / "a-mask.png", half_white((16, 16)))
    found, latents = encoded(pictures, model)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert weight[0, :, :3].max() < 0.1
    assert weight[0, :, 5:].min() > 1.8


def test_a_mask_is_cropped_like_its_picture_as_it_is_seen(pictures: PictureFolder, model: EncoderModel) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, seen upright
    pictures.draw("a.jpg", (192, 64), exif=exif)
    seen = np.zeros((192, 64))
    seen[64:128] = 255  # just the middle, which is what the crop to a square leaves
    paint(pictures.path / "a-mask.png", seen)
    found, latents = encoded(pictures, model)
    assert found.items[0].source_size == (64, 192)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert torch.equal(weight, torch.ones(1, 8, 8))


def test_transparency_and_mask_count_together(pictures: PictureFolder, model: EncoderModel) -> None:
    rgba = Image.new("RGBA", (64, 64), "red")
    top = np.zeros((64, 64), np.uint8)
    top[:32] = 255
    rgba.putalpha(Image.fromarray(top))
    rgba.save(pictures.path / "a.png")
    paint(pictures.path / "a-mask.png", half_white())
    found, latents = encoded(pictures, model)
    expected = torch.zeros(8, 8)
    expected[:4, 4:] = 4.0
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert torch.equal(weight[0], expected)


def test_masks_that_are_not_used_are_told_and_change_nothing(pictures: PictureFolder, model: EncoderModel) -> None:
    pictures.draw("a.jpg")
    pictures.draw("b.jpg")
    before = scan(pictures.path, Rules(64, 64)).fingerprint
    paint(pictures.path / "a-mask.png", half_white())
    found, latents = encoded(pictures, model, use_alpha=False)
    assert latents[found.items[0]].weight is None
    assert found.fingerprint == before
    assert [note for note in found.notes if "mask" in note] == [
        f"1 of 2 images have a mask beside them, which is not used unless {LOSS_WEIGHT}: a.jpg."
    ]


def test_another_mask_is_another_dataset_and_another_cache_key(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path
) -> None:
    pictures.draw("a.jpg")
    bare = encoded(pictures, model, tmp_path)[0].fingerprint
    prints = {bare}
    for level in (0, 100):
        paint(pictures.path / "a-mask.png", np.maximum(half_white(), level))
        prints.add(encoded(pictures, model, tmp_path)[0].fingerprint)
    assert len(prints) == 3
    assert model.pictures_encoded == 3
    (pictures.path / "a-mask.png").unlink()
    assert encoded(pictures, model, tmp_path)[0].fingerprint == bare
    assert model.pictures_encoded == 3


def test_a_broken_mask_takes_its_picture_out_with_the_reason(pictures: PictureFolder, model: EncoderModel) -> None:
    pictures.draw("a.jpg")
    pictures.draw("b.jpg")
    (pictures.path / "a-mask.png").write_bytes(b"no image")
    found, _ = encoded(pictures, model)
    assert [item.path.name for item in found.items] == ["b.jpg"]
    assert found.skipped[0].reason == "its mask a-mask.png cannot be used: it is not an image of a known kind"


def test_a_mask_that_changes_meanwhile_is_not_taken_for_the_old_one(
    pictures: PictureFolder, model: EncoderModel
) -> None:
    pictures.draw("a.jpg")
    pictures.draw("b.jpg")
    paint(pictures.path / "a-mask.png", half_white())
    found = scan(pictures.path, Rules(64, 64, use_alpha=True))
    paint(pictures.path / "a-mask.png", half_white()[:, ::-1])
    left, _ = encode(found, model, cache_folder=None, batch_size=1, progress=lambda *_: None, stop=lambda: False)
    assert left.skipped[0].reason.startswith("its mask a-mask.png was changed")


def test_a_mask_that_lets_nothing_count_is_told(pictures: PictureFolder, model: EncoderModel) -> None:
    pictures.draw("a.jpg")
    paint(pictures.path / "a-mask.png", np.zeros((64, 64)))
    found, latents = encoded(pictures, model)
    assert torch.equal(latents[found.items[0]].weight, torch.ones(1, 8, 8))
    assert any("leave nothing of it" in note for note in found.notes)


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "P", "I;16"])
def test_masks_of_every_kind_are_read(tmp_path: Path, mode: str) -> None:
    levels = half_white()
    if mode == "I;16":
        Image.fromarray((levels * 257).astype(np.uint16)).save(tmp_path / "mask.png")
    else:
        Image.fromarray(levels.astype(np.uint8)).convert(mode).save(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(read_mask(tmp_path / "mask.png", (64, 64))), levels)


def test_a_mask_painted_on_an_empty_layer_is_black_around(tmp_path: Path) -> None:
    layer = Image.new("RGBA", (64, 64), (255, 255, 255, 0))
    layer.paste((255, 255, 255, 255), (32, 0, 64, 64))
    layer.save(tmp_path / "mask.png")
    assert np.array_equal(np.asarray(read_mask(tmp_path / "mask.png", (64, 64))), half_white())


def test_only_what_a_person_means_as_a_picture_has_a_mask(pictures: PictureFolder) -> None:
    mask = pictures.draw("a-mask.png")
    assert find_mask(pictures.path / "a.webp") == mask
    assert find_mask(pictures.path / "a") is None
    assert find_mask(pictures.path / "b.png") is None
