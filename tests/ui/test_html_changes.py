"""Changes of HTML reach the server by hidden fields: events of ``gr.HTML`` itself would never end in Gradio 4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from lib_ti.ui.tab import build
from tests.fakes import FakeHost


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("tab")
    return build(FakeHost(folder))


def triggers(tab: Any) -> Iterator[tuple[Any, str]]:
    """The component and the name of each event, as both versions of Gradio write them."""
    for one in tab.get_config_file()["dependencies"]:
        for target in one["targets"]:
            number, event = target if isinstance(target, (list, tuple)) else (target, one["trigger"])
            if number is not None:
                yield tab.blocks.get(number), event


def test_no_event_listens_for_changes_of_html(tab: Any) -> None:
    found = list(triggers(tab))
    assert any(event == "change" for _, event in found)
    assert [part.elem_id for part, event in found if event == "change" and isinstance(part, gr.HTML)] == []


def test_the_fields_that_count_changes_are_connected_and_what_they_watch_exists(tab: Any) -> None:
    connected = {part.elem_id for part, event in triggers(tab) if event == "change"}
    ids = {block.elem_id for block in tab.blocks.values() if isinstance(block, gr.HTML)}
    places = [block.value for block in tab.blocks.values() if "data-counter" in str(getattr(block, "value", ""))]
    assert len(places) == 2
    for place in places:
        name, watched = (place.split(f'{key}="')[1].split('"')[0] for key in ("data-counter", "data-watched"))
        assert name in connected
        assert set(watched.split()) <= ids
