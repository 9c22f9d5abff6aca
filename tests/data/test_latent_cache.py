"""Latents on disk: read again only for the same content, size and autoencoder, never damaged."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.latents import Latents, encode
from lib_ti.data.scan import scan
from tests.data.conftest import EncoderModel, ImageFolder


def encoded(images: ImageFolder, model: EncoderModel, cache: Path | None = None, **options) -> tuple[Dataset, Latents]:
    found = scan(images.path, Rules(**{"width": 64, "height": 64, **options}))
    return encode(found, model, cache_folder=cache, batch_size=2, progress=lambda *_: None, stop=lambda: False)


def test_only_an_edited_image_is_reencoded(images: ImageFolder, model: EncoderModel, tmp_path: Path) -> None:
    for index in range(3):
        images.draw(f"{index}.png")
    _, first = encoded(images, model, tmp_path / "cache")
    assert model.images_encoded == 3
    found, again = encoded(images, model, tmp_path / "cache")
    assert model.images_encoded == 3
    for item in found.items:
        assert torch.equal(first[item].mean, again[item].mean)
        assert torch.equal(first[item].std, again[item].std)
    images.draw("1.png", salt="edited")
    (images.path / "2.png").rename(images.path / "renamed.png")
    found, edited = encoded(images, model, tmp_path / "cache")
    assert model.images_encoded == 4
    assert not torch.equal(edited[found.items[1]].mean, first.stack(found.items[:1]).mean[0])


@pytest.mark.parametrize("change", [{"width": 96}, {"resize": "keep"}, {"use_alpha": True}, {"autoencoder": "other"}])
def test_what_changes_the_latents_changes_the_key(
    images: ImageFolder, model: EncoderModel, tmp_path: Path, change: dict
) -> None:
    images.draw("a.png", (64, 64), mode="RGBA")
    encoded(images, model, tmp_path)
    if "autoencoder" in change:
        model.info = replace(model.info, **change)
        change = {}
    encoded(images, model, tmp_path, **change)
    assert model.images_encoded == 2


def test_buckets_share_the_cache_with_cropping_to_the_same_size(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    images.draw("a.png", (99, 99))
    encoded(images, model, tmp_path, resize="crop")
    encoded(images, model, tmp_path, resize="buckets")
    assert model.images_encoded == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"nonsense, not a header"),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[:-100] + bytes(100)),
    ],
)
def test_a_damaged_cache_file_is_recreated(images: ImageFolder, model: EncoderModel, tmp_path: Path, damage) -> None:
    images.draw("a.png")
    found, first = encoded(images, model, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    damage(file)
    _, second = encoded(images, model, tmp_path / "cache")
    assert model.images_encoded == 2
    assert torch.equal(first[found.items[0]].std, second[found.items[0]].std)
    encoded(images, model, tmp_path / "cache")
    assert model.images_encoded == 2


def test_a_cache_that_cannot_be_written_is_noted_and_ends_nothing(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    images.draw("a.png")
    (tmp_path / "cache").write_text("a file where the folder should be")
    found, latents = encoded(images, model, tmp_path / "cache")
    assert len(latents.by_digest) == 1
    assert any("not kept for the next run" in note for note in found.notes)


def test_cache_files_are_named_by_content_and_hold_nothing_of_the_path(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    path = images.draw("a private name.png")
    encoded(images, model, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    assert len(file.stem) == 2 * hashlib.sha256().digest_size
    assert path.stem.encode() not in file.read_bytes()


def test_zero_weight_is_reported_for_cached_latents_too(
    images: ImageFolder, model: EncoderModel, tmp_path: Path
) -> None:
    images.draw("a.png")
    Image.new("L", (64, 64)).save(images.path / "a-mask.png")
    first, _ = encoded(images, model, tmp_path, use_alpha=True)
    again, latents = encoded(images, model, tmp_path, use_alpha=True)
    assert model.images_encoded == 1
    assert again.notes == first.notes
    assert any("leave nothing of it" in note for note in again.notes)
    assert torch.equal(latents[again.items[0]].weight, torch.ones(1, 8, 8))
