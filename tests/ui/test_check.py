"""Check and the images of a folder: what is wrong is named, and other folders are refused."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest

from lib_ti.embedding import library
from lib_ti.errors import BadInput
from lib_ti.storage import in_use
from lib_ti.ui.controller import Controller
from lib_ti.ui.dataset.captions.state import EDITORS
from lib_ti.ui.dataset.inspect.unchanged import scan
from tests.fakes import FakeHost


@pytest.mark.parametrize(("folder", "words"), [("", "No folder is chosen"), ("nowhere", "does not exist")])
def test_a_folder_that_does_not_exist_is_reported(
    controller: Controller, values: dict[str, Any], folder: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        scan(controller.host.folders, folder, values)


def test_the_check_of_a_good_run_has_only_good_findings(
    controller: Controller, host: FakeHost, values: dict[str, Any]
) -> None:
    message = controller.train.check(values)
    assert set(re.findall("ti-(good|info|warning|error)", message)) == {"good"}
    for word in ("2 vectors", "fake [0123456789]", "9 images", "contains my-style", "A step needs about", "are free"):
        assert word in message
    assert host.models.open_sessions == 0


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"learning_rate": "x"}, "error", "not a number"),
        ({"dataset": "nowhere", "template": "none-such"}, "error", "none-such"),
        ({"name": "other"}, "error", "no embedding 'other'"),
        ({"learning_rate": "1"}, "warning", "1 is high"),
        ({"width": 64, "height": 64}, "warning", "smaller than their training size"),
    ],
)
def test_the_check_names_what_is_wrong(
    controller: Controller, values: dict[str, Any], changes: dict[str, Any], kind: str, words: str
) -> None:
    message = html.unescape(controller.train.check({**values, **changes}))
    first, *_ = re.findall("<li.*?</li>", message)
    assert f"ti-{kind}" in first
    assert words in message


def test_the_check_says_who_trains_the_embedding(
    controller: Controller, host: FakeHost, values: dict[str, Any]
) -> None:
    before = sorted(host.folders.embeddings.iterdir())
    with in_use.held(library.target(host.folders.embeddings / "my-style.safetensors"), in_use.TRAINED):
        message = html.unescape(controller.train.check(values))
    assert "ti-error" in message
    assert "Embedding 'my-style' is being trained by this program since" in message
    assert sorted(host.folders.embeddings.iterdir()) == before


def test_the_check_says_when_nothing_can_be_learned_or_memory_is_short(
    controller: Controller, host: FakeHost, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib_ti.training.memory.choice.free_memory", lambda device: 1000)
    message = controller.train.check(values)
    assert "1 MB are free on cpu" in message
    host.model.poison_after = 0
    assert "gave the gradient nan" in controller.train.check(values)


def test_unsaved_captions_are_reported_where_they_would_be_trained_on(
    controller: Controller, values: dict[str, Any]
) -> None:
    editor, _ = EDITORS.open(Path(values["dataset"]))
    name = next(iter(editor.captions.texts))
    editor.type(name, editor.captions.texts[name], "a house by the sea")
    assert "1 caption has unsaved changes in the step Captions" in controller.train.check(values)
    assert "1 caption has unsaved changes" in controller.train.start(values)
    assert controller.runs.wait(20)
    editor.save()
    assert "not saved" not in controller.train.check(values)


def test_a_page_names_no_other_folder_than_it_may(
    controller: Controller, host: FakeHost, values: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "passwords.txt").write_text("by [name]")
    (tmp_path / "images" / "way-out").symlink_to(tmp_path / "secret", target_is_directory=True)
    host.folders.allowed = [tmp_path / "images", tmp_path / "runs"]
    assert "A step needs" in controller.train.check(values)
    for label, changes in {
        "Dataset directory": {"dataset": str(tmp_path / "images" / ".." / "secret")},
        "Log directory": {"log_directory": str(tmp_path / "images" / "way-out" / "x")},
        "Prompt template": {"template": str(tmp_path / "secret" / "passwords.txt")},
    }.items():
        with pytest.raises(BadInput, match=f"^{label} .* is outside the folders"):
            controller.train.start({**values, **changes})
        assert "outside the folders" in controller.train.check({**values, **changes})
    secret = str(tmp_path / "secret")
    for use in (
        lambda: scan(controller.host.folders, secret, values),
        lambda: controller.templates.text(f"{secret}/passwords.txt"),
        lambda: controller.templates.prompts("by [name]", "x", secret),
        lambda: controller.results.run(secret, "my-style", ""),
        lambda: controller.results.trained_names(secret),
        lambda: controller.create.name_remarks("my-style", secret),
    ):
        with pytest.raises(BadInput, match="outside the folders"):
            use()
    assert "[filewords]" in controller.templates.text("style_filewords")
