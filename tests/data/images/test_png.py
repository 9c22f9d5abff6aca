"""PNG files with long text are sound: the text is removed, whatever it would inflate to."""

from __future__ import annotations

import resource
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from lib_ti.data.dataset import Rules
from lib_ti.data.images.decode import open_image, read_header
from lib_ti.data.images.png import without_text
from lib_ti.data.scan import scan
from tests.data.conftest import ImageFolder

LONG = {
    "zTXt": (b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 1_300_000)),
    "iTXt": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x/>" * 400_000)),
    "tEXt": (b"tEXt", b"Comment\0" + b"x" * 70_000_000),
}


def with_chunk(path: Path, kind: bytes, body: bytes, *, last: bool = False) -> None:
    """Put a chunk behind IHDR, or before IEND."""
    data = path.read_bytes()
    at = len(data) - 12 if last else 33
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    path.write_bytes(data[:at] + chunk + data[at:])


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("kind", LONG)
def test_long_text_is_no_damage(images: ImageFolder, kind: str, last: bool) -> None:
    path = images.draw("a.png")
    plain = open_image(path).image.tobytes()
    with_chunk(path, *LONG[kind], last=last)
    assert open_image(path).image.tobytes() == plain
    assert read_header(path).size == (64, 64)
    found = scan(images.path, Rules(64, 64))
    assert [item.name for item in found.items] == ["a.png"]
    assert not found.notes


def test_a_bomb_of_text_is_not_inflated(images: ImageFolder) -> None:
    path = images.draw("a.png")
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()
    for keyword in (b"Comment", b"Raw profile type exif"):
        with_chunk(path, b"zTXt", keyword + b"\0\0" + bomb)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert open_image(path).image.size == (64, 64)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_the_limits_of_pillow_stay_as_they_are(images: ImageFolder) -> None:
    path = images.draw("a.png")
    with_chunk(path, *LONG["zTXt"])
    before = PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY, Image.MAX_IMAGE_PIXELS
    open_image(path)
    assert before == (PngImagePlugin.MAX_TEXT_CHUNK, PngImagePlugin.MAX_TEXT_MEMORY, Image.MAX_IMAGE_PIXELS)
    with pytest.raises(ValueError, match="Too Large"):
        Image.open(path)


def test_an_orientation_kept_as_text_is_still_followed(images: ImageFolder) -> None:
    path = images.draw("a.png", (64, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = exif.tobytes()
    text = f"\nexif\n{len(data):8}\n{data.hex()}\n".encode()
    with_chunk(path, b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    assert read_header(path).size == (32, 64)


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", b"JFIF"])
def test_what_is_cut_off_is_returned_unchanged(data: bytes) -> None:
    assert without_text(data) == data
