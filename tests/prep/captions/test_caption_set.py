"""Captions in the editor: found, changed, undone, saved beside what others write."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_ti.errors import BadInput
from lib_ti.prep.captions import caption_set, tags
from lib_ti.prep.captions.bulk_edits import CaptionChange, changes, find, preview, replacements, word_frequency
from lib_ti.prep.captions.caption_files import BEFORE
from lib_ti.prep.captions.caption_set import CaptionSet, Conflict, load, save, take_from_disk
from lib_ti.prep.captions.search import Search
from tests.fakes import draw_images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images captioned "image 0, flat" and so on, and one whose caption is its name."""
    draw_images(tmp_path / "set", count=3, size=8)
    os.rename(draw_images(tmp_path / "other", count=1, size=8) / "00.png", tmp_path / "set" / "3 a red house.png")
    return tmp_path / "set"


def texts(captions: CaptionSet) -> list[str]:
    return list(captions.texts.values())


def kept(folder: Path) -> list[str]:
    return sorted(path.read_bytes().decode() for path in (folder / BEFORE).glob("*/*.txt"))


def test_captions_are_loaded_as_training_reads_them(folder: Path) -> None:
    (folder / "01.txt").write_bytes("größe,\nrund".encode("cp1252"))
    (folder / "notes.txt").write_text("no picture")
    captions = load(folder)
    assert captions.texts == {
        "00.png": "picture 0, flat",
        "01.png": "größe, rund",
        "02.png": "picture 2, flat",
        "3 a red house.png": "a red house",
    }
    assert "01.png: its caption 01.txt is not UTF-8" in captions.remarks[0]
    assert captions.changed == ()


def test_images_that_share_a_caption_are_named(folder: Path) -> None:
    (folder / "01.jpg").write_bytes((folder / "01.png").read_bytes())
    assert load(folder).remarks == ("01.png: it shares its caption 01.txt with 01.jpg.",)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no image"):
        load(tmp_path)
    with pytest.raises(BadInput, match="does not exist"):
        load(tmp_path / "missing")


def test_edits_are_undone_and_redone(folder: Path) -> None:
    first = load(folder)
    second = first.edit({"00.png": "one\n line "}, "type")
    third = second.edit({"00.png": "one line", "01.png": "two"}, "replace")
    assert (second.texts["00.png"], third.changed) == ("one line", ("00.png", "01.png"))
    assert third.undo().texts == second.texts
    assert third.undo().undo().texts == first.texts
    assert third.undo().undo().undo().texts == first.texts
    assert third.undo().undo().redo().redo() == third
    assert [step.label for step in third.done] == ["type", "replace"]
    assert third.undo().edit({"02.png": "new"}, "type").undone == ()
    assert third.edit({"00.png": " one  line"}, "nothing") is third


def test_a_name_of_nothing_is_refused(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"no image '9\.png'"):
        load(folder).edit({"9.png": ""}, "type")
    with pytest.raises(BadInput, match=r"no image '9\.png'"):
        changes(load(folder), ["9.png"], str.upper)


def test_search_and_replace_shows_its_changes_before(folder: Path) -> None:
    captions = load(folder)
    selection = ["00.png", "02.png", "3 a red house.png"]
    new = replacements(captions, selection, Search(r"picture (\d)", regex=True), r"drawing \1 ")
    assert preview(captions, new) == (
        CaptionChange("00.png", "picture 0, flat", "drawing 0, flat"),
        CaptionChange("02.png", "picture 2, flat", "drawing 2, flat"),
    )
    edited = captions.edit(new, "replace")
    assert texts(edited) == ["drawing 0, flat", "picture 1, flat", "drawing 2, flat", "a red house"]
    assert replacements(edited, edited.texts, Search("flat"), "")["01.png"] == "picture 1"


def test_tags_of_a_selection_are_changed(folder: Path) -> None:
    captions = load(folder)
    new = changes(captions, ["00.png", "01.png"], lambda text: tags.add(text, "small, flat", "front"))
    assert texts(captions.edit(new, "add"))[:3] == [
        "small, picture 0, flat",
        "small, picture 1, flat",
        "picture 2, flat",
    ]


def test_images_are_found_by_what_their_captions_have_or_lack(folder: Path) -> None:
    captions = load(folder)
    assert find(captions, Search("FLAT")) == ("00.png", "01.png", "02.png")
    assert find(captions, Search("flat"), lacking=True) == ("3 a red house.png",)
    assert find(captions, Search("hous", whole_words=True)) == ()
    assert word_frequency(["A cat's cat", "the cat", ""]) == {"cat": 2, "a": 1, "cat's": 1, "the": 1}


def test_only_changed_captions_are_saved_and_replaced_ones_kept(folder: Path) -> None:
    (folder / "01.txt").write_bytes("größe".encode("cp1252"))
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.txt")}
    edited = load(folder).edit({"01.png": "große Häuser", "3 a red house.png": "a house"}, "type")
    saved = save(edited)
    assert (saved.written, saved.conflicts, saved.failed) == (("01.png", "3 a red house.png"), (), ())
    assert (folder / "01.txt").read_text(encoding="utf-8") == "große Häuser"
    assert (folder / "3 a red house.txt").read_text() == "a house"
    assert {name for name, time in before.items() if (folder / name).stat().st_mtime_ns == time} == {"00.txt", "02.txt"}
    assert [path.read_bytes() for path in (folder / BEFORE).glob("*/*")] == ["größe".encode("cp1252")]
    assert saved.captions.changed == ()
    # What was saved can be undone, and is then there to be saved again.
    undone = saved.captions.undo()
    assert undone.changed == ("01.png", "3 a red house.png")
    assert save(undone).written == ("01.png", "3 a red house.png")
    assert (folder / "01.txt").read_text(encoding="utf-8") == "größe"
    assert len(list((folder / BEFORE).glob("*/*"))) == 3


def test_every_version_is_kept(folder: Path) -> None:
    captions = load(folder)
    for text in ("one", "two", "three"):
        captions = save(captions.edit({"00.png": text}, "type")).captions
    assert kept(folder) == ["one", "picture 0, flat", "two"]


def test_what_others_wrote_meanwhile_is_not_lost(folder: Path) -> None:
    edited = load(folder).edit({"00.png": "ours", "01.png": "ours too", "02.png": "same"}, "type")
    (folder / "00.txt").write_text("theirs")
    (folder / "02.txt").write_text("same")
    saved = save(edited)
    assert saved.conflicts == (Conflict("00.png", "ours", "theirs"),)
    assert saved.written == ("01.png", "02.png")
    assert saved.captions.changed == ("00.png",)
    assert (folder / "00.txt").read_text() == "theirs"
    taken = take_from_disk(saved.captions, ["00.png"])
    assert (taken.texts["00.png"], taken.changed) == ("theirs", ())
    assert (taken.undo().texts["00.png"], taken.undo().changed) == ("ours", ("00.png",))
    assert save(saved.captions, overwrite=True).written == ("00.png",)
    assert (folder / "00.txt").read_text() == "ours"
    assert "theirs" in kept(folder)


def test_a_caption_created_or_deleted_meanwhile_is_a_conflict(folder: Path) -> None:
    edited = load(folder).edit({"00.png": "ours", "3 a red house.png": "ours"}, "type")
    (folder / "00.txt").unlink()
    (folder / "3 a red house.txt").write_text("theirs")
    assert [conflict.name for conflict in save(edited).conflicts] == ["00.png", "3 a red house.png"]


def test_what_cannot_be_written_is_listed_and_the_rest_is_saved(folder: Path) -> None:
    (folder / "00.txt").unlink()
    edited = load(folder).edit({"00.png": "ours", "01.png": "ours"}, "type")
    (folder / "00.txt").mkdir()
    saved = save(edited)
    assert saved.written == ("01.png",)
    assert saved.failed[0].path == folder / "00.png"
    assert saved.failed[0].reason.startswith("its caption was not saved (")
    assert saved.captions.changed == ("00.png",)


def test_long_histories_are_cut(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caption_set, "_MOST_EDITS", 3)
    captions = load(folder)
    for number in range(5):
        captions = captions.edit({"00.png": str(number)}, "type")
    assert captions.undo().undo().undo().undo().texts["00.png"] == "1"


def test_a_caption_is_saved_in_the_file_it_came_from(folder: Path) -> None:
    (folder / "00.txt").rename(folder / "00.caption")
    (folder / "01.txt").rename(folder / "01.png.TXT")
    (folder / "02.txt").unlink()
    (folder / "metadata.jsonl").write_text('{"file_name": "02.png", "text": "from the table"}\n')
    captions = load(folder)
    assert captions.texts["02.png"] == "from the table"
    saved = save(captions.edit({name: f"edited {name}" for name in captions.texts}, "all"))
    assert not saved.failed
    assert not saved.conflicts
    assert (folder / "00.caption").read_text() == "edited 00.png"
    assert (folder / "01.png.TXT").read_text() == "edited 01.png"
    assert (folder / "02.txt").read_text() == "edited 02.png"
    assert not (folder / "00.txt").exists()
    assert load(folder).texts == saved.captions.texts
    assert not load(folder).changed
