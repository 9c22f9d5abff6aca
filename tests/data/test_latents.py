from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.images.decode import fill_and_crop, open_image, to_pixels
from lib_ti.data.latents import Latents, encode
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput, Stopped, TrainingFailed
from tests.data.conftest import EncoderModel, ImageFolder


def encoded(images: ImageFolder, model: EncoderModel, cache: Path | None = None, **options) -> tuple[Dataset, Latents]:
    found = scan(images.path, Rules(**{"width": 64, "height": 64, **options}))
    return encode(found, model, cache_folder=cache, batch_size=2, progress=lambda *_: None, stop=lambda: False)


def test_each_image_has_its_own_latents(images: ImageFolder, model: EncoderModel) -> None:
    for index in range(5):
        images.draw(f"{index}.png", (100 + 20 * index, 90))
    found, latents = encoded(images, model)
    for item in found.items:
        pixels = to_pixels(fill_and_crop(open_image(item.path).image, 64, 64))
        expected = EncoderModel().encode_images(pixels[None])
        assert torch.equal(latents[item].mean, expected.mean[0])
        assert torch.equal(latents[item].std, expected.std[0])
        assert latents[item].weight is None
    assert model.encoded == [(2, 3, 64, 64), (2, 3, 64, 64), (1, 3, 64, 64)]
    stacked = latents.stack(found.items)
    assert (stacked.mean.shape, stacked.std.shape, stacked.weight) == ((5, 4, 8, 8), (5, 4, 8, 8), None)


def test_only_images_of_one_size_are_encoded_together(images: ImageFolder, model: EncoderModel) -> None:
    for index in range(6):
        images.draw(f"{index}.png", (64, 64) if index % 2 else (96, 64))
    found, latents = encoded(images, model, resize="keep")
    assert sorted(model.encoded) == [(1, 3, 64, 64), (1, 3, 64, 96), (2, 3, 64, 64), (2, 3, 64, 96)]
    assert {tuple(latents[item].mean.shape) for item in found.items} == {(4, 8, 8), (4, 8, 12)}


def test_keeping_the_size_resamples_nothing(images: ImageFolder, model: EncoderModel) -> None:
    path = images.draw("a.png", (70, 66))
    found, latents = encoded(images, model, resize="keep")
    pixels = to_pixels(Image.open(path).crop((3, 1, 67, 65)))
    assert torch.equal(latents[found.items[0]].mean, EncoderModel().encode_images(pixels[None]).mean[0])


def test_validation_images_are_encoded_too(images: ImageFolder, model: EncoderModel) -> None:
    for index in range(8):
        images.draw(f"{index}.png")
    found, latents = encoded(images, model)
    assert latents[found.validation[0]].mean.shape == (4, 8, 8)


def test_images_are_never_written(images: ImageFolder, model: EncoderModel, tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg", "c.webp"):
        images.draw(name, caption="a house")
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in images.path.iterdir()}
    encoded(images, model, tmp_path / "cache")
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in images.path.iterdir()} == before


def test_images_with_broken_pixels_are_skipped_with_the_reason(images: ImageFolder, model: EncoderModel) -> None:
    for index in range(4):
        images.draw(f"{index}.jpg", (200, 200))
    data = (images.path / "2.jpg").read_bytes()
    (images.path / "2.jpg").write_bytes(data[: len(data) * 2 // 3])
    found, latents = encoded(images, model)
    assert [item.path.name for item in found.items] == ["0.jpg", "1.jpg", "3.jpg"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("2.jpg", "the file is cut off; copy or download it again")
    ]
    assert set(latents.by_digest) == {item.digest for item in found.items}


def test_a_folder_of_broken_pixels_is_refused(images: ImageFolder, model: EncoderModel) -> None:
    path = images.draw("a.jpg", (200, 200))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(BadInput, match=r"no readable image; 1 file skipped: a.jpg \(the file is cut off"):
        encoded(images, model)


def test_an_image_that_changes_meanwhile_is_not_mistaken_for_the_old_one(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    images.draw("a.png")
    images.draw("b.png")
    found = scan(images.path, Rules(64, 64))
    images.draw("a.png", salt="edited")
    left, _ = encode(found, model, cache_folder=tmp_path, batch_size=2, progress=lambda *_: None, stop=lambda: False)
    assert [item.path.name for item in left.items] == ["b.png"]
    assert "changed while" in left.skipped[0].reason


def transparent(path: Path, alpha: np.ndarray) -> None:
    rgba = Image.new("RGBA", alpha.shape[::-1], "red")
    rgba.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    rgba.save(path)


def test_alpha_weights_the_loss_of_images_that_are_not_square(images: ImageFolder, model: EncoderModel) -> None:
    alpha = np.zeros((64, 128))
    alpha[:, 96:] = 255  # only the right quarter counts
    transparent(images.path / "a.png", alpha)
    images.draw("b.png", (128, 64))
    found, latents = encoded(images, model, width=128, height=64, use_alpha=True)
    weight = latents[found.items[0]].weight
    assert weight is not None
    assert weight.shape == (1, 8, 16)
    assert weight.mean().item() == pytest.approx(1)
    assert torch.equal(weight[0], torch.cat([torch.zeros(8, 12), torch.full((8, 4), 4.0)], dim=1))
    stacked = latents.stack(found.items)
    assert stacked.weight is not None
    assert torch.equal(stacked.weight[1], torch.ones(1, 8, 16))
    # Colours under the transparency are trained as they are, not over white.
    assert latents[found.items[0]].mean[0].min() == 1.0


def test_alpha_is_cropped_like_its_image(images: ImageFolder, model: EncoderModel) -> None:
    alpha = np.zeros((64, 192))
    alpha[:, 64:128] = 255  # just the middle, which is what the crop to a square leaves
    transparent(images.path / "a.png", alpha)
    found, latents = encoded(images, model, use_alpha=True)
    assert torch.equal(latents[found.items[0]].weight, torch.ones(1, 8, 8))


@pytest.mark.parametrize("opacity", [255, 100, 1, 0])
def test_constant_alpha_weighs_evenly(images: ImageFolder, model: EncoderModel, tmp_path: Path, opacity: int) -> None:
    transparent(images.path / "a.png", np.full((64, 64), opacity))
    for _ in range(2):  # the second time from the cache
        found, latents = encoded(images, model, tmp_path / "cache", use_alpha=True)
        assert torch.equal(latents[found.items[0]].weight, torch.ones(1, 8, 8))
    assert model.images_encoded == 1


def test_a_fully_transparent_image_is_reported(images: ImageFolder, model: EncoderModel) -> None:
    transparent(images.path / "a.png", np.zeros((64, 64)))
    transparent(images.path / "b.png", np.full((64, 64), 9))
    found, _ = encoded(images, model, use_alpha=True)
    assert [note for note in found.notes if "nothing of it" in note] == [
        "a.png: its transparency and mask leave nothing of it, so they are not used as loss weight."
    ]


def test_values_that_are_not_finite_name_the_image(images: ImageFolder, model: EncoderModel) -> None:
    for index in range(3):
        images.draw(f"{index}.png")
    Image.new("RGB", (64, 64), "white").save(images.path / "1.png")
    plain = model.encode_images
    model.encode_images = lambda pixels: plain(torch.where((pixels == 1).all(), torch.nan, pixels))
    found = scan(images.path, Rules(64, 64))
    with pytest.raises(TrainingFailed, match=r"not finite for .*1\.png"):
        encode(found, model, cache_folder=None, batch_size=1, progress=lambda *_: None, stop=lambda: False)


def test_progress_counts_cached_broken_and_encoded_images(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    images.draw("0.png")
    encoded(images, model, tmp_path)
    for index in range(1, 5):
        images.draw(f"{index}.jpg", (200, 200))
    seen: list[tuple[int, int]] = []
    found = scan(images.path, Rules(64, 64))
    (images.path / "3.jpg").write_bytes(b"another file by now")
    encode(
        found,
        model,
        cache_folder=tmp_path,
        batch_size=2,
        progress=lambda done, total: seen.append((done, total)),
        stop=lambda: False,
    )
    assert seen[0] == (0, 5)
    assert seen[1] == (1, 5)
    assert seen[-1] == (5, 5)
    assert seen == sorted(seen)


def test_stopping_keeps_what_was_encoded(images: ImageFolder, model: EncoderModel, tmp_path: Path) -> None:
    for index in range(20):
        images.draw(f"{index}.png")
    found = scan(images.path, Rules(64, 64))
    with pytest.raises(Stopped) as caught:
        encode(
            found,
            model,
            cache_folder=tmp_path / "cache",
            batch_size=2,
            progress=lambda *_: None,
            stop=lambda: model.images_encoded >= 6,
        )
    assert caught.value.exit_code == 130
    assert len(list((tmp_path / "cache").iterdir())) == 6
    encoded(images, model, tmp_path / "cache")
    assert model.images_encoded == 20
