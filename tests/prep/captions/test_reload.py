"""Captions reloaded while they are being edited: no change is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.errors import BadInput
from lib_ti.prep.captions.caption_set import CaptionSet, load, save
from lib_ti.prep.captions.reload import reload
from tests.fakes import draw_images


@pytest.fixture
def edited(tmp_path: Path) -> CaptionSet:
    """Three captions, the first two edited together, the first of them alone after that, and nothing saved."""
    captions = load(draw_images(tmp_path / "set", count=3, size=8))
    return captions.edit({"00.png": "ours", "01.png": "ours"}, "both").edit({"00.png": "ours again"}, "first")


def test_what_is_not_saved_stays_with_its_history(edited: CaptionSet) -> None:
    found = reload(edited)
    assert (found.captions, found.lost) == (edited, {})
    assert reload(edited.undo()).captions.redo() == edited


def test_added_images_appear_and_removed_ones_are_reported(edited: CaptionSet) -> None:
    (edited.folder / "00.png").rename(edited.folder / "new.png")
    found = reload(edited)
    assert dict(found.captions.texts) == {"01.png": "ours", "02.png": "picture 2, flat", "new.png": "new"}
    assert found.lost == {"00.png": "ours again"}
    # The step that was for both is undone for the one that is left; the other one is gone with its image.
    assert [step.label for step in found.captions.done] == ["both"]
    assert dict(found.captions.undo().texts)["01.png"] == "picture 1, flat"
    assert "00.png" not in found.captions.undo().texts


def test_captions_changed_on_disk_are_loaded_where_nothing_is_unsaved(edited: CaptionSet) -> None:
    saved = save(edited).captions
    (saved.folder / "01.txt").write_text("theirs")
    (saved.folder / "02.txt").write_text("theirs")
    found = reload(saved).captions
    assert list(found.texts.values()) == ["ours again", "theirs", "theirs"]
    assert found.changed == ()
    # Undoing goes back in what is ours alone, and does not bring back what was there before theirs.
    assert list(found.undo().undo().texts.values()) == ["picture 0, flat", "theirs", "theirs"]


def test_an_unsaved_text_stays_in_conflict_with_what_others_wrote(edited: CaptionSet) -> None:
    (edited.folder / "00.txt").write_text("theirs")
    (edited.folder / "01.txt").write_text("ours")
    found = reload(edited).captions
    assert found.texts["00.png"] == "ours again"
    assert found.changed == ("00.png",)  # the other one says the same by now
    assert [conflict.theirs for conflict in save(found).conflicts] == ["theirs"]


def test_a_missing_folder_is_reported(edited: CaptionSet) -> None:
    edited.folder.rename(edited.folder.with_name("elsewhere"))
    with pytest.raises(BadInput, match="does not exist"):
        reload(edited)
