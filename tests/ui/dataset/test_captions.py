"""The step Captions without a page: captions edited by several pages at once, and what these show, on real files."""

from __future__ import annotations

import html
import os
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.background.kinds import CAPTIONING
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CaptionConfig, CreateConfig, to_mapping
from lib_ti.errors import BadInput
from lib_ti.prep.captions.caption_set import load, save
from lib_ti.prep.captions.search import Search
from lib_ti.training.create import create
from lib_ti.ui.dataset.captions import view as captions_view
from lib_ti.ui.dataset.captions.bulk_changes import ACTIONS, TAG_ACTIONS, replacement, tag_change
from lib_ti.ui.dataset.captions.listing import Listing
from lib_ti.ui.dataset.captions.query import ALL, EMPTY, LONG, NO_FILE, UNSAVED, Query, named, neighbor
from lib_ti.ui.dataset.captions.service import CaptionService, OpenImage, TokenBudget
from lib_ti.ui.dataset.captions.state import Editor, Editors
from tests.fakes import FakeHost, draw_images

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures captioned "picture 0, flat" and so on, and one whose caption is its name."""
    folder = draw_images(tmp_path / "pictures", count=5, size=8)
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


def look(work: CaptionService, editor: Editor, name: str = "", query: Query | None = None, budget: int = 75) -> Listing:
    shown = OpenImage(str(editor.captions.folder), budget=TokenBudget(budget))
    return Listing.of(work, editor, shown, query or Query(Search("")), name)


# Edited by pages


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


def test_a_page_of_another_folder_is_told(editor: Editor) -> None:
    with pytest.raises(BadInput, match=r"no image '9\.png'"):
        editor.type("9.png", "", "text")


def test_changes_that_were_looked_at_leave_alone_what_changed_since(editor: Editor) -> None:
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


def test_what_cannot_be_saved_is_told(editor: Editor, folder: Path) -> None:
    editor.type("house.png", "house", "a pink house")
    (folder / "house.txt").mkdir()
    assert editor.save() == 0
    assert "house.png: its caption was not saved (" in captions_view.state(editor)
    (folder / "house.txt").rmdir()
    editor.save()
    assert "ti-error" not in captions_view.state(editor)


# Folders


def test_a_folder_is_opened_again_with_what_is_not_saved(work: CaptionService, editor: Editor, folder: Path) -> None:
    editor.type("00.png", "picture 0, flat", "ours")
    (folder / "01.txt").write_text("theirs")
    (folder / "new.png").write_bytes((folder / "00.png").read_bytes())
    again, remarks = work.open("", str(folder))
    assert again is editor is work.editor(str(folder))
    assert (texts(again)[:2], again.captions.texts["new.png"], remarks) == (["ours", "theirs"], "new", ())
    (folder / "00.png").unlink()
    assert work.open(str(folder), "")[1] == ("00.png no longer exists; its unsaved caption was “ours”.",)


def test_captions_that_are_not_utf8_and_ones_own_images_are_told(work: CaptionService, folder: Path) -> None:
    (folder / "00.txt").write_bytes("größe".encode("cp1252"))
    _, remarks = work.open(str(folder), "", source=str(folder / ".." / "pictures"))
    assert "This is the source folder" in remarks[0]
    assert "not UTF-8" in remarks[1]


def test_what_to_do_first_is_said(work: CaptionService, host: FakeHost, folder: Path, tmp_path: Path) -> None:
    assert "prepare your images first" in work.missing_folder("", " ")
    assert "press Prepare first" in work.missing_folder("", str(tmp_path / "prepared"))
    assert work.missing_folder("", str(folder)) == work.missing_folder("anything", "") == ""
    for chosen, words in (("", "no prepared folder"), (str(tmp_path / "missing"), "does not exist")):
        with pytest.raises(BadInput, match=words):
            work.open(chosen, "")
    with pytest.raises(BadInput, match="no longer open here"):
        work.editor(str(tmp_path))
    host.folders.allowed = [tmp_path / "other"]
    for use in (
        lambda: work.open(str(folder), ""),
        lambda: work.open("", str(folder)),
        lambda: work.editor(str(folder)),
    ):
        with pytest.raises(BadInput, match="outside the folders"):
            use()


def test_room_is_what_the_embedding_leaves(work: CaptionService, host: FakeHost) -> None:
    create(host, CreateConfig(name="my-style", text="style", vectors=8))
    assert work.token_budget(" my-style ") == TokenBudget(67, "my-style")
    assert work.token_budget("other") == work.token_budget("") == TokenBudget(75)
    assert TokenBudget.beside("large", 80).tokens == 0


@pytest.mark.parametrize("text", ["", "null", "[]", '{"folder": "x"}', EVIL])
def test_what_a_page_keeps_is_read_again_or_nothing_is_open(text: str) -> None:
    kept = OpenImage("/pictures", "a.png", "a “red” house", TokenBudget(65, "my-style"))
    assert OpenImage.from_text(kept.to_text()) == kept
    assert OpenImage.from_text(text) == OpenImage()


# Listed


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


def test_the_way_through_the_list_goes_on_when_an_image_leaves_it(editor: Editor) -> None:
    captions = editor.captions
    listed = ("01.png", "03.png")
    assert [neighbor(captions, listed, name, 1) for name in captions.texts] == [
        "01.png", "03.png", "03.png", "03.png", "house.png",
    ]  # fmt: skip
    assert neighbor(captions, listed, "house.png", -1) == "03.png"
    assert neighbor(captions, listed, "00.png", -1) == "00.png"
    assert neighbor(captions, (), "00.png", 1) == "00.png"


def test_an_image_is_meant_by_its_name_or_its_number(editor: Editor) -> None:
    listed = ("01.png", "house.png")
    for wanted in ("2", " house.png ", "HOUSE"):
        assert named(editor.captions, listed, wanted) == "house.png"
    assert named(editor.captions, listed, "03.png") == "03.png"
    for wanted in ("0", "3", "", "²", EVIL):
        with pytest.raises(BadInput, match="a number from 1 to 2, or a file name"):
            named(editor.captions, listed, wanted)


# Changed all at once


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


def test_changes_that_cannot_be_are_told(editor: Editor) -> None:
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


def test_changes_are_named_and_seen_before_they_are_made(editor: Editor) -> None:
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


# Shown


def test_the_list_shows_what_is_open_unsaved_too_long_or_from_a_name(work: CaptionService, editor: Editor) -> None:
    editor.type("01.png", "picture 1, flat", "one two three four")
    editor.type("02.png", "picture 2, flat", "")
    shown = look(work, editor, "03.png", budget=3).rows()
    rows = {row.split('"')[0]: row for row in shown.split('data-name="')[1:]}
    assert [name for name, row in rows.items() if "aria-current" in row] == ["03.png"]
    assert [name for name, row in rows.items() if "not saved" in row] == ["01.png", "02.png"]
    assert [name for name, row in rows.items() if "ti-over" in row] == ["01.png"]
    assert [name for name, row in rows.items() if "(file name)" in row] == ["house.png"]
    assert "no caption" in rows["02.png"]
    assert all("ti-image?" in row and "sign=" in row for row in rows.values())
    assert "5 images" in shown


def test_a_search_that_cannot_be_understood_lists_all_and_changes_none(work: CaptionService, editor: Editor) -> None:
    view = look(work, editor, query=Query(Search("(", regex=True)))
    assert len(view.names) == 5
    assert "is not a regular expression" in html.unescape(view.rows())
    with pytest.raises(BadInput):
        view.selection()
    assert "2 of 5 images" in look(work, editor, query=Query(Search("[01]", regex=True))).rows()


def test_the_image_that_is_open_and_its_place(work: CaptionService, editor: Editor) -> None:
    view = look(work, editor, "02.png", Query(Search("[123]", regex=True)))
    assert (view.position, view.opened.text) == (2, "picture 2, flat")
    assert view.image().count("<img") == 2  # and the next one
    last = look(work, editor, "house.png", Query(Search("flat")))
    assert (last.position, last.image().count("<img")) == (0, 1)
    assert look(work, editor, "gone.png").opened.name == "00.png"


def test_what_is_beyond_the_room_is_marked(work: CaptionService, editor: Editor) -> None:
    editor.type("00.png", "picture 0, flat", f"one two {EVIL}")
    room = TokenBudget(2, "my-style")
    shown = captions_view.length(work.length(editor.captions.texts["00.png"], 2), room)
    assert "3 of 2 tokens; my-style takes 73 of 75" in shown
    assert "one two<mark> &lt;script&gt;" in shown
    fits = look(work, editor, "01.png").length()
    assert "3 of 75 tokens" in fits
    assert "<mark>" not in fits


def test_what_undo_and_redo_do_is_said(editor: Editor) -> None:
    assert "Everything is saved" in captions_view.state(editor)
    editor.type("00.png", "picture 0, flat", "one")
    editor.apply(replacement(editor.captions, editor.captions.texts, Search("flat"), "even"))
    editor.undo()
    shown = captions_view.state(editor)
    assert 'data-unsaved="1"' in shown
    assert "1 caption is not saved" in shown
    assert "Undo: edit 00.png" in shown
    assert "Redo: replace “flat” by “even” (3 captions)" in shown


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
    view = look(work, editor, budget=0)
    step = tag_change(editor.captions, editor.captions.texts, "Add at the end", EVIL + "x")
    pieces = [view.rows(), view.length(), view.state(), view.image(), captions_view.changes(step)]
    for piece in (*pieces, captions_view.counts({EVIL: 1})):
        assert "<script" not in piece


def test_long_lists_of_trouble_are_cut(editor: Editor, folder: Path) -> None:
    draw_images(folder, count=60, size=8)
    editor.reload()
    editor.apply(tag_change(editor.captions, editor.captions.texts, "Add at the end", "red"))
    for path in folder.glob("*.txt"):
        path.write_text("theirs")
    editor.save()
    shown = captions_view.state(editor)
    assert shown.count("<tr>") == 21
    assert "… and 40 more." in shown


# Written by a model


def test_a_folder_is_captioned_and_its_editor_has_the_captions(
    work: CaptionService, editor: Editor, folder: Path
) -> None:
    tasks = BackgroundTasks()
    action = work.captioning(folder, to_mapping(CaptionConfig(existing="keep", prefix="photo of")))
    tasks.start(CAPTIONING, "Captioning", action)
    assert tasks.wait(20)
    assert tasks.status(CAPTIONING).state == "done"
    of, done = tasks.result(CAPTIONING)
    assert (of, done.written) == (folder, ("house.png",))
    assert "1 captioned, 4 with an existing caption that was kept" in captions_view.captioning_result(done)
    work.open(str(folder), "")
    assert editor.captions.texts["house.png"].startswith("photo of colour")
    assert editor.captions.changed == ()


def test_captioning_waits_for_what_is_not_saved(work: CaptionService, editor: Editor, folder: Path) -> None:
    editor.type("00.png", "picture 0, flat", "ours")
    with pytest.raises(BadInput, match=r"Unsaved captions: 1, such as that of 00\.png\. Save or undo"):
        work.captioning(folder, to_mapping(CaptionConfig()))
    editor.save()
    with pytest.raises(BadInput, match="Batch size"):
        work.captioning(folder, {**to_mapping(CaptionConfig()), "batch_size": 0})


def test_an_image_whose_name_is_no_unicode_can_be_opened_and_edited(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    name = os.fsdecode(b"caf\xe9.png")
    Image.new("RGB", (64, 64)).save(folder / name)
    captions = load(folder)
    page = captions_view.rows(captions, list(captions.texts), "", len, 75)
    assert 'data-name="caf�.png"' in page
    assert named(captions, list(captions.texts), "caf�.png") == name
    saved = save(captions.edit({name: "a cup"}, "one"))
    assert saved.written == (name,)
    assert (folder / os.fsdecode(b"caf\xe9.txt")).read_text() == "a cup"
