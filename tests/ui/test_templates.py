"""Prompt templates in the sub-tab Train: shown, rendered, saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.errors import BadInput
from lib_ti.ui.controller import Controller
from tests.fakes import FakeHost
from tests.ui.conftest import EVIL


def test_a_template_is_read_rendered_and_saved(controller: Controller, host: FakeHost, values: dict[str, Any]) -> None:
    assert "[filewords]" in controller.templates.text("style_filewords")
    text = "[filewords], by [name]\n\n[filewords], [name] style\n"
    shown = controller.templates.prompts(text, "my-style", values["dataset"])
    assert "<li>picture 0, flat, by my-style</li>" in shown
    assert "ti-error" not in shown
    controller.templates.save("my_style_filewords", text)
    assert "my_style_filewords" in controller.templates.names()
    assert controller.templates.text("my_style_filewords") == text.replace("\n\n", "\n").strip()


def test_a_template_that_trains_nothing_is_reported_and_not_saved(controller: Controller) -> None:
    assert "lacks [name]" in controller.templates.prompts("a painting", "my-style", "")
    with pytest.raises(BadInput, match="lacks"):
        controller.templates.save("bad", "a painting")
    for name in ("", "../escape", "a/b", "x<y"):
        with pytest.raises(BadInput, match="file name"):
            controller.templates.save(name, "by [name]")


@pytest.mark.parametrize("name", ["style", "Style_Filewords", "subject.txt", "none", "hypernetwork"])
def test_a_shipped_template_is_never_saved_over(controller: Controller, host: FakeHost, name: str) -> None:
    folder = Path(host.folders.templates[0])
    folder.mkdir()
    shipped = folder / f"{name.removesuffix('.txt')}.txt"
    shipped.write_text("shipped [name]")
    for replace in (False, True):
        with pytest.raises(BadInput, match="comes with the program .* such as 'my_"):
            controller.templates.save(name, "by [name]", replace=replace)
    assert shipped.read_text() == "shipped [name]"


def test_a_template_of_ones_own_is_replaced_when_asked_and_kept_aside(controller: Controller, host: FakeHost) -> None:
    controller.templates.save("mine", "one [name]")
    controller.templates.save("my_mine", "one [name]")
    with pytest.raises(BadInput, match="already: turn on Replace .* such as 'mine_2'"):
        controller.templates.save("mine", "two [name]")
    assert controller.templates.text("mine") == "one [name]"
    message = controller.templates.save("mine", "two [name]", replace=True)
    assert controller.templates.text("mine") == "two [name]"
    folder = Path(host.folders.templates[0])
    assert {path.name for path in folder.rglob("*")} == {"mine.txt", "my_mine.txt"}, "the WebUI lists every file in it"
    (former,) = folder.with_name(f"{folder.name}-replaced").iterdir()
    assert former.read_text() == "one [name]\n"
    assert str(former) in message


def test_captions_are_escaped_wherever_they_are_shown(controller: Controller, values: dict[str, Any]) -> None:
    for path in Path(values["dataset"]).glob("*.txt"):
        path.write_text(EVIL)
    shown = controller.templates.prompts("[filewords], by [name]", EVIL, values["dataset"])
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
