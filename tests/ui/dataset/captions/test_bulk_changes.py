"""Changes to all listed captions: previewed, refused, applied."""

from __future__ import annotations

import pytest

from lib_ti.errors import BadInput
from lib_ti.prep.captions.search import Search
from lib_ti.ui.dataset.captions import view as captions_view
from lib_ti.ui.dataset.captions.bulk_changes import ACTIONS, TAG_ACTIONS, replacement, tag_change
from lib_ti.ui.dataset.captions.state import Editor
from tests.ui.dataset.captions.conftest import texts


def test_every_change_of_tags_changes_tags(editor: Editor) -> None:
    editor.type("00.png", "picture 0, flat", "b, a, flat, B")
    after = {action: tag_change(editor.captions, ["00.png"], action, "flat, new").after["00.png"] for action in ACTIONS}
    assert after == {
        "Add at the end": "b, a, flat, B, new",
        "Add at the front": "new, b, a, flat, B",
        "Remove": "b, a, B",
        "Move to the front": "flat, b, a, B",
        "Move to the end": "b, a, B, flat",
        "Remove duplicates": "b, a, flat",
        "Sort by alphabet": "a, b, B, flat",
        "Sort by frequency": "flat, a, b, B",
    }


def test_impossible_changes_are_reported(editor: Editor) -> None:
    captions = editor.captions
    for action in TAG_ACTIONS:
        with pytest.raises(BadInput, match="needs tags"):
            tag_change(captions, captions.texts, action, " , ")
    with pytest.raises(BadInput, match="already have this form"):
        tag_change(captions, captions.texts, "Remove duplicates", "")
    with pytest.raises(BadInput, match="no tag action 'x'"):
        tag_change(captions, captions.texts, "x", "")
    with pytest.raises(BadInput, match="'zebra' is not in the listed captions"):
        replacement(captions, captions.texts, Search("zebra"), "horse")
    with pytest.raises(BadInput, match="not a regular expression"):
        replacement(captions, captions.texts, Search("(", regex=True), "")


def test_changes_are_named_and_previewed_before_they_are_applied(editor: Editor) -> None:
    step = replacement(editor.captions, ["00.png", "house.png"], Search(r"(\w+) 0", regex=True), r"drawing of \1")
    assert step.label == r"replace “(\w+) 0” by “drawing of \1”"
    assert dict(step.after) == {"00.png": "drawing of picture, flat"}
    shown = captions_view.changes(step)
    assert "1 caption would change" in shown
    assert "<ins>drawing of </ins>picture<del> 0</del>, flat" in shown
    removed = replacement(editor.captions, editor.captions.texts, Search(", flat"), "")
    assert removed.label == "remove “, flat”"
    assert "4 captions would change" in captions_view.changes(removed)
    assert texts(editor)[0] == "picture 0, flat"
