"""The service behind Start: what a page sends, and what it shows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CreateConfig, MakeConfig, to_mapping
from lib_ti.errors import BadInput, Busy
from lib_ti.training.create import create
from lib_ti.ui.controller import Controller
from lib_ti.ui.start import view
from tests.make_it.conftest import Workshop, _quick, workshop
from tests.ui.conftest import EVIL

__all__ = ["_quick", "workshop"]


@pytest.fixture
def made(workshop: Workshop) -> Controller:
    return Controller(workshop.host, BackgroundTasks())


def values(workshop: Workshop, **changes: Any) -> dict[str, Any]:
    config = MakeConfig(
        images=str(workshop.images),
        keyword="my-style",
        what="fog",
        max_steps=4,
        log_directory=str(workshop.folder / "runs"),
    )
    return {**to_mapping(config), **changes}


def test_one_press_makes_a_keyword_and_shows_it(workshop: Workshop, made: Controller) -> None:
    made.start.start({**values(workshop), "images": f'"{workshop.images}"'}, [])
    with pytest.raises(Busy, match="Making my-style is in progress: wait until it has ended, or press Interrupt"):
        made.start.start(values(workshop), [])
    assert made.tasks.wait(60)
    now = made.start.status()
    assert now.state == "done", now.errors
    assert view.status(now, 2).count("ti-done") == 9
    (compared,) = now.detail.phases[-1].sentences
    assert "prompts, each from the same noise" in compared and str(workshop.folder) not in compared
    assert "my-style is" in view.result(now.detail) and "<img" in view.result(now.detail)
    run = made.runs.snapshot()  # what the Train tab shows
    assert (run.name, run.state, run.step) == ("my-style", "done", 4)
    assert (run.settings["preset"], run.settings["dataset"]) == ("style", str(workshop.prepared))
    assert "ti-previews" in view.run(now.detail)
    assert made.start.unfinished(str(workshop.folder / "runs")) is None
    assert made.results.run(str(workshop.folder / "runs"), "my-style", "").settings_to_continue()["max_steps"] == 8


def test_interrupt_keeps_what_is_done_and_the_next_press_continues(workshop: Workshop, made: Controller) -> None:
    made.start.start(values(workshop), [])
    made.start.stop()
    assert made.tasks.wait(60)
    now = made.start.status()
    assert now.state == "stopped"
    assert "Press Make it" in view.status(now, 2) and not now.detail.finished
    made.start.start(values(workshop), [])
    assert made.tasks.wait(60)
    assert made.start.status().detail.finished


def test_uploads_are_brought_into_a_folder_of_the_keyword(workshop: Workshop, made: Controller) -> None:
    archive = shutil.make_archive(str(workshop.folder / "photos"), "zip", workshop.images)
    made.start.start(values(workshop, images=""), [Path(archive)])
    assert made.tasks.wait(60)
    assert made.start.status().state == "done", made.start.status().errors
    assert len(list((workshop.host.folders.datasets / "my-style").iterdir())) == 10
    assert (workshop.host.folders.datasets / "my-style-prepared" / "make_it.json").is_file()


def test_what_is_missing_is_said(workshop: Workshop, made: Controller) -> None:
    with pytest.raises(BadInput, match="There are no images yet"):
        made.start.start(values(workshop, images=""), [])
    with pytest.raises(BadInput, match="use one of them"):
        made.start.start(values(workshop), [Path("photos.zip")])
    with pytest.raises(BadInput, match="Keyword is empty"):
        made.start.start(values(workshop, keyword=""), [])
    with pytest.raises(BadInput, match="holds parts of a path"):
        made.start.start(values(workshop, images="", keyword="../x"), [Path("photos.zip")])


def test_folders_outside_the_allowed_ones_are_refused(workshop: Workshop, made: Controller, tmp_path: Path) -> None:
    workshop.host.folders.allowed = (workshop.folder / "allowed",)
    with pytest.raises(BadInput, match="is outside the folders this server allows"):
        made.start.start(values(workshop), [])


def test_errors_are_shown_with_what_is_kept(workshop: Workshop, made: Controller) -> None:
    made.start.start(values(workshop, images=str(workshop.folder / EVIL)), [])
    assert made.tasks.wait(60)
    shown = view.status(made.start.status(), 2)
    assert "does not exist" in shown and "press Make it again to continue" in shown
    assert "<script>" not in shown


def test_the_keyword_is_checked(workshop: Workshop, made: Controller) -> None:
    def remarks(keyword: str) -> str:
        return made.start.keyword_remarks(keyword, "style", str(workshop.folder / "runs"))

    assert remarks("") == ""
    assert "The keyword is free. It takes 4 of 75 prompt tokens." in remarks("my-style")
    assert "ti-warning" in remarks("cat") and "ti-warning" in remarks("a/b")
    create(workshop.host, CreateConfig(name="my-style", text="style"))
    assert "is taken by my-style.safetensors" in remarks("my-style")


def test_a_new_page_finds_what_the_end_of_the_program_interrupted(workshop: Workshop, made: Controller) -> None:
    def stop(event: Any, control: Any) -> None:
        if getattr(event, "phase", "") == "check":
            control.stop()

    with pytest.raises(Exception, match="again to continue"):
        workshop.make(stop, what="fog")
    left = made.start.unfinished(str(workshop.folder / "runs"))
    assert left is not None
    shown = view.unfinished(left)
    assert "my-style is not finished" in shown and "Train, and restore the best step" in shown
    assert "my-style is not finished" in made.start.keyword_remarks("my-style", "style", str(workshop.folder / "runs"))
