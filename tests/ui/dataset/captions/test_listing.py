"""The list of captions and what the page shows: searches, marks, counts."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from lib_ti.errors import BadInput
from lib_ti.prep.captions.search import Search
from lib_ti.ui.dataset.captions import view as captions_view
from lib_ti.ui.dataset.captions.bulk_changes import replacement, tag_change
from lib_ti.ui.dataset.captions.query import ALL, EMPTY, LONG, NO_FILE, UNSAVED, Query, named, neighbor
from lib_ti.ui.dataset.captions.service import CaptionService, TokenBudget
from lib_ti.ui.dataset.captions.state import Editor
from tests.fakes import draw_images
from tests.ui.dataset.captions.conftest import EVIL, listing_of


def found(editor: Editor, words: str = "", *, shown: str = ALL, lacking: bool = False, **options: bool) -> list[str]:
    query = Query(Search(words, **options), lacking, shown)
    return [name.removesuffix(".png") for name in query.names(editor.captions, lambda text: len(text.split()) > 3)]


def test_captions_are_listed_by_words_and_by_what_is_wrong(editor: Editor) -> None:
    editor.type("02.png", "picture 2, flat", "")
    editor.type("03.png", "picture 3, flat", "a much longer caption")
    assert found(editor) == found(editor, " ") == ["00", "01", "02", "03", "house"]
    assert found(editor, "FLAT") == ["00", "01"]
    assert found(editor, "flat", lacking=True) == ["02", "03", "house"]
    assert found(editor, r"\d", regex=True) == ["00", "01"]
    assert found(editor, shown=UNSAVED) == ["02", "03"]
    assert found(editor, shown=EMPTY) == ["02"]
    assert found(editor, shown=LONG) == ["03"]
    assert found(editor, shown=NO_FILE) == ["house"]
    assert found(editor, "flat", lacking=True, shown=UNSAVED) == ["02", "03"]


def test_next_continues_when_the_open_image_leaves_the_list(editor: Editor) -> None:
    captions = editor.captions
    listed = ("01.png", "03.png")
    assert [neighbor(captions, listed, name, 1) for name in captions.texts] == [
        "01.png", "03.png", "03.png", "03.png", "house.png",
    ]  # fmt: skip
    assert neighbor(captions, listed, "house.png", -1) == "03.png"
    assert neighbor(captions, listed, "00.png", -1) == "00.png"
    assert neighbor(captions, (), "00.png", 1) == "00.png"


def test_an_image_is_opened_by_its_name_or_number(editor: Editor) -> None:
    listed = ("01.png", "house.png")
    for wanted in ("2", " house.png ", "HOUSE"):
        assert named(editor.captions, listed, wanted) == "house.png"
    assert named(editor.captions, listed, "03.png") == "03.png"
    for wanted in ("0", "3", "", "²", EVIL):
        with pytest.raises(BadInput, match="a number from 1 to 2, or a file name"):
            named(editor.captions, listed, wanted)


def test_the_list_shows_what_is_open_unsaved_too_long_or_from_a_name(work: CaptionService, editor: Editor) -> None:
    editor.type("01.png", "picture 1, flat", "one two three four")
    editor.type("02.png", "picture 2, flat", "")
    shown = listing_of(work, editor, "03.png", budget=3).rows()
    rows = {row.split('"')[0]: row for row in shown.split('data-name="')[1:]}
    assert [name for name, row in rows.items() if "aria-current" in row] == ["03.png"]
    assert [name for name, row in rows.items() if "not saved" in row] == ["01.png", "02.png"]
    assert [name for name, row in rows.items() if "ti-over" in row] == ["01.png"]
    assert [name for name, row in rows.items() if "(file name)" in row] == ["house.png"]
    assert "no caption" in rows["02.png"]
    assert all("ti-image?" in row and "sign=" in row for row in rows.values())
    assert "5 images" in shown


def test_a_search_that_cannot_be_understood_lists_all_and_changes_none(work: CaptionService, editor: Editor) -> None:
    view = listing_of(work, editor, query=Query(Search("(", regex=True)))
    assert len(view.names) == 5
    assert "is not a regular expression" in html.unescape(view.rows())
    with pytest.raises(BadInput):
        view.selection()
    assert "2 of 5 images" in listing_of(work, editor, query=Query(Search("[01]", regex=True))).rows()


def test_the_image_that_is_open_and_its_place(work: CaptionService, editor: Editor) -> None:
    view = listing_of(work, editor, "02.png", Query(Search("[123]", regex=True)))
    assert (view.position, view.opened.text) == (2, "picture 2, flat")
    assert view.image().count("<img") == 2  # and the next one
    last = listing_of(work, editor, "house.png", Query(Search("flat")))
    assert (last.position, last.image().count("<img")) == (0, 1)
    assert listing_of(work, editor, "gone.png").opened.name == "00.png"


def test_text_beyond_the_token_budget_is_highlighted(work: CaptionService, editor: Editor) -> None:
    editor.type("00.png", "picture 0, flat", f"one two {EVIL}")
    room = TokenBudget(2, "my-style")
    shown = captions_view.length(work.length(editor.captions.texts["00.png"], 2), room)
    assert "3 of 2 tokens; my-style takes 73 of 75" in shown
    assert "one two<mark> &lt;script&gt;" in shown
    fits = listing_of(work, editor, "01.png").length()
    assert "3 of 75 tokens" in fits
    assert "<mark>" not in fits


def test_the_page_names_what_undo_and_redo_do(editor: Editor) -> None:
    assert "Everything is saved" in captions_view.state(editor)
    editor.type("00.png", "picture 0, flat", "one")
    editor.apply(replacement(editor.captions, editor.captions.texts, Search("flat"), "even"))
    editor.undo()
    shown = captions_view.state(editor)
    assert 'data-unsaved="1"' in shown
    assert "1 caption is not saved" in shown
    assert captions_view.history(editor.captions) == {
        "Undo": "edit 00.png",
        "Redo": "replace “flat” by “even” (3 captions)",
    }


def test_words_are_counted_and_texts_of_others_are_no_markup(
    work: CaptionService, editor: Editor, folder: Path
) -> None:
    assert 'data-find="red">red <small>12</small>' in captions_view.counts({"red": 12})
    many = captions_view.counts({f"tag {number}": 1 for number in range(300)})
    assert many.count("<button") == 120
    assert "… and 180 more." in many
    for name in list(editor.captions.texts):
        editor.type(name, editor.captions.texts[name], EVIL)
        (folder / name).with_suffix(".txt").write_text(EVIL + name)
    editor.save()
    assert len(editor.conflicts) == 5
    view = listing_of(work, editor, budget=0)
    step = tag_change(editor.captions, editor.captions.texts, "Add at the end", EVIL + "x")
    pieces = [view.rows(), view.length(), view.state(), view.image(), captions_view.changes(step)]
    for piece in (*pieces, captions_view.counts({EVIL: 1})):
        assert "<script" not in piece


def test_long_lists_of_problems_are_shortened(editor: Editor, folder: Path) -> None:
    draw_images(folder, count=60, size=8)
    editor.reload()
    editor.apply(tag_change(editor.captions, editor.captions.texts, "Add at the end", "red"))
    for path in folder.glob("*.txt"):
        path.write_text("theirs")
    editor.save()
    shown = captions_view.state(editor)
    assert shown.count("<tr>") == 21
    assert "… and 40 more." in shown
