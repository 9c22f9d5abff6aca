from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.export import export_zip
from tests.data.conftest import ImageFolder


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "prepared")


def exported(folder: Path, path: Path, stop=lambda: False) -> int:
    return export_zip(folder, path, progress=lambda *_: None, stop=stop)


def test_the_zip_holds_images_captions_and_masks_and_nothing_else(images: ImageFolder, tmp_path: Path) -> None:
    images.draw("a_001.png", caption="grün")
    images.draw("a_002.png")
    Image.new("L", (64, 64)).save(images.path / "a_001-mask.png")
    for name in ("preparation.json", "notes.md", ".hidden.png"):
        (images.path / name).write_bytes(b"x")
    (images.path / ".preparation").mkdir()
    assert exported(images.path, tmp_path / "set.zip") == 2
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["a_001-mask.png", "a_001.png", "a_001.txt", "a_002.png"]
        assert archive.read("a_001.png") == (images.path / "a_001.png").read_bytes()
        assert archive.read("a_001.txt").decode() == "grün"


def test_a_zip_within_the_folder_is_not_part_of_itself(images: ImageFolder) -> None:
    images.draw("a.png")
    for _ in range(2):
        exported(images.path, images.path / "set.zip")
    with zipfile.ZipFile(images.path / "set.zip") as archive:
        assert archive.namelist() == ["a.png"]


def test_a_file_of_someone_else_is_not_replaced(images: ImageFolder, tmp_path: Path) -> None:
    images.draw("a.png")
    target = tmp_path / "set.zip"
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("holiday.txt", "mine")
    before = target.read_bytes()
    with pytest.raises(BadInput, match=r"set\.zip already exists and is not a zip file of a prepared folder"):
        exported(images.path, target)
    assert target.read_bytes() == before
    target.unlink()
    assert [exported(images.path, target) for _ in range(2)] == [1, 1], "our own is replaced"


def test_stopping_leaves_no_file(images: ImageFolder, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        images.draw(name)
    answers = iter([False, True])
    with pytest.raises(Stopped):
        exported(images.path, tmp_path / "set.zip", stop=lambda: next(answers))
    assert [path.name for path in tmp_path.iterdir()] == ["prepared"]


def test_an_empty_folder_is_refused(images: ImageFolder, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no image"):
        exported(images.path, tmp_path / "set.zip")


def test_captions_and_masks_of_other_programs_are_packed_too(images: ImageFolder, tmp_path: Path) -> None:
    images.draw("a.png")
    names = ["a-masklabel.png", "a.caption", "a.json", "metadata.jsonl"]
    Image.new("L", (64, 64)).save(images.path / names[0])
    for name in names[1:]:
        (images.path / name).write_text('{"file_name": "a.png", "text": "words"}')
    exported(images.path, tmp_path / "set.zip")
    with zipfile.ZipFile(tmp_path / "set.zip") as archive:
        assert sorted(archive.namelist()) == sorted(["a.png", *names])
