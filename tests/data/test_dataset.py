from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from tests.data.conftest import ImageFolder


def scanned(images: ImageFolder, **options) -> Dataset:
    return scan(images.path, Rules(**{"width": 64, "height": 64, **options}))


def names(items) -> list[str]:
    return [item.path.name for item in items]


def text(dataset: Dataset) -> str:
    return "\n".join((*dataset.describe(), *dataset.notes))


def test_images_are_in_natural_order_with_their_captions(images: ImageFolder) -> None:
    images.draw("10 a boat.png")
    images.draw("2 a house.jpg", (128, 64))
    images.draw("1.webp", caption="a tree")
    found = scanned(images)
    assert names(found.items) == ["1.webp", "2 a house.jpg", "10 a boat.png"]
    assert [(item.caption, item.caption_source) for item in found.items] == [
        ("a tree", "file"),
        ("a house", "name"),
        ("a boat", "name"),
    ]
    assert found.items[1].source_size == (128, 64)
    assert not found.skipped
    assert not found.validation
    assert not found.notes
    assert "3 images for training" in text(found)
    assert "1 from caption files, 2 from file names" in text(found)


def test_word_regex_is_used_for_file_names(images: ImageFolder) -> None:
    images.draw("red_house.png")
    assert scanned(images, word_regex="[a-z]+", join=", ").items[0].caption == "red, house"
    with pytest.raises(BadInput, match="regular expression"):
        scanned(images, word_regex="[")


def test_files_other_than_images_are_skipped(images: ImageFolder) -> None:
    images.draw("a.png", caption="BM, a caption that begins like a bitmap")
    for name in ("notes.md", "a.npz", "Thumbs.db", ".hidden.png", "video.mp4", "model.safetensors", "desktop.ini"):
        (images.path / name).write_bytes(b"BM\0\0 nothing of interest")
    images.draw(".a.png")
    (images.path / "folder.png").mkdir()
    found = scanned(images)
    assert names(found.items) == ["a.png"]
    assert not found.skipped


def test_subfolders_are_not_searched(images: ImageFolder) -> None:
    inner = ImageFolder(images.path / "inner")
    inner.draw("a.png")
    with pytest.raises(BadInput, match=r"holds no image.*Sub-folders are not searched: inner \(1 image\)"):
        scanned(images)


def test_an_image_without_a_suffix_is_recognized_by_its_content(images: ImageFolder) -> None:
    shutil.move(images.draw("a.png"), images.path / "download")
    shutil.move(images.draw("b.jpg"), images.path / "photo.jpg_large")
    shutil.move(images.draw("c.jpg"), images.path / "jpeg in truth.png")
    assert names(scanned(images).items) == ["download", "jpeg in truth.png", "photo.jpg_large"]


def test_broken_images_are_listed_and_the_others_used(images: ImageFolder) -> None:
    images.draw("good.png")
    (images.path / "empty.png").touch()
    (images.path / "page.jpg").write_text("<html>404</html>")
    (images.path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    found = scanned(images)
    assert names(found.items) == ["good.png"]
    assert {one.path.name: one.reason for one in found.skipped} == {
        "empty.png": "the file is empty (0 bytes); copy or download it again",
        "page.jpg": "it is not an image of a known kind",
        "phone.heic": "it is an image in the format HEIC, which cannot be decoded here; save it as PNG or JPEG",
    }
    assert "3 files skipped: empty.png (the file is empty" in text(found)


def test_the_same_file_twice_is_used_once(images: ImageFolder) -> None:
    first = images.draw("a.png")
    shutil.copy(first, images.path / "a copy.png")
    images.draw("b.png")
    found = scanned(images)
    assert names(found.items) == ["a copy.png", "b.png"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("a.png", "it is the same image as a copy.png, which is used once")
    ]


def test_masks_beside_their_image_are_not_training_images(images: ImageFolder) -> None:
    for name in ("a.jpg", "a-mask.png", "carnival-mask.png"):
        images.draw(name)
    assert names(scanned(images).items) == ["a.jpg", "carnival-mask.png"]


def test_upscaled_images_are_counted_and_named(images: ImageFolder) -> None:
    images.draw("small.png", (32, 48))
    images.draw("large.png", (100, 100))
    found = scanned(images)
    assert {item.path.name: item.upscaled for item in found.items} == {"small.png": 2.0, "large.png": 1.0}
    assert "1 of 2 images are smaller than their training size" in text(found)
    assert "small.png (2 times)" in text(found)


def test_each_way_of_resizing_gives_its_sizes(images: ImageFolder) -> None:
    images.draw("wide.png", (205, 101))
    images.draw("square.png", (99, 99))
    by_way = {way: [item.size for item in scanned(images, resize=way).items] for way in ("crop", "buckets", "keep")}
    assert by_way == {
        "crop": [(64, 64), (64, 64)],
        "buckets": [(64, 64), (88, 40)],
        "keep": [(96, 96), (200, 96)],
    }
    assert all(item.upscaled == 1 for item in scanned(images, resize="keep", width=512, height=512).items)


def test_an_image_too_small_to_keep_is_skipped(images: ImageFolder) -> None:
    images.draw("a.png", (7, 100))
    images.draw("b.png", (8, 100))
    found = scanned(images, resize="keep")
    assert names(found.items) == ["b.png"]
    assert "only 7×100 pixels" in found.skipped[0].reason


def test_remarks_about_captions_and_frames_become_notes(images: ImageFolder) -> None:
    images.draw("a.png").with_suffix(".txt").write_bytes("grün".encode("cp1252"))
    images.draw("b.png", caption="")
    images.draw("c.gif", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    noted = "\n".join(scanned(images, use_alpha=True).notes)
    assert "a.png: its caption a.txt is not UTF-8" in noted
    assert "1 of 3 images have an empty caption: b.png." in noted
    assert "c.gif: it has several frames, of which the first is used." in noted
    assert "No image has transparency" in noted


def test_transparency_is_seen(images: ImageFolder) -> None:
    images.draw("a.png", mode="RGBA")
    images.draw("b.png")
    found = scanned(images, use_alpha=True)
    assert [item.has_alpha for item in found.items] == [True, False]
    assert not found.notes
    assert "The loss is weighted by mask or transparency in 1 image." in found.describe()
    assert not any("counts" in line for line in scanned(images).describe())


@pytest.mark.parametrize(
    ("count", "share", "held_out"),
    [
        *[(7, 0.5, 0), (8, 0.1, 1), (8, 0.0, 0), (20, 0.1, 2), (30, 0.01, 1), (8, 1.0, 7)],
        *[(7, -1, 0), (8, -1, 1), (19, -1, 2), (20, -1, 8), (100, -1, 10), (330, -1, 32)],
    ],
)
def test_validation_split_has_its_share_of_the_images(
    images: ImageFolder, count: int, share: float, held_out: int
) -> None:
    for index in range(count):
        images.draw(f"{index}.png")
    found = scanned(images, validation_split=share)
    assert (len(found.items), len(found.validation)) == (count - held_out, held_out)
    assert len({item.digest for item in found.all_items}) == count


def test_validation_split_depends_on_content_and_seed_only(images: ImageFolder) -> None:
    for index in range(40):
        images.draw(f"{index}.png")
    first = {item.digest for item in scanned(images).validation}
    assert first == {item.digest for item in scanned(images).validation}
    assert any({item.digest for item in scanned(images, seed=seed).validation} != first for seed in range(1, 4))
    for index in range(40):
        (images.path / f"{index}.png").rename(images.path / f"{99 - index}x.png")
    assert first == {item.digest for item in scanned(images).validation}


def test_the_fingerprint_follows_contents_captions_and_sizes_but_not_names(images: ImageFolder) -> None:
    for index in range(3):
        images.draw(f"{index}.png", caption="a house")
    first = scanned(images).fingerprint
    assert scanned(images).fingerprint == first
    for suffix in (".png", ".txt"):
        (images.path / f"0{suffix}").rename(images.path / f"9{suffix}")
    assert scanned(images).fingerprint == first
    assert scanned(images, width=128).fingerprint != first
    (images.path / "9.txt").write_text("a boat")
    second = scanned(images).fingerprint
    assert second != first
    images.draw("9.png", salt="edited")
    assert scanned(images).fingerprint not in (first, second)


def test_images_found_broken_later_are_removed(images: ImageFolder) -> None:
    paths = [images.draw(f"{index}.png") for index in range(9)]
    found = scanned(images)
    broken = found.validation[0].path
    left = found.without({broken: "the file is cut off"})
    assert (len(left.items), len(left.validation)) == (7, 1)
    assert names(left.items) == [path.name for path in paths if path not in (broken, left.validation[0].path)]
    assert [(one.path, one.reason) for one in left.skipped] == [(broken, "the file is cut off")]
    with pytest.raises(BadInput, match=r"no readable image; 9 files skipped: .*cut off.*and 4 more"):
        found.without(dict.fromkeys(paths, "the file is cut off"))


def test_unusable_folders_are_refused(tmp_path: Path, images: ImageFolder) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        scan(tmp_path / "missing", Rules(64, 64))
    with pytest.raises(BadInput, match="holds no image"):
        scanned(images)
    with pytest.raises(BadInput, match="is a file"):
        scan(images.draw("a.png"), Rules(64, 64))
    (images.path / "a.png").write_bytes(b"")
    with pytest.raises(BadInput, match=r"no readable image; 1 file skipped: a.png \(the file is empty"):
        scanned(images)
