"""Crop boxes as lines of text."""

from __future__ import annotations

import re

import pytest

from lib_ti.errors import BadInput
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.ui.dataset.crop import state
from lib_ti.ui.dataset.crop.box_lines import read, write
from lib_ti.ui.dataset.crop.state import FolderCrops
from tests.ui.dataset.crop.conftest import digest, edited


def test_crop_boxes_as_text_have_a_line_for_each_image(found: FolderCrops) -> None:
    lines = write(found, edited(found)).splitlines()
    assert lines[0] == "2 corner.png: excluded"
    assert re.fullmatch(r"# 10 coffee\.png: \d+ 0 400 400", lines[1])
    assert lines[2] == "cat.jpg: 45 30 180 180; 150 0 226 225"


def test_lines_that_nobody_changed_change_nothing(found: FolderCrops) -> None:
    edits = edited(found)
    before = found.folder.manifest.read_bytes()
    assert state.decide(found.folder, read(write(found, edits), found, edits)) == edits
    assert found.folder.manifest.read_bytes() == before


def test_lines_decide_about_the_images_that_they_name(found: FolderCrops) -> None:
    text = "\n# cat.jpg: 0 0 300 300\n2 corner.png: Excluded; 0, 0, 100, 100\n"
    decisions = read(text, found, edited(found))
    assert decisions == {
        digest(found, "cat.jpg"): ImageEdits("cat.jpg"),
        digest(found, "2 corner.png"): ImageEdits("2 corner.png", excluded=True, crop_boxes=(CropBox(0, 0, 0.5, 0.5),)),
    }


def test_all_wrong_lines_are_reported(found: FolderCrops) -> None:
    text = "cat.jpg: 0 0 500 100\nno.png: excluded\ncat.jpg: 0 0 ten 10\njust words\ncat.jpg: 0 0 --1 5"
    with pytest.raises(BadInput) as caught:
        read(text, found, Edits())
    assert caught.value.problems == (
        "Line 1: the crop box 0 0 500 100 is not within cat.jpg, which is 451×300.",
        "Line 2: there is no image 'no.png' in the source folder; check its name.",
        "Line 3: '0 0 ten 10' is not a crop box; write left top width height in whole pixels, or excluded.",
        "Line 4: 'just words' has no colon; write an image's name, a colon, and left top width height.",
        "Line 5: '0 0 --1 5' is not a crop box; write left top width height in whole pixels, or excluded.",
    )
