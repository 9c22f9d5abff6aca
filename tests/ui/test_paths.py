"""No text in a field for a path ends in an error of the server, whichever button is pressed with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lib_ti.background.tasks import TASKS
from lib_ti.ui.dataset.prepare.state import Preparation
from tests.fakes import FakeHost, draw_images

gradio = pytest.importorskip("gradio", reason="Gradio is not installed")
pytest.importorskip("fastapi")

from fastapi import FastAPI  # noqa: E402 - after it is known that Gradio is there
from fastapi.testclient import TestClient  # noqa: E402

from lib_ti.ui import tab  # noqa: E402
from lib_ti.ui.server import image_addresses  # noqa: E402

LONG = "x" * 5000
FIELDS = {
    "ti_dataset_folder", "ti_prepare_output", "ti_captions_folder", "ti_train_dataset", "ti_train_template",
    "ti_train_log_directory", "ti_folders_location",
}  # fmt: skip


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    # How many subfolders are listed; those of a whole machine are many.
    monkeypatch.setattr("lib_ti.data.folder._MOST_LISTED", 20)
    yield tab.build(FakeHost(tmp_path / "host"))
    assert TASKS.wait(30)


def fields(blocks: Any) -> list[Any]:
    return [block for block in blocks.blocks.values() if getattr(block, "elem_id", None) in FIELDS]


def press_everything(blocks: Any, text: str) -> str:
    """Call each function of the page with ``text`` in every field for a path; returns all that the page shows."""
    shown = []
    paths = fields(blocks)
    assert len(paths) == len(FIELDS)
    for function, dependency in zip(blocks.fns, blocks.dependencies, strict=True):
        inputs = [blocks.blocks[number] for number in dependency["inputs"]]
        uploads = any(isinstance(one, gradio.File | gradio.UploadButton) for one in inputs)
        if not set(inputs) & set(paths) or function.fn is None or uploads:
            continue
        values = {one: text if one in paths else getattr(one, "value", None) for one in inputs}
        shown.append(str(function.fn(values if function.inputs_as_dict else values[inputs[0]])))
        assert TASKS.wait(30)
        shown.append(str(TASKS.lane_status("dataset")))
    assert len(shown) > 20
    return "\n".join(shown)


@pytest.mark.parametrize(
    "text", [".", "..", "/", "/proc", "a\0b", LONG, "/".join(["folder"] * 900), "loop", "file/x", "~nobody/x", "'\"'"]
)
def test_no_text_in_a_field_for_a_path_is_an_error_of_the_program(blocks: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    shown = press_everything(blocks, text)
    assert "unexpected error" not in shown
    assert "Traceback" not in shown
    assert "x" * 200 not in shown


def test_a_folder_that_may_not_be_entered_is_a_sentence(
    blocks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Those who run tests as root may enter everything, so that the system's refusal is played.
    closed = str(tmp_path / "closed")
    real = {name: getattr(os, name) for name in ("scandir", "stat", "listdir", "open")}

    def refusing(name: str) -> Any:
        def ask(path: Any = ".", *more: Any, **options: Any) -> Any:
            if isinstance(path, str | Path) and str(path).startswith(closed):
                raise PermissionError(13, "Permission denied", str(path))
            return real[name](path, *more, **options)

        return ask

    for name in real:
        monkeypatch.setattr(os, name, refusing(name))
    shown = press_everything(blocks, closed)
    assert "unexpected error" not in shown
    assert "Permission denied" in shown


@pytest.mark.parametrize(("source", "named"), [("images", "images-prepared"), ('"a b" ', "a b-prepared"), ("/", "")])
def test_the_prepared_folder_is_suggested_beside_the_source(tmp_path: Path, source: str, named: str) -> None:
    assert Preparation(FakeHost(tmp_path)).suggested_output(source) == named


@pytest.mark.parametrize("source", [".", "..", "images/.."])
def test_a_folder_without_a_name_of_its_own_is_suggested_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (tmp_path / "set" / "images").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "set")
    whole = Path(source).resolve()
    assert Preparation(FakeHost(tmp_path)).suggested_output(source) == f"{whole}-prepared"


def test_a_pasted_path_shows_the_images(blocks: Any, tmp_path: Path) -> None:
    folder = draw_images(tmp_path / "my images")
    for pasted in (f'"{folder}"', f" {folder}\n", f"file://{folder}".replace(" ", "%20")):
        assert "0.png" in press_everything(blocks, pasted)


def test_the_route_of_images_answers_for_files_that_cannot_be_shown(tmp_path: Path) -> None:
    app = FastAPI()
    image_addresses.add_route(app, tmp_path / "thumbnails")
    client = TestClient(app, raise_server_exceptions=False)
    here, bad = tmp_path / "a.png", Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.png"))
    for path in (here, bad, tmp_path, tmp_path / ("x" * 300)):
        for size in (image_addresses.AS_IT_IS, image_addresses.THUMBNAIL):
            answer = client.get(f"/{image_addresses.address(path, size)}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
            assert answer.headers["cache-control"] == "no-store"
            assert "Error" not in answer.text
            assert "".join(ElementTree.fromstring(answer.content).itertext())  # well-formed, and says something
    assert client.get(f"/{image_addresses.ROUTE}?name=x&size=1&sign=%C3%A9").status_code == 403
