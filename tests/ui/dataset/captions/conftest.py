"""A folder of captions and its editor, on real files and without a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.prep.captions.search import Search
from lib_ti.ui.dataset.captions.listing import Listing
from lib_ti.ui.dataset.captions.query import Query
from lib_ti.ui.dataset.captions.service import CaptionService, OpenImage, TokenBudget
from lib_ti.ui.dataset.captions.state import Editor, Editors
from tests.fakes import FakeHost, draw_images

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four images captioned "picture 0, flat" and so on, and one whose caption is its name."""
    folder = draw_images(tmp_path / "images", count=5, size=8)
    (folder / "04.png").rename(folder / "house.png")
    (folder / "04.txt").unlink()
    return folder


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


@pytest.fixture
def work(host: FakeHost) -> CaptionService:
    return CaptionService(host, Editors())


@pytest.fixture
def editor(work: CaptionService, folder: Path) -> Editor:
    return work.open(str(folder), "")[0]


def texts(editor: Editor) -> list[str]:
    return list(editor.captions.texts.values())


def listing_of(
    work: CaptionService, editor: Editor, name: str = "", query: Query | None = None, budget: int = 75
) -> Listing:
    shown = OpenImage(str(editor.captions.folder), budget=TokenBudget(budget))
    return Listing.of(work, editor, shown, query or Query(Search("")), name)
