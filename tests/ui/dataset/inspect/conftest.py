"""An inspected folder, on real files and without Gradio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import TaskContext
from lib_ti.config import InspectConfig
from lib_ti.prep.inspect.measure_folder import MeasuredFolder, measure_folder
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.ui.dataset.inspect.columns import (
    BY_NAME,
)
from lib_ti.ui.dataset.inspect.listing import Listing
from lib_ti.ui.dataset.inspect.query import GALLERY, ListRequest
from lib_ti.ui.dataset.inspect.state import Inspection, ListedImage
from tests.prep.photographs import blur, brightness, noise, photograph, resize

EVIL = '"><script>alert(1)<&script>.jpg'
NAMES = [EVIL, "brick.jpg", "camera 2.jpg", "camera 10.png", "coffee.jpg", "copy.jpg", "moon.png", "retina.png"]
CONFIG = InspectConfig()


def task(**changes: Any) -> TaskContext:
    return TaskContext(lambda **_: None)


@pytest.fixture(scope="package")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sharp image and a blurred larger copy, the same file twice, a small one, a dark one, a noisy one."""
    folder = tmp_path_factory.mktemp("found")
    photograph("ihc").save(folder / EVIL, quality=92)
    photograph("brick").save(folder / "brick.jpg", quality=92)
    (folder / "copy.jpg").write_bytes((folder / "brick.jpg").read_bytes())
    photograph("camera").save(folder / "camera 2.jpg", quality=92)
    (folder / "camera 2.txt").write_text("a man with a camera")
    blur(6)(resize(1.2)(photograph("camera"))).save(folder / "camera 10.png")
    resize(0.4)(photograph("coffee")).save(folder / "coffee.jpg", quality=92)
    brightness(0.15)(photograph("moon")).save(folder / "moon.png")
    noise(45)(photograph("retina")).save(folder / "retina.png")
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="package")
def measured(source: Path) -> MeasuredFolder:
    return measure_folder(source, progress=lambda done, total: None, stop=lambda: False)


@pytest.fixture
def folder(tmp_path: Path) -> PreparedFolder:
    return PreparedFolder(tmp_path / "prepared")


@pytest.fixture
def inspection(measured: MeasuredFolder, folder: PreparedFolder) -> Inspection:
    return Inspection(measured, folder)


def request(inspection: Inspection, **changes: Any) -> ListRequest:
    same = ListRequest(CONFIG, str(inspection.measured.folder), str(inspection.folder.path), GALLERY, BY_NAME, "")
    return replace(same, **changes)


def view(inspection: Inspection, **changes: Any) -> Listing:
    return Listing.of(inspection, request(inspection, **changes))


def names(images: Any) -> list[str]:
    return [seen.name for seen in images]


def seen(inspection: Inspection, name: str) -> ListedImage:
    return next(one for one in inspection.images(CONFIG) if one.name == name)


def digests(inspection: Inspection, *wanted: str, excluded: bool = True) -> dict[str, bool]:
    return {seen(inspection, name).digest: excluded for name in wanted}


def excluded(inspection: Inspection) -> set[str]:
    return {one.name for one in read_manifest(inspection.folder).edits.by_digest.values() if one.excluded}
