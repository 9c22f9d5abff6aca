"""Images, captions and zips are brought into a folder whole; what could do harm is refused by name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.data.beside.captions import read_caption
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.incoming import archive
from lib_ti.prep.incoming.bring_in import BroughtIn, bring_in


def png(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(out, "PNG")
    return out.getvalue()


def zipped_names(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data)
    return path


def bring(*files: Path, folder: Path) -> BroughtIn:
    return bring_in(files, folder, progress=lambda *_: None, stop=lambda: False)


def test_images_and_captions_of_files_and_a_zip_are_brought_in(tmp_path: Path) -> None:
    single = tmp_path / "single.png"
    single.write_bytes(png())
    content = {
        "cats/a.png": png("blue"),
        "cats/a.txt": b"a blue cat",
        "cats/notes.docx": b"?",
        "__MACOSX/cats/._a.png": b"?",
    }
    done = bring(single, zipped_names(tmp_path / "cats.zip", content), folder=tmp_path / "datasets" / "cat")
    assert sorted(path.name for path in done.folder.iterdir()) == ["a.png", "a.txt", "single.png"]
    assert read_caption(done.folder / "a.png").text == "a blue cat"
    assert (done.images, done.others) == (2, 1)
    assert "notes.docx (it is neither an image nor a caption)" in " ".join(done.describe())


def test_equal_names_in_subfolders_keep_their_captions(tmp_path: Path) -> None:
    content = {"all/x/1.png": png(), "all/x/1.txt": b"one", "all/y/1.png": png("blue"), "all/y/1.txt": b"two"}
    done = bring(zipped_names(tmp_path / "a.zip", content), folder=tmp_path / "made")
    assert sorted(path.name for path in done.folder.glob("*.png")) == ["x_1.png", "y_1.png"]
    assert read_caption(done.folder / "y_1.png").text == "two"


@pytest.mark.parametrize("name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil.png"])
def test_a_path_out_of_the_zip_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = zipped_names(tmp_path / "evil.zip", {"good.png": png(), name: png()})
    with pytest.raises(BadInput, match=r"'evil.zip' was not unpacked: '.*evil.png' in it has a path that leads out"):
        bring(path, folder=tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = zipped_names(tmp_path / "bomb.zip", {"good.png": png(), "bomb.png": bytes(archive.BOMB_BYTES + 1)})
    with pytest.raises(BadInput, match="bomb"):
        bring(path, folder=tmp_path / "made")


def test_a_zip_that_says_too_little_about_its_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    path = zipped_names(tmp_path / "lies.zip", {"a.png": png() + bytes(1000)})
    data = path.read_bytes()
    size = (len(png()) + 1000).to_bytes(4, "little")
    path.write_bytes(data.replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(BadInput, match=r"'a.png' in 'lies.zip' is damaged"):
        bring(path, folder=tmp_path / "made")


def test_ten_thousand_files_are_refused(tmp_path: Path) -> None:
    path = zipped_names(tmp_path / "many.zip", {f"{number}.png": b"" for number in range(10_000)})
    with pytest.raises(BadInput, match="'many.zip' contains 10,000 files, and at most 5,000 can be used"):
        bring(path, folder=tmp_path / "made")


def test_no_image_and_no_zip_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"There is no image in 'texts.zip'"):
        bring(zipped_names(tmp_path / "texts.zip", {"a.txt": b"words"}), folder=tmp_path / "made")
    (tmp_path / "broken.zip").write_bytes(b"PK nothing")
    with pytest.raises(BadInput, match=r"'broken.zip' is not a zip file, or is damaged"):
        bring(tmp_path / "broken.zip", folder=tmp_path / "made")
    with pytest.raises(BadInput, match=r"'gone.png' cannot be read .*choose the file again"):
        bring(tmp_path / "gone.png", folder=tmp_path / "made")


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "a.png").write_bytes(png("green"))
    path = zipped_names(tmp_path / "a.zip", {"a.png": png("blue"), "b.png": png()})
    with pytest.raises(BadInput, match=r"already holds other files named 'a.png'"):
        bring(path, folder=folder)
    assert (folder / "a.png").read_bytes() == png("green")
    assert not (folder / "b.png").exists()


def test_a_second_call_continues_after_a_stop(tmp_path: Path) -> None:
    folder, path = tmp_path / "made", zipped_names(tmp_path / "a.zip", {"a.png": png("blue"), "b.png": png()})
    with pytest.raises(Stopped, match="after 1 of 2 files"):
        bring_in([path], folder, progress=lambda *_: None, stop=folder.exists)
    assert bring(path, folder=folder).images == 2
