"""Captions edited by several pages at once: typed, undone, saved, and in conflict with files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.errors import BadInput
from lib_ti.prep.captions.search import Search
from lib_ti.ui.dataset.captions import view as captions_view
from lib_ti.ui.dataset.captions.bulk_changes import replacement, tag_change
from lib_ti.ui.dataset.captions.state import Editor
from tests.ui.dataset.captions.conftest import texts


def test_what_is_typed_at_one_visit_is_one_step_to_undo(editor: Editor) -> None:
    for text in ("p", "pi", "pink", "pink ", "pink house"):
        editor.type("00.png", "picture 0, flat", text)
    assert [(step.label, dict(step.after)) for step in editor.captions.done] == [
        ("edit 00.png", {"00.png": "pink house"})
    ]
    editor.type("00.png", "pink house", "pink houses")  # the next visit
    assert len(editor.captions.done) == 2
    editor.undo()
    assert editor.captions.texts["00.png"] == "pink house"
    editor.undo()
    assert editor.captions.changed == ()


def test_what_is_typed_back_is_no_change(editor: Editor) -> None:
    editor.type("00.png", "picture 0, flat", "pink")
    editor.type("00.png", "picture 0, flat", "picture 0, flat")
    assert (editor.captions.changed, editor.captions.done) == ((), ())


def test_an_old_page_where_nothing_is_typed_changes_nothing(editor: Editor) -> None:
    editor.type("00.png", "picture 0, flat", "of another page")
    editor.apply(replacement(editor.captions, ["00.png"], Search("another"), "the other"))
    editor.type("00.png", "picture 0, flat", "picture 0, flat")
    assert editor.captions.texts["00.png"] == "of the other page"
    editor.type("00.png", "picture 0, flat", "typed on the old page")
    assert editor.captions.texts["00.png"] == "typed on the old page"
    editor.undo()
    assert editor.captions.texts["00.png"] == "of the other page"


def test_a_page_of_another_folder_is_refused(editor: Editor) -> None:
    with pytest.raises(BadInput, match=r"no image '9\.png'"):
        editor.type("9.png", "", "text")


def test_previewed_changes_skip_what_changed_since(editor: Editor) -> None:
    step = tag_change(editor.captions, editor.captions.texts, "Add at the front", "red")
    editor.type("01.png", "picture 1, flat", "another text")
    assert editor.apply(step) == (4, 1)
    assert texts(editor) == ["red, picture 0, flat", "another text", *texts(editor)[2:]]
    assert texts(editor)[4] == "red, house"
    undone = editor.undo()
    assert undone == editor.redo()
    assert undone is not None and set(undone.after) == {"00.png", "02.png", "03.png", "house.png"}


def test_nothing_is_written_before_it_is_saved(editor: Editor, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.glob("*.txt")}
    editor.type("house.png", "house", "a pink house")
    assert {path: path.read_bytes() for path in folder.glob("*.txt")} == before
    assert editor.save() == 1
    assert (folder / "house.txt").read_text() == "a pink house"
    assert editor.save() == 0


def test_a_conflict_is_solved_either_way(editor: Editor, folder: Path) -> None:
    for number in (0, 1):
        editor.type(f"0{number}.png", f"picture {number}, flat", "ours")
        (folder / f"0{number}.txt").write_text("theirs")
    assert editor.save() == 0
    assert [one.name for one in editor.conflicts] == ["00.png", "01.png"]
    shown = captions_view.state(editor)
    assert "2 captions are not saved" in shown
    assert "2 captions were changed on disk by another program" in shown
    assert editor.take_from_disk() == 2
    assert (editor.conflicts, editor.captions.changed) == ((), ())
    editor.undo()
    assert texts(editor)[:2] == ["ours", "ours"]
    assert editor.save() == 2
    editor.type("00.png", "ours", "ours again")
    (folder / "00.txt").write_text("theirs again")
    editor.save()
    assert editor.save(overwrite=True) == 1
    assert (folder / "00.txt").read_text() == "ours again"
    assert any(path.read_text() == "theirs again" for path in folder.glob(".captions-before/*/00.txt"))


def test_captions_that_cannot_be_saved_are_reported(editor: Editor, folder: Path) -> None:
    editor.type("house.png", "house", "a pink house")
    (folder / "house.txt").mkdir()
    assert editor.save() == 0
    assert "house.png: its caption was not saved (" in captions_view.state(editor)
    (folder / "house.txt").rmdir()
    editor.save()
    assert "ti-error" not in captions_view.state(editor)
