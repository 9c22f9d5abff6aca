"""The folders of a preparation."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.prep.prepared import PreparedFolder
from tests.data.conftest import ImageFolder


@pytest.fixture
def images(tmp_path: Path) -> ImageFolder:
    return ImageFolder(tmp_path / "found")


@pytest.fixture
def output(tmp_path: Path) -> PreparedFolder:
    return PreparedFolder(tmp_path / "prepared")
