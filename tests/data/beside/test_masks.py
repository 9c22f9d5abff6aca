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
from tests.data.conftest import EncoderModel, ImageFolder

LOSS_WEIGHT = "the alpha channel is used as loss weight"


def paint(path: Path, levels: np.ndarray) -> None:
    Image.fromarray(levels.astype(np.uint8)).save(path)


def half_white(size: tuple[int, int] = (64, 64)) -> np.ndarray:
    """The right half counts."""
    levels = np.zeros(size[::-1])
    levels[:, size[0] // 2 :] = 255
    return levels


def encoded(images: ImageFolder, model: EncoderModel, cache: Path | None = None, **options) -> tuple[Dataset, Latents]:
    found = scan(images.path, Rules(**{"width": 64, "height": 64, "use_alpha": True, **options}))
    return encode(found, model, cache_folder=cache, batch_size=2, progress=lambda *_: None, stop=lambda: False)


def test_a_mask_weighs_the_loss(images: ImageFolder, model: EncoderModel) -> None:
    images.draw("a.jpg")
    paint(images.path / "a-mask.png", half_white())
    found, latents = encoded(images, model)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert torch.equal(weight[0], torch.cat([torch.zeros(8, 4), torch.full((8, 4), 2.0)], dim=1))
    assert not found.notes


def test_a_mask_of_another_size_fits_its_image(images: ImageFolder, model: EncoderModel) -> None:
    images.draw("a.jpg", (300, 300))
    paint(images.path / "a-mask.png", half_white((16, 16)))
    found, latents = encoded(images, model)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert weight[0, :, :3].max() < 0.1
    assert weight[0, :, 5:].min() > 1.8


def test_a_mask_is_cropped_like_its_rotated_image(images: ImageFolder, model: EncoderModel) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying, seen upright
    images.draw("a.jpg", (192, 64), exif=exif)
    seen = np.zeros((192, 64))
    seen[64:128] = 255  # just the middle, which is what the crop to a square leaves
    paint(images.path / "a-mask.png", seen)
    found, latents = encoded(images, model)
    assert found.items[0].source_size == (64, 192)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert torch.equal(weight, torch.ones(1, 8, 8))


def test_transparency_and_mask_count_together(images: ImageFolder, model: EncoderModel) -> None:
    rgba = Image.new("RGBA", (64, 64), "red")
    top = np.zeros((64, 64), np.uint8)
    top[:32] = 255
    rgba.putalpha(Image.fromarray(top))
    rgba.save(images.path / "a.png")
    paint(images.path / "a-mask.png", half_white())
    found, latents = encoded(images, model)
    expected = torch.zeros(8, 8)
    expected[:4, 4:] = 4.0
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert torch.equal(weight[0], expected)


def test_unused_masks_are_reported_and_change_nothing(images: ImageFolder, model: EncoderModel) -> None:
    images.draw("a.jpg")
    images.draw("b.jpg")
    before = scan(images.path, Rules(64, 64)).fingerprint
    paint(images.path / "a-mask.png", half_white())
    found, latents = encoded(images, model, use_alpha=False)
    assert latents[found.items[0]].weight is None
    assert found.fingerprint == before
    assert [note for note in found.notes if "mask" in note] == [
        f"1 of 2 images have a mask beside them, which is not used unless {LOSS_WEIGHT}: a.jpg."
    ]


def test_another_mask_is_another_dataset_and_another_cache_key(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    images.draw("a.jpg")
    bare = encoded(images, model, tmp_path)[0].fingerprint
    prints = {bare}
    for level in (0, 100):
        paint(images.path / "a-mask.png", np.maximum(half_white(), level))
        prints.add(encoded(images, model, tmp_path)[0].fingerprint)
    assert len(prints) == 3
    assert model.images_encoded == 3
    (images.path / "a-mask.png").unlink()
    assert encoded(images, model, tmp_path)[0].fingerprint == bare
    assert model.images_encoded == 3


def test_an_image_with_a_broken_mask_is_excluded_with_the_reason(images: ImageFolder, model: EncoderModel) -> None:
    images.draw("a.jpg")
    images.draw("b.jpg")
    (images.path / "a-mask.png").write_bytes(b"no image")
    found, _ = encoded(images, model)
    assert [item.path.name for item in found.items] == ["b.jpg"]
    assert found.skipped[0].reason == "its mask a-mask.png cannot be used: it is not an image of a known kind"


def test_a_mask_that_changes_meanwhile_is_not_mistaken_for_the_old_one(
    images: ImageFolder, model: EncoderModel
) -> None:
    images.draw("a.jpg")
    images.draw("b.jpg")
    paint(images.path / "a-mask.png", half_white())
    found = scan(images.path, Rules(64, 64, use_alpha=True))
    paint(images.path / "a-mask.png", half_white()[:, ::-1])
    left, _ = encode(found, model, cache_folder=None, batch_size=1, progress=lambda *_: None, stop=lambda: False)
    assert left.skipped[0].reason.startswith("its mask a-mask.png was changed")


def test_an_all_zero_mask_is_reported(images: ImageFolder, model: EncoderModel) -> None:
    images.draw("a.jpg")
    paint(images.path / "a-mask.png", np.zeros((64, 64)))
    found, latents = encoded(images, model)
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


def test_a_mask_belongs_to_the_image_of_its_name(images: ImageFolder) -> None:
    mask = images.draw("a-mask.png")
    assert find_mask(images.path / "a.webp") == mask
    assert find_mask(images.path / "a") is None
    assert find_mask(images.path / "b.png") is None
