from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from tests.data.conftest import PictureFolder


def scanned(pictures: PictureFolder, **options) -> Dataset:
    return scan(pictures.path, Rules(**{"width": 64, "height": 64, **options}))


def names(items) -> list[str]:
    return [item.path.name for item in items]


def text(dataset: Dataset) -> str:
    return "\n".join((*dataset.describe(), *dataset.notes))


def test_pictures_come_in_natural_order_with_their_captions(pictures: PictureFolder) -> None:
    pictures.draw("10 a boat.png")
    pictures.draw("2 a house.jpg", (128, 64))
    pictures.draw("1.webp", caption="a tree")
    found = scanned(pictures)
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


def test_word_regex_is_used_for_file_names(pictures: PictureFolder) -> None:
    pictures.draw("red_house.png")
    assert scanned(pictures, word_regex="[a-z]+", join=", ").items[0].caption == "red, house"
    with pytest.raises(BadInput, match="regular expression"):
        scanned(pictures, word_regex="[")


def test_what_is_no_picture_is_passed_over(pictures: PictureFolder) -> None:
    pictures.draw("a.png", caption="BM, a caption that begins like a bitmap")
    for name in ("notes.md", "a.npz", "Thumbs.db", ".hidden.png", "video.mp4", "model.safetensors", "desktop.ini"):
        (pictures.path / name).write_bytes(b"BM\0\0 nothing of interest")
    pictures.draw(".a.png")
    (pictures.path / "folder.png").mkdir()
    found = scanned(pictures)
    assert names(found.items) == ["a.png"]
    assert not found.skipped


def test_subfolders_are_not_searched(pictures: PictureFolder) -> None:
    inner = PictureFolder(pictures.path / "inner")
    inner.draw("a.png")
    with pytest.raises(BadInput, match=r"holds no image.*Sub-folders are not searched: inner \(1 image\)"):
        scanned(pictures)


def test_a_picture_is_known_by_its_content_without_its_suffix(pictures: PictureFolder) -> None:
    shutil.move(pictures.draw("a.png"), pictures.path / "download")
    shutil.move(pictures.draw("b.jpg"), pictures.path / "photo.jpg_large")
    shutil.move(pictures.draw("c.jpg"), pictures.path / "jpeg in truth.png")
    assert names(scanned(pictures).items) == ["download", "jpeg in truth.png", "photo.jpg_large"]


def test_broken_pictures_are_listed_and_stop_nothing(pictures: PictureFolder) -> None:
    pictures.draw("good.png")
    (pictures.path / "empty.png").touch()
    (pictures.path / "page.jpg").write_text("<html>404</html>")
    (pictures.path / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    found = scanned(pictures)
    assert names(found.items) == ["good.png"]
    assert {one.path.name: one.reason for one in found.skipped} == {
        "empty.png": "the file is empty (0 bytes); copy or download it again",
        "page.jpg": "it is not an image of a known kind",
        "phone.heic": "it is an image in the format HEIC, which cannot be decoded here; save it as PNG or JPEG",
    }
    assert "3 files skipped: empty.png (the file is empty" in text(found)


def test_the_same_file_twice_is_used_once(pictures: PictureFolder) -> None:
    first = pictures.draw("a.png")
    shutil.copy(first, pictures.path / "a copy.png")
    pictures.draw("b.png")
    found = scanned(pictures)
    assert names(found.items) == ["a copy.png", "b.png"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("a.png", "it is the same image as a copy.png, which is used once")
    ]


def test_masks_beside_their_picture_are_no_pictures(pictures: PictureFolder) -> None:
    for name in ("a.jpg", "a-mask.png", "carnival-mask.png"):
        pictures.draw(name)
    assert names(scanned(pictures).items) == ["a.jpg", "carnival-mask.png"]


def test_enlarged_pictures_are_counted_and_named(pictures: PictureFolder) -> None:
    pictures.draw("small.png", (32, 48))
    pictures.draw("large.png", (100, 100))
    found = scanned(pictures)
    assert {item.path.name: item.upscaled for item in found.items} == {"small.png": 2.0, "large.png": 1.0}
    assert "1 of 2 images are smaller than their training size" in text(found)
    assert "small.png (2 times)" in text(found)


def test_each_way_of_resizing_gives_its_sizes(pictures: PictureFolder) -> None:
    pictures.draw("wide.png", (205, 101))
    pictures.draw("square.png", (99, 99))
    by_way = {way: [item.size for item in scanned(pictures, resize=way).items] for way in ("crop", "buckets", "keep")}
    assert by_way == {
        "crop": [(64, 64), (64, 64)],
        "buckets": [(64, 64), (88, 40)],
        "keep": [(96, 96), (200, 96)],
    }
    assert all(item.upscaled == 1 for item in scanned(pictures, resize="keep", width=512, height=512).items)


def test_a_picture_too_small_to_keep_is_skipped(pictures: PictureFolder) -> None:
    pictures.draw("a.png", (7, 100))
    pictures.draw("b.png", (8, 100))
    found = scanned(pictures, resize="keep")
    assert names(found.items) == ["b.png"]
    assert "only 7×100 pixels" in found.skipped[0].reason


def test_remarks_about_captions_and_frames_become_notes(pictures: PictureFolder) -> None:
    pictures.draw("a.png").with_suffix(".txt").write_bytes("grün".encode("cp1252"))
    pictures.draw("b.png", caption="")
    pictures.draw("c.gif", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    noted = "\n".join(scanned(pictures, use_alpha=True).notes)
    assert "a.png: its caption a.txt is not UTF-8" in noted
    assert "1 of 3 images have an empty caption: b.png." in noted
    assert "c.gif: it has several frames, of which the first is used." in noted
    assert "No image has transparency" in noted


def test_transparency_is_seen(pictures: PictureFolder) -> None:
    pictures.draw("a.png", mode="RGBA")
    pictures.draw("b.png")
    found = scanned(pictures, use_alpha=True)
    assert [item.has_alpha for item in found.items] == [True, False]
    assert not found.notes
    assert "The loss is weighted by mask or transparency in 1 image." in found.describe()
    assert not any("counts" in line for line in scanned(pictures).describe())


@pytest.mark.parametrize(
    ("count", "share", "held_out"),
    [(7, 0.5, 0), (8, 0.1, 1), (8, 0.0, 0), (20, 0.1, 2), (30, 0.01, 1), (8, 1.0, 7)],
)
def test_some_pictures_are_held_out(pictures: PictureFolder, count: int, share: float, held_out: int) -> None:
    for index in range(count):
        pictures.draw(f"{index}.png")
    found = scanned(pictures, validation_split=share)
    assert (len(found.items), len(found.validation)) == (count - held_out, held_out)
    assert len({item.digest for item in found.all_items}) == count


def test_who_is_held_out_depends_on_content_and_seed_only(pictures: PictureFolder) -> None:
    for index in range(40):
        pictures.draw(f"{index}.png")
    first = {item.digest for item in scanned(pictures).validation}
    assert first == {item.digest for item in scanned(pictures).validation}
    assert any({item.digest for item in scanned(pictures, seed=seed).validation} != first for seed in range(1, 4))
    for index in range(40):
        (pictures.path / f"{index}.png").rename(pictures.path / f"{99 - index}x.png")
    assert first == {item.digest for item in scanned(pictures).validation}


def test_the_fingerprint_follows_contents_captions_and_sizes_but_not_names(pictures: PictureFolder) -> None:
    for index in range(3):
        pictures.draw(f"{index}.png", caption="a house")
    first = scanned(pictures).fingerprint
    assert scanned(pictures).fingerprint == first
    for suffix in (".png", ".txt"):
        (pictures.path / f"0{suffix}").rename(pictures.path / f"9{suffix}")
    assert scanned(pictures).fingerprint == first
    assert scanned(pictures, width=128).fingerprint != first
    (pictures.path / "9.txt").write_text("a boat")
    second = scanned(pictures).fingerprint
    assert second != first
    pictures.draw("9.png", salt="edited")
    assert scanned(pictures).fingerprint not in (first, second)


def test_pictures_found_broken_later_are_taken_out(pictures: PictureFolder) -> None:
    paths = [pictures.draw(f"{index}.png") for index in range(9)]
    found = scanned(pictures)
    broken = found.validation[0].path
    left = found.without({broken: "the file is cut off"})
    assert (len(left.items), len(left.validation)) == (7, 1)
    assert names(left.items) == [path.name for path in paths if path not in (broken, left.validation[0].path)]
    assert [(one.path, one.reason) for one in left.skipped] == [(broken, "the file is cut off")]
    with pytest.raises(BadInput, match=r"no readable image; 9 files skipped: .*cut off.*and 4 more"):
        found.without(dict.fromkeys(paths, "the file is cut off"))


def test_folders_that_cannot_serve_are_refused(tmp_path: Path, pictures: PictureFolder) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        scan(tmp_path / "missing", Rules(64, 64))
    with pytest.raises(BadInput, match="holds no image"):
        scanned(pictures)
    with pytest.raises(BadInput, match="is a file"):
        scan(pictures.draw("a.png"), Rules(64, 64))
    (pictures.path / "a.png").write_bytes(b"")
    with pytest.raises(BadInput, match=r"no readable image; 1 file skipped: a.png \(the file is empty"):
        scanned(pictures)
