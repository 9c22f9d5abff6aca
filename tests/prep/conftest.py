"""A folder of real photographs, small, and looking at one image as the folder's look does."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_ti.config import InspectConfig
from lib_ti.data.beside.captions import Caption
from lib_ti.prep.inspect.duplicates import Fingerprint
from lib_ti.prep.inspect.issues import issues_of
from lib_ti.prep.inspect.measure_folder import MeasuredImage
from lib_ti.prep.inspect.measures import measure


def look_at(image: Image.Image, *, jpeg_quality: int = 0) -> MeasuredImage:
    measures, levels = measure(image, jpeg_quality=jpeg_quality)
    return MeasuredImage(
        path=Path("image.png"),
        name="picture.png",
        digest="0" * 64,
        bytes=1000,
        size=image.size,
        transparent=False,
        several_frames=False,
        caption=Caption("a picture", "file"),
        measures=measures,
        fingerprint=Fingerprint(levels, image.size),
    )


def kinds(image: Image.Image, config: InspectConfig | None = None, *, jpeg_quality: int = 0) -> set[str]:
    """Kinds of issues of an image; the size alone is excluded, since most of the photographs are a little small."""
    issues = issues_of(look_at(image, jpeg_quality=jpeg_quality), config or InspectConfig())
    return {issue.kind for issue in issues} - {"small"}


def save(image: Image.Image, path: Path, caption: str | None = None, **options: object) -> Path:
    if path.suffix == ".png":
        options.setdefault("compress_level", 1)  # writing, not reading, is what takes its time
    image.save(path, **options)
    if caption is not None:
        path.with_suffix(".txt").write_text(caption, encoding="utf-8")
    return path


@pytest.fixture
def found(tmp_path: Path) -> Path:
    folder = tmp_path / "found"
    folder.mkdir()
    return folder
