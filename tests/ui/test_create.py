"""The sub-tab Create, on a fake host and real files, without Gradio."""

from __future__ import annotations

from typing import Any

import pytest

from lib_ti.ui.attempt import attempt
from lib_ti.ui.controller import Controller
from tests.fakes import FakeHost
from tests.ui.conftest import EVIL, new


def test_creating_says_where_the_file_is(controller: Controller, host: FakeHost) -> None:
    name, message = controller.create.create(new("my-style"))
    assert name == "my-style"
    assert str(host.folders.embeddings / "my-style.safetensors") in message
    assert controller.embeddings() == ["my-style"]


@pytest.mark.parametrize("name", ["", "a/b", "..", EVIL, "cat"])
def test_an_impossible_name_is_refused_in_a_box_without_markup(controller: Controller, name: str) -> None:
    made, message = attempt(lambda: controller.create.create(new(name)))
    assert made is None
    assert "ti-error" in message
    assert "<script" not in message
    assert controller.embeddings() == []


def test_a_name_in_use_is_reported_with_its_files(controller: Controller, values: dict[str, Any]) -> None:
    assert "is free" in controller.create.name_remarks("other-style", values["log_directory"])
    message = controller.create.name_remarks("MY-style", values["log_directory"])
    assert "my-style.safetensors: 2 vectors, trained for 0 steps." in message
    assert "ti-warning" in controller.create.name_remarks(EVIL, "")
    assert controller.create.name_remarks(" ", "") == ""


def test_a_name_is_judged_alike_while_typing_and_when_creating(controller: Controller) -> None:
    for name in ("cat", "a/b", "my-style"):
        made, message = attempt(lambda name=name: controller.create.create(new(name)))
        assert (made is None) == ("ti-warning" in controller.create.name_remarks(name, ""))
        assert "is free" not in controller.create.name_remarks(name, "")
        assert made or message.split("<span>")[-1] == controller.create.name_remarks(name, "").split("<span>")[-1]


def test_creating_says_what_the_vectors_start_from(controller: Controller) -> None:
    _, message = controller.create.create(new("my-style", text="a red house", vectors=2))
    assert "only the first 2 tokens are used, “a red”" in message
    _, message = controller.create.create(new("one-style", vectors=1))
    assert "with 1 vector:" in message
    assert "ti-info" not in message


def test_tokens_left_are_counted(controller: Controller) -> None:
    assert "takes 10 of 75 prompt tokens, 65 remain" in controller.create.tokens_left(10)
    assert "hardly enough" in controller.create.tokens_left(70)
