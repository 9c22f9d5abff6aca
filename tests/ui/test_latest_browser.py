"""Changes that follow each other faster than they are answered, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from lib_ti.ui.widgets.latest import follow
from tests.ui.browser import Page, needs_browser

pytestmark = needs_browser
_SECONDS = 0.5
"""How long an answer takes."""


@pytest.fixture
def answered() -> list[str]:
    """The values that were answered."""
    return []


@pytest.fixture
def page(answered: list[str]) -> Iterator[Page]:
    def answer(data: dict[Any, Any]) -> str:
        answered.append(data[typed])
        time.sleep(_SECONDS)
        return f"{data[typed]} was typed"

    with gr.Blocks(analytics_enabled=False) as blocks, gr.Tabs(elem_id="ti_tabs"), gr.Tab("Typing"):
        typed, shown = gr.Textbox(elem_id="ti_typed"), gr.HTML(elem_id="ti_answered")
        follow(typed.change, answer, by=[typed], inputs={typed}, outputs=[shown])
    _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    made = Page(address)
    yield made
    made.driver.quit()
    blocks.close()


def test_the_last_of_quick_changes_is_answered(page: Page, answered: list[str]) -> None:
    page.find("ti_typed", "textarea").send_keys("quickly")
    page.says("ti_answered", "quickly was typed", 10)
    assert len(answered) < len("quickly")


def test_an_answer_that_is_still_right_is_not_repeated(page: Page, answered: list[str]) -> None:
    page.find("ti_typed", "textarea").send_keys("q")
    page.says("ti_answered", "q was typed", 10)
    time.sleep(2 * _SECONDS)
    assert answered == ["q"]
