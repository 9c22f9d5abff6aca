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
from tests.data.conftest import EncoderModel, PictureFolder


def encoded(
    pictures: PictureFolder, model: EncoderModel, cache: Path | None = None, **options
) -> tuple[Dataset, Latents]:
    found = scan(pictures.path, Rules(**{"width": 64, "height": 64, **options}))
    return encode(found, model, cache_folder=cache, batch_size=2, progress=lambda *_: None, stop=lambda: False)


def test_an_untouched_picture_is_not_encoded_again_and_an_edited_one_is(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path
) -> None:
    for index in range(3):
        pictures.draw(f"{index}.png")
    _, first = encoded(pictures, model, tmp_path / "cache")
    assert model.pictures_encoded == 3
    found, again = encoded(pictures, model, tmp_path / "cache")
    assert model.pictures_encoded == 3
    for item in found.items:
        assert torch.equal(first[item].mean, again[item].mean)
        assert torch.equal(first[item].std, again[item].std)
    pictures.draw("1.png", salt="edited")
    (pictures.path / "2.png").rename(pictures.path / "renamed.png")
    found, edited = encoded(pictures, model, tmp_path / "cache")
    assert model.pictures_encoded == 4
    assert not torch.equal(edited[found.items[1]].mean, first.stack(found.items[:1]).mean[0])


@pytest.mark.parametrize("change", [{"width": 96}, {"resize": "keep"}, {"use_alpha": True}, {"autoencoder": "other"}])
def test_what_changes_the_latents_changes_the_key(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path, change: dict
) -> None:
    pictures.draw("a.png", (64, 64), mode="RGBA")
    encoded(pictures, model, tmp_path)
    if "autoencoder" in change:
        model.info = replace(model.info, **change)
        change = {}
    encoded(pictures, model, tmp_path, **change)
    assert model.pictures_encoded == 2


def test_buckets_share_the_cache_with_cropping_to_the_same_size(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path
) -> None:
    pictures.draw("a.png", (99, 99))
    encoded(pictures, model, tmp_path, resize="crop")
    encoded(pictures, model, tmp_path, resize="buckets")
    assert model.pictures_encoded == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"nonsense, not a header"),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[:-100] + bytes(100)),
    ],
)
def test_a_damaged_cache_file_is_made_anew(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path, damage
) -> None:
    pictures.draw("a.png")
    found, first = encoded(pictures, model, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    damage(file)
    _, second = encoded(pictures, model, tmp_path / "cache")
    assert model.pictures_encoded == 2
    assert torch.equal(first[found.items[0]].std, second[found.items[0]].std)
    encoded(pictures, model, tmp_path / "cache")
    assert model.pictures_encoded == 2


def test_a_cache_that_cannot_be_written_is_noted_and_ends_nothing(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path
) -> None:
    pictures.draw("a.png")
    (tmp_path / "cache").write_text("a file where the folder should be")
    found, latents = encoded(pictures, model, tmp_path / "cache")
    assert len(latents.by_digest) == 1
    assert any("not kept for the next run" in note for note in found.notes)


def test_cache_files_are_named_by_content_and_hold_nothing_of_the_path(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path
) -> None:
    path = pictures.draw("a private name.png")
    encoded(pictures, model, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    assert len(file.stem) == 2 * hashlib.sha256().digest_size
    assert path.stem.encode() not in file.read_bytes()


def test_that_nothing_of_a_picture_counts_is_said_for_cached_latents_too(
    pictures: PictureFolder, model: EncoderModel, tmp_path: Path
) -> None:
    pictures.draw("a.png")
    Image.new("L", (64, 64)).save(pictures.path / "a-mask.png")
    first, _ = encoded(pictures, model, tmp_path, use_alpha=True)
    again, latents = encoded(pictures, model, tmp_path, use_alpha=True)
    assert model.pictures_encoded == 1
    assert again.notes == first.notes
    assert any("leave nothing of it" in note for note in again.notes)
    assert torch.equal(latents[again.items[0]].weight, torch.ones(1, 8, 8))
