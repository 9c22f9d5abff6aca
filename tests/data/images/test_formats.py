"""Files whose bytes are another format than their name says, and formats that need a plug-in."""

from __future__ import annotations

import shutil

import pytest

from lib_ti.data.dataset import Rules
from lib_ti.data.images.formats import can_decode, format_of
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from tests.data.conftest import ImageFolder

BEGINNINGS = {
    "AVIF": b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B" + bytes(60),
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60),
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60),
}
SUFFIXES = {"AVIF": ".avif", "HEIC": ".heic", "JPEG XL": ".jxl"}


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_format_is_known_by_its_first_bytes(kind: str) -> None:
    assert format_of(BEGINNINGS[kind]) == kind


def test_the_brands_of_a_file_decide_which_format_it_is() -> None:
    assert format_of(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf") == "AVIF"
    assert format_of(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic") == "HEIC"
    assert format_of(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42") == ""


@pytest.mark.parametrize("kind", [kind for kind in BEGINNINGS if not can_decode(kind)])
def test_what_cannot_be_decoded_is_named_with_what_to_do(images: ImageFolder, kind: str) -> None:
    (images.path / "a.jpg").write_bytes(BEGINNINGS[kind])
    (images.path / f"b{SUFFIXES[kind]}").write_bytes(BEGINNINGS[kind])
    images.draw("c.png")
    reasons = {one.path.suffix: one.reason for one in scan(images.path, Rules(64, 64)).skipped}
    ending = "which cannot be decoded here; save it as PNG or JPEG"
    assert reasons == {
        ".jpg": f"it is an image in the format {kind} under the name .jpg, {ending}",
        SUFFIXES[kind]: f"it is an image in the format {kind}, {ending}",
    }


def test_a_video_is_not_read_whole_to_find_out_that_it_is_none(images: ImageFolder) -> None:
    with (images.path / "film.mp4").open("wb") as file:
        file.write(b"\0\0\0\x18ftypmp42\0\0\0\0isommp42")
        file.truncate(1 << 40)  # a sparse file, which no memory would hold
    with pytest.raises(BadInput, match="holds no image"):
        scan(images.path, Rules(64, 64))


def test_the_content_counts_and_not_the_name(images: ImageFolder) -> None:
    shutil.move(images.draw("a.webp"), images.path / "a.jpg")
    assert [item.name for item in scan(images.path, Rules(64, 64)).items] == ["a.jpg"]
