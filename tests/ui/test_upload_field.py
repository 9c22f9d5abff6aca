"""Fields for files accept what the server gave to an upload, and no path that a page made up."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.kinds import PREPARATION
from lib_ti.background.tasks import TASKS
from lib_ti.errors import BadInput
from tests.fakes import FakeHost, draw_images

gradio = pytest.importorskip("gradio", reason="Gradio is not installed")

from lib_ti.ui import tab  # noqa: E402 - after it is known that Gradio is there
from lib_ti.ui.widgets import upload_field  # noqa: E402


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gradio's folder for uploads."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def message(*files: object, pending: int = 0, number: str = "7.1") -> str:
    return json.dumps({"number": number, "files": [str(one) for one in files], "pending": pending})


def test_uploaded_files_are_read_in_their_order(uploads: Path) -> None:
    files = [uploads / "1" / "b.png", uploads / "2" / "ä b.png"]
    assert upload_field.read(message(*files)) == files
    assert upload_field.read_one(message(*files[:1])) == files[0]
    assert upload_field.read("") == upload_field.read(None) == upload_field.read(message()) == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../passwd", "UPLOADS/../passwd", "passwd", "~/passwd", "link/passwd"])
def test_a_path_that_no_upload_has_is_refused(uploads: Path, path: str) -> None:
    (uploads / "link").symlink_to("/etc")
    named = path.replace("UPLOADS", str(uploads)).replace("link/", f"{uploads}/link/")
    with pytest.raises(BadInput, match="'passwd' was not uploaded here: choose the file again"):
        upload_field.read(message(uploads / "a.png", named))


@pytest.mark.parametrize("text", ["x", "[]", "7", '{"files": "a"}', '{"files": [1]}', '{"files": [], "pending": "x"}'])
def test_what_no_page_sends_is_refused(uploads: Path, text: str) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        upload_field.read(text)
    assert "data-saved" in upload_field.answered(text)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_a_path_that_no_file_can_have_is_refused(uploads: Path, path: str) -> None:
    with pytest.raises(BadInput, match="was not uploaded here"):
        upload_field.read(message(path))


def test_files_that_are_still_being_uploaded_are_waited_for(uploads: Path) -> None:
    with pytest.raises(BadInput, match="2 files are not uploaded yet: wait for the upload to finish, or cancel it"):
        upload_field.read(message(uploads / "a.png", pending=2))


def test_a_field_for_one_file_says_when_there_is_none(uploads: Path) -> None:
    with pytest.raises(BadInput, match="No file was uploaded"):
        upload_field.read_one(message())


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    yield tab.build(FakeHost(tmp_path / "host"))
    assert TASKS.wait(30)


def events(blocks: Any) -> Iterator[tuple[list[Any], list[Any], Any]]:
    """Inputs, outputs and function of each event, which each version of Gradio keeps in another way."""
    if isinstance(blocks.fns, dict):
        yield from ((one.inputs, one.outputs, one.fn) for one in blocks.fns.values())
        return
    for event, function in zip(blocks.dependencies, blocks.fns, strict=True):
        yield *([blocks.blocks[one] for one in event[key]] for key in ("inputs", "outputs")), function.fn


def bring_in(blocks: Any, text: str) -> dict[str, Any]:
    """Do what an upload in the sub-tab Dataset does; the updates by the ids of components, and the folder's."""
    field = next(one for one in blocks.blocks.values() if getattr(one, "elem_id", "") == "ti_dataset_files_uploaded")
    inputs, outputs, function = next(event for event in events(blocks) if field in event[0])
    updates = function({**{one: getattr(one, "value", None) for one in inputs}, field: text})
    shown = {getattr(one, "elem_id", None): update for one, update in zip(outputs, updates, strict=True)}
    return {**shown, "folder": updates[1]}


def test_files_that_another_task_keeps_from_being_brought_in_stay_in_the_page(blocks: Any, uploads: Path) -> None:
    text = message(*sorted(draw_images(uploads / "1").iterdir()))
    ended = threading.Event()
    TASKS.start(PREPARATION, "Preparing", lambda task: ended.wait(30))
    try:
        shown = bring_in(blocks, text)
    finally:
        ended.set()
    assert TASKS.wait(30)
    assert 'data-saved="7.1" data-failed="yes"' in shown["ti_dataset_files_answer"]
    assert "in progress" in shown["ti_inspect_message"]
    assert "value" not in shown["folder"]  # the end of the other task does not name a folder that there is not
    shown = bring_in(blocks, text)
    assert "data-failed" not in shown["ti_dataset_files_answer"]
    assert not shown["ti_inspect_message"]
    assert TASKS.wait(30)
    assert list(Path(shown["folder"]).glob("*.png"))


def test_a_path_from_elsewhere_is_not_brought_in(blocks: Any, uploads: Path, tmp_path: Path) -> None:
    shown = bring_in(blocks, message(*draw_images(tmp_path / "private").iterdir()))
    assert "was not uploaded here" in shown["ti_inspect_message"]
    assert not (tmp_path / "host" / "datasets").exists()
