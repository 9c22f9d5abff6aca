from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.data.images.decode import UnreadableImage
from lib_ti.prep import thumbnails
from lib_ti.prep.thumbnails import Thumbnails
from lib_ti.storage.atomic import CannotWrite
from tests.prep.conftest import save
from tests.prep.photographs import photograph


@pytest.fixture
def small(tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "thumbnails", 100)


def test_a_thumbnail_is_small_and_made_once(found: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(photograph("coffee"), found / "a.jpg")
    first = small.of(path)
    with Image.open(first) as made:
        assert (made.format, made.size) == ("JPEG", (100, 67))
    monkeypatch.setattr(thumbnails, "_small", lambda *_: pytest.fail("made again"))
    assert small.of(path) == first


def test_a_changed_image_gets_a_new_one(found: Path, small: Thumbnails) -> None:
    path = save(photograph("coffee"), found / "a.png")
    first = small.of(path)
    save(photograph("flower"), path)
    os.utime(path, ns=(1, 1))  # even where the clock is too coarse to tell
    assert small.of(path) != first
    assert Thumbnails(first.parent, 60).of(path) != small.of(path)


def test_it_is_turned_as_the_camera_was_held(found: Path, small: Thumbnails) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(photograph("coffee"), found / "a.jpg", exif=exif)
    with Image.open(small.of(path)) as made:
        assert made.size == (67, 100)
        assert not made.getexif()


def test_transparent_parts_show_squares(found: Path, small: Thumbnails) -> None:
    image = photograph("coffee").convert("RGBA")
    image.paste((255, 0, 0, 0), (0, 0, 300, 400))
    with Image.open(small.of(save(image, found / "a.png"))) as made:
        left = made.crop((0, 0, 40, 67))
        assert len({round(level / 16) for _, level in left.convert("L").getcolors(4000)}) >= 2
        red, green, blue = left.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        assert abs(red - green) < 4 and abs(red - blue) < 4 and red > 220


def test_threads_that_ask_for_the_same_get_the_same(
    found: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(photograph("coffee"), found / "a.png")
    made = []
    really = thumbnails._small
    monkeypatch.setattr(thumbnails, "_small", lambda *arguments: made.append(1) or really(*arguments))
    with ThreadPoolExecutor(8) as pool:
        got = set(pool.map(small.of, [path] * 40))
    assert len(got) == len(made) == 1
    assert [file.suffix for file in got.pop().parent.iterdir()] == [".jpg"]


def test_read_and_write_failures_are_reported(found: Path, small: Thumbnails) -> None:
    (found / "a.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableImage, match="known kind"):
        small.of(found / "a.png")
    with pytest.raises(UnreadableImage, match="cannot be read"):
        small.of(found / "gone.png")
    blocked = Thumbnails(found / "a.png", 100)
    with pytest.raises(CannotWrite):
        blocked.of(save(photograph("coffee"), found / "b.png"))
