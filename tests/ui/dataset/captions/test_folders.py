"""Folders of captions: opened, reopened, and captioned by a model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.background.kinds import CAPTIONING
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CaptionConfig, CreateConfig, to_mapping
from lib_ti.errors import BadInput
from lib_ti.prep.captions.caption_set import load, save
from lib_ti.training.create import create
from lib_ti.ui.dataset.captions import view as captions_view
from lib_ti.ui.dataset.captions.query import named
from lib_ti.ui.dataset.captions.service import CaptionService, OpenImage, TokenBudget
from lib_ti.ui.dataset.captions.state import Editor
from tests.fakes import FakeHost
from tests.ui.dataset.captions.conftest import EVIL, texts


def test_a_folder_is_reopened_with_its_unsaved_captions(work: CaptionService, editor: Editor, folder: Path) -> None:
    editor.type("00.png", "picture 0, flat", "ours")
    (folder / "01.txt").write_text("theirs")
    (folder / "new.png").write_bytes((folder / "00.png").read_bytes())
    again, remarks = work.open("", str(folder))
    assert again is editor is work.editor(str(folder))
    assert (texts(again)[:2], again.captions.texts["new.png"], remarks) == (["ours", "theirs"], "new", ())
    (folder / "00.png").unlink()
    assert work.open(str(folder), "")[1] == ("00.png no longer exists; its unsaved caption was “ours”.",)


def test_captions_that_are_not_utf8_and_the_source_folder_are_reported(work: CaptionService, folder: Path) -> None:
    (folder / "00.txt").write_bytes("größe".encode("cp1252"))
    _, remarks = work.open(str(folder), "", source=str(folder / ".." / "images"))
    assert "This is the source folder" in remarks[0]
    assert "not UTF-8" in remarks[1]


def test_the_first_thing_to_do_is_named(work: CaptionService, host: FakeHost, folder: Path, tmp_path: Path) -> None:
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


def test_the_token_budget_is_what_the_embedding_leaves(work: CaptionService, host: FakeHost) -> None:
    create(host, CreateConfig(name="my-style", text="style", vectors=8))
    assert work.token_budget(" my-style ") == TokenBudget(67, "my-style")
    assert work.token_budget("other") == work.token_budget("") == TokenBudget(75)
    assert TokenBudget.beside("large", 80).tokens == 0


@pytest.mark.parametrize("text", ["", "null", "[]", '{"folder": "x"}', EVIL])
def test_a_page_restores_its_open_image_or_none(text: str) -> None:
    kept = OpenImage("/images", "a.png", "a “red” house", TokenBudget(65, "my-style"))
    assert OpenImage.from_text(kept.to_text()) == kept
    assert OpenImage.from_text(text) == OpenImage()


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
    folder = tmp_path / "images"
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
