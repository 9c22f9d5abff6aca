"""The sub-tab Create, on a fake host and real files, without Gradio."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.kinds import SUGGESTION
from lib_ti.errors import BadInput, Busy
from lib_ti.training.suggest import ranking
from lib_ti.training.suggest.suggestions import Suggestion, Suggestions
from lib_ti.ui.attempt import attempt
from lib_ti.ui.controller import Controller
from lib_ti.ui.create import actions
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


def test_a_text_is_suggested_from_the_images_of_the_train_tab(
    controller: Controller, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "FINAL_SAMPLES", 8)
    controller.create.start_suggesting(values)
    with pytest.raises(Busy, match="Suggesting an initialization text for images is in progress"):
        controller.create.create(new("other-style"))
    assert controller.tasks.wait(60, SUGGESTION)
    status = controller.tasks.status(SUGGESTION)
    assert (status.state, status.done) == ("done", status.total)
    assert controller.tasks.result(SUGGESTION).compared > 2000


def test_a_search_can_be_stopped(controller: Controller, values: dict[str, Any]) -> None:
    controller.create.start_suggesting(values)
    controller.tasks.control(SUGGESTION).stop()
    assert controller.tasks.wait(60, SUGGESTION)
    assert controller.tasks.status(SUGGESTION).state == "stopped"


def test_suggest_without_a_dataset_says_where_to_choose_it(controller: Controller, values: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="choose the Dataset directory in the Train tab"):
        controller.create.start_suggesting({**values, "dataset": " "})


def test_suggest_stays_within_the_folders_of_visitors(
    controller: Controller, host: FakeHost, values: dict[str, Any], tmp_path: Path
) -> None:
    host.folders.allowed = (tmp_path / "images",)
    with pytest.raises(BadInput, match="Log directory .* outside the folders this server allows"):
        controller.create.start_suggesting(values)


def test_the_answer_offers_the_words_that_stand_out_and_no_others() -> None:
    word = Suggestion("<b>", 1, 0.4, 0.02, 0.3, 0.03)
    box, choice = actions._answer(Suggestions((word,), word, 0.1, 2131))
    assert "1 word of 2131 stands out" in box and "<b>" not in box
    assert choice["choices"] == ["<b>"] and choice["visible"]
    box, choice = actions._answer(Suggestions((), word, 0.5, 2131))
    assert "None of these words helps" in box
    assert choice["choices"] == [] and not choice["visible"]
