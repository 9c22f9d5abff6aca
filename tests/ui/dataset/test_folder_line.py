"""The line above the steps of the sub-tab Dataset: what it fills in, and when Prepare waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import PrepareConfig
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.controller import Controller
from tests.fakes import FakeHost, draw_images

gr = pytest.importorskip("gradio", reason="Gradio is not installed")

from lib_ti.ui.dataset import page as dataset_page  # noqa: E402 - after it is known that Gradio is there
from lib_ti.ui.dataset.folder_line import FolderLine  # noqa: E402
from lib_ti.ui.parts import Parts  # noqa: E402


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    made = Parts(Controller(FakeHost(tmp_path)), {}, (), (), {})
    with gr.Blocks(analytics_enabled=False):
        dataset_page.layout(made)
    return made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Images that were prepared before, under names of their own."""
    folder = draw_images(tmp_path / "found")
    config = PrepareConfig(
        source=str(folder), output=str(tmp_path / "mine"), width=64, height=64, framing="centre", name="bust"
    )
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    return folder


def page(parts: Parts, source: Path | str) -> dict[Any, Any]:
    """What a page has in its fields once a folder was typed and nothing else."""
    fields = {component: component.value for component in parts.prepare.components}
    return {
        **fields,
        parts["dataset_folder"]: str(source),
        parts["dataset_suggested"]: "",
        parts["dataset_shown"]: "",
    }


def follow(parts: Parts, data: dict[Any, Any]) -> dict[Any, Any]:
    """The page after it was answered."""
    folders = FolderLine(parts)
    answered = dict(data)
    for component, update in zip(folders.outputs, folders.follow(data), strict=True):
        if not isinstance(update, dict):
            answered[component] = update
        elif "value" in update:
            answered[component] = update["value"]
    return answered


def test_a_typed_folder_brings_its_prepared_folder_and_the_settings(parts: Parts, source: Path) -> None:
    data = follow(parts, page(parts, source))
    assert data[parts.prepare["output"]] == str(source.with_name("mine"))
    assert data[parts.prepare["name"]] == "bust"
    assert data[parts.prepare["width"]] == 64
    # They come once: what is changed then stays.
    data[parts.prepare["name"]] = "head"
    assert follow(parts, data)[parts.prepare["name"]] == "head"


def test_prepare_waits_until_the_page_shows_the_settings(parts: Parts, source: Path) -> None:
    data = page(parts, source)
    assert "was prepared with other settings" in FolderLine(parts).outdated(data)
    assert not FolderLine(parts).outdated(follow(parts, data))
    assert not FolderLine(parts).outdated(page(parts, source.with_name("other")))


def test_a_suggestion_for_the_former_source_folder_is_not_prepared_into(parts: Parts, source: Path) -> None:
    data = follow(parts, page(parts, "elsewhere"))
    data[parts["dataset_folder"]] = str(source)  # and a button is pressed before the page is answered
    values = FolderLine(parts).values(data)
    assert parts.preparation.config({**values, "width": 64, "height": 64}).output == str(source.with_name("mine"))
    assert "was prepared with other settings" in FolderLine(parts).outdated(data)
    data[parts.prepare["output"]] = "by hand"
    assert FolderLine(parts).values(data)["output"] == "by hand"


def test_a_new_page_has_the_last_folders(parts: Parts, source: Path) -> None:
    folder, output, *_ = FolderLine(parts).load(page(parts, ""))
    assert (folder["value"], output["value"]) == (str(source), str(source.with_name("mine")))
    # A folder that the page begins with stays.
    folder, output, *_ = FolderLine(parts).load(page(parts, "elsewhere"))
    assert "value" not in folder
    assert output["value"] == "elsewhere-prepared"
