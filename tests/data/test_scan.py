"""What real folders hold: captions and masks of other programs, sub-folders, previews, broken files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from PIL import Image

from lib_ti.data.batches import BatchPlan
from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.images.decode import read_file
from lib_ti.data.scan import scan
from lib_ti.embedding.card import make_card
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from tests.data.conftest import ImageFolder


def scanned(images: ImageFolder, **options) -> Dataset:
    return scan(images.path, Rules(**{"width": 64, "height": 64, **options}))


def names(found: Dataset) -> list[str]:
    return [item.name for item in found.all_items]


def reasons(found: Dataset) -> dict[str, str]:
    return {one.path.name: one.reason for one in found.skipped}


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def test_an_image_that_does_not_decode_to_its_end_is_skipped_at_once(images: ImageFolder) -> None:
    images.draw("good.jpg", (256, 256))
    for name in ("a.jpg", "b.png", "c.webp"):
        images.draw(name, (512, 512), **({"lossless": True} if name == "c.webp" else {}))
        truncated(images.path / name)
    found = scanned(images)
    assert names(found) == ["good.jpg"]
    assert set(reasons(found)) == {"a.jpg", "b.png", "c.webp"}
    assert "cut off" in reasons(found)["a.jpg"]


def test_only_changed_files_are_reread(images: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.png", "b.png"):
        os.utime(images.draw(name), (1_000_000_000, 1_000_000_000))
    first = scanned(images)
    read: list[str] = []

    def reading(path: Path) -> bytes:
        read.append(path.name)
        return read_file(path)

    monkeypatch.setattr("lib_ti.data.images.decode.read_file", reading)
    assert scanned(images).fingerprint == first.fingerprint
    assert read == []
    images.draw("b.png", salt="another picture")
    assert scanned(images).fingerprint != first.fingerprint
    assert read == ["b.png"]


@pytest.mark.parametrize("name", ["a-masklabel.png", "a_mask.png", "a.mask.png", "a-mask.PNG", "a_mask.jpg"])
def test_masks_by_other_programs_names_are_masks(images: ImageFolder, name: str) -> None:
    images.draw("a.jpg")
    Image.linear_gradient("L").save(images.path / name, "JPEG" if name.endswith("jpg") else "PNG")
    [item] = scanned(images, use_alpha=True).items
    assert (item.name, item.mask) == ("a.jpg", images.path / name)
    assert item.mask_digest


def test_the_mask_of_a_source_image_has_its_own_ending(images: ImageFolder) -> None:
    images.draw("0.src.jpg")
    images.draw("0.mask.png", mode="L")
    assert [(item.name, item.mask and item.mask.name) for item in scanned(images).items] == [
        ("0.src.jpg", "0.mask.png")
    ]


def test_of_several_masks_one_is_used_and_reported(images: ImageFolder) -> None:
    for name in ("a.png", "a-masklabel.png", "a-mask.png"):
        images.draw(name)
    found = scanned(images, use_alpha=True)
    assert found.items[0].mask == images.path / "a-mask.png"
    assert "a.png: it has 2 masks, and a-mask.png is used." in found.notes


def test_condition_images_are_never_trained_on(images: ImageFolder) -> None:
    for name in ("a.png", "a-condlabel.png", "lonely-condlabel.png"):
        images.draw(name)
    found = scanned(images)
    assert names(found) == ["a.png"]
    assert set(reasons(found)) == {"a-condlabel.png", "lonely-condlabel.png"}


def test_a_mask_of_another_shape_takes_its_image_out_with_the_sizes(images: ImageFolder) -> None:
    images.draw("a.png", (256, 128))
    images.draw("a-mask.png", (64, 64), mode="L")
    images.draw("b.png", (256, 128))
    images.draw("b-mask.png", (128, 64), mode="L")
    found = scanned(images, use_alpha=True)
    assert names(found) == ["b.png"]
    assert reasons(found) == {
        "a.png": "its mask a-mask.png cannot be used: it is 64×64 and the image is 256×128; "
        "save it at the image's size, or remove it"
    }
    assert names(scanned(images)) == ["a.png", "b.png"]


def test_files_of_an_embedding_are_not_training_images(images: ImageFolder) -> None:
    (images.path / "style.pt").write_bytes(b"an embedding")
    images.draw("style.preview.png")
    images.draw("other.preview.png")
    card, chunks = make_card(None, Embedding("style", {"clip_l": torch.ones(1, 768)}))
    card.save(images.path / "card.png", pnginfo=chunks)
    card.save(images.path / "copy without text.png")
    card.save(images.path / "card.webp", lossless=True)
    card.convert("RGB").save(images.path / "card.jpg")
    found = scanned(images)
    assert names(found) == ["card.jpg", "other.preview.png"], "JPEG has lost the embedding"
    assert reasons(found) == {
        "style.preview.png": "it is the WebUI's preview of the embedding style",
        "card.png": "it is a card that carries an embedding",
        "card.webp": "it is a card that carries an embedding",
        "copy without text.png": "it is a card that carries an embedding",
    }


def with_subfolders(images: ImageFolder) -> ImageFolder:
    images.draw("top.png")
    inner = ImageFolder(images.path / "10_thing person")
    for index in range(3):
        inner.draw(f"{index}.png", caption=f"caption {index}")
    ImageFolder(images.path / "10_thing person" / "2_deep").draw("0.png", caption="deep", salt="deep")
    ImageFolder(images.path / ".hidden").draw("h.png")
    return images


def test_subfolders_with_images_are_named_with_how_many(images: ImageFolder) -> None:
    found = scanned(with_subfolders(images))
    assert names(found) == ["top.png"]
    message = "Sub-folders are not searched: 10_thing person (3 images), 10_thing person/2_deep (1 image)."
    assert any(note.startswith(message) for note in found.notes)


def test_subfolders_are_included_with_captions_masks_and_repeats(images: ImageFolder) -> None:
    with_subfolders(images)
    images.draw("10_thing person/1-mask.png", mode="L")
    found = scanned(images, subfolders=True, use_alpha=True)
    assert [(item.name, item.caption, item.repeats, item.mask is not None) for item in found.items] == [
        ("top.png", "top", 1, False),
        ("10_thing person/0.png", "caption 0", 10, False),
        ("10_thing person/1.png", "caption 1", 10, True),
        ("10_thing person/2.png", "caption 2", 10, False),
        ("10_thing person/2_deep/0.png", "deep", 2, False),
    ]
    assert "10_thing person (10 times)" in "\n".join(found.describe())


def test_repeats_change_the_fingerprint(images: ImageFolder) -> None:
    with_subfolders(images)
    before = scanned(images, subfolders=True).fingerprint
    (images.path / "10_thing person").rename(images.path / "5_thing person")
    assert scanned(images, subfolders=True).fingerprint != before


def test_an_epoch_uses_each_image_as_often_as_its_folder_asks(images: ImageFolder) -> None:
    found = scanned(with_subfolders(images), subfolders=True)
    plan = BatchPlan(found.items, batch_size=2, seed=0)
    batches = [plan.batch(index).items for index in range(plan.batches_per_epoch)]
    uses = [sum(batch.count(index) for batch in batches) for index in range(5)]
    # Batches are filled up with other images, so that an image may be used more often than asked for.
    assert all(used >= item.repeats for used, item in zip(uses, found.items, strict=True))
    assert uses[0] < 10 <= uses[1]
    assert all(len(set(batch)) == len(batch) for batch in batches)
    assert plan.batch(plan.batches_per_epoch).epoch == 1


def test_equal_names_in_subfolders_stay_distinct(images: ImageFolder) -> None:
    with_subfolders(images)
    (images.path / "10_thing person" / "2_deep" / "0.png").write_bytes(b"broken")
    found = scanned(images, subfolders=True)
    assert any("10_thing person/2_deep/0.png (it is not an image of a known kind)" in line for line in found.describe())


def test_a_folder_with_only_subfolders_is_refused_with_advice(images: ImageFolder) -> None:
    ImageFolder(images.path / "10_thing").draw("a.png")
    with pytest.raises(BadInput, match=r"10_thing \(1 image\)\. Turn on Include sub-folders"):
        scanned(images)


def test_a_file_name_that_is_no_unicode_is_shown_with_the_byte_replaced(images: ImageFolder) -> None:
    images.draw("plain.png")
    images.draw("x.png").rename(images.path / os.fsdecode(b"caf\xe9.png"))
    (images.path / os.fsdecode(b"broken\xe9.png")).write_bytes(b"")
    found = scanned(images)
    assert {item.caption for item in found.items} == {"plain", "caf�"}
    message = "\n".join((*found.describe(), *found.notes))
    assert "broken�.png (the file is empty" in message
    message.encode()
