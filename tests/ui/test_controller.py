"""What the tab says and does, on a fake host and real files, without Gradio."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib_ti.background.kinds import CAPTIONING
from lib_ti.background.model_use import using_model
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CreateConfig, TrainConfig, described, to_mapping
from lib_ti.embedding import library
from lib_ti.errors import BadInput, Busy, UserError
from lib_ti.storage import in_use
from lib_ti.ui.attempt import attempt
from lib_ti.ui.controller import Controller
from lib_ti.ui.dataset.captions.state import EDITORS
from lib_ti.ui.dataset.images import view as images_view
from lib_ti.ui.dataset.images.service import scan
from lib_ti.ui.train import view as progress
from tests.fakes import FakeHost, draw_images

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


@pytest.fixture
def controller(host: FakeHost) -> Controller:
    return Controller(host, BackgroundTasks())


@pytest.fixture
def values(tmp_path: Path, controller: Controller) -> dict[str, Any]:
    """What the Train tab holds once an embedding is made and a folder is chosen."""
    controller.create.create(new("my-style"))
    folder = draw_images(tmp_path / "pictures")
    config = TrainConfig(
        name="my-style",
        dataset=str(folder),
        log_directory=str(tmp_path / "runs"),
        max_steps=6,
        save_image_every=3,
        save_embedding_every=3,
        validate_every=3,
    )
    return to_mapping(config)


def new(name: str, **changes: Any) -> dict[str, Any]:
    return {**to_mapping(CreateConfig(name=name, text="style", vectors=2)), **changes}


# Create


def test_creating_says_where_the_file_is(controller: Controller, host: FakeHost) -> None:
    name, said = controller.create.create(new("my-style"))
    assert name == "my-style"
    assert str(host.folders.embeddings / "my-style.safetensors") in said
    assert controller.embeddings() == ["my-style"]


@pytest.mark.parametrize("name", ["", "a/b", "..", EVIL, "cat"])
def test_a_name_that_cannot_be_is_refused_in_a_box_without_markup(controller: Controller, name: str) -> None:
    made, said = attempt(lambda: controller.create.create(new(name)))
    assert made is None
    assert "ti-error" in said
    assert "<script" not in said
    assert controller.embeddings() == []


def test_a_name_in_use_is_told_with_what_is_there(controller: Controller, values: dict[str, Any]) -> None:
    assert "is free" in controller.create.name_remarks("other-style", values["log_directory"])
    said = controller.create.name_remarks("MY-style", values["log_directory"])
    assert "my-style.safetensors: 2 vectors, trained for 0 steps." in said
    assert "ti-warning" in controller.create.name_remarks(EVIL, "")
    assert controller.create.name_remarks(" ", "") == ""


def test_a_name_is_judged_alike_while_typing_and_when_creating(controller: Controller) -> None:
    for name in ("cat", "a/b", "my-style"):
        made, said = attempt(lambda name=name: controller.create.create(new(name)))
        assert (made is None) == ("ti-warning" in controller.create.name_remarks(name, ""))
        assert "is free" not in controller.create.name_remarks(name, "")
        assert made or said.split("<span>")[-1] == controller.create.name_remarks(name, "").split("<span>")[-1]


def test_creating_says_what_the_vectors_start_from(controller: Controller) -> None:
    _, said = controller.create.create(new("my-style", text="a red house", vectors=2))
    assert "only the first 2 tokens are used, “a red”" in said
    _, said = controller.create.create(new("one-style", vectors=1))
    assert "with 1 vector:" in said
    assert "ti-info" not in said


def test_tokens_left_are_counted(controller: Controller) -> None:
    assert "takes 10 of 75 prompt tokens, 65 remain" in controller.create.tokens_left(10)
    assert "hardly enough" in controller.create.tokens_left(70)


# Templates


def test_a_template_is_read_rendered_and_saved(controller: Controller, host: FakeHost, values: dict[str, Any]) -> None:
    assert "[filewords]" in controller.templates.text("style_filewords")
    text = "[filewords], by [name]\n\n[filewords], [name] style\n"
    shown = controller.templates.prompts(text, "my-style", values["dataset"])
    assert "<li>picture 0, flat, by my-style</li>" in shown
    assert "ti-error" not in shown
    controller.templates.save("my_style_filewords", text)
    assert "my_style_filewords" in controller.templates.names()
    assert controller.templates.text("my_style_filewords") == text.replace("\n\n", "\n").strip()


def test_a_template_that_trains_nothing_is_told_and_not_saved(controller: Controller) -> None:
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
    said = controller.templates.save("mine", "two [name]", replace=True)
    assert controller.templates.text("mine") == "two [name]"
    folder = Path(host.folders.templates[0])
    assert {path.name for path in folder.rglob("*")} == {"mine.txt", "my_mine.txt"}, "the WebUI lists every file in it"
    (former,) = folder.with_name(f"{folder.name}-replaced").iterdir()
    assert former.read_text() == "one [name]\n"
    assert str(former) in said


def test_captions_are_escaped_wherever_they_are_shown(controller: Controller, values: dict[str, Any]) -> None:
    for path in Path(values["dataset"]).glob("*.txt"):
        path.write_text(EVIL)
    found = scan(controller.host.folders, values["dataset"], values)
    shown = images_view.images(found, found) + images_view.overview(found)
    shown += controller.templates.prompts("[filewords], by [name]", EVIL, values["dataset"])
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


# Dataset


def test_a_folder_is_shown_with_what_is_wrong_in_it(controller: Controller, values: dict[str, Any]) -> None:
    folder = Path(values["dataset"])
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "00.txt").write_text("")
    found = scan(controller.host.folders, str(folder), values)
    said = images_view.overview(found)
    assert "broken.png is skipped" in said
    assert "empty caption" in said
    shown = images_view.images(found, found)
    assert shown.count("<img") == 10
    assert "for validation" in shown


@pytest.mark.parametrize(("folder", "words"), [("", "No folder is chosen"), ("nowhere", "does not exist")])
def test_a_folder_that_is_none_is_told(controller: Controller, values: dict[str, Any], folder: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        scan(controller.host.folders, folder, values)


# The check before the run


def test_the_check_of_a_good_run_has_only_good_news(
    controller: Controller, host: FakeHost, values: dict[str, Any]
) -> None:
    said = controller.train.check(values)
    assert set(re.findall("ti-(good|info|warning|error)", said)) == {"good"}
    for word in ("2 vectors", "fake [0123456789]", "9 images", "contains my-style", "A step needs about", "are free"):
        assert word in said
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
    said = html.unescape(controller.train.check({**values, **changes}))
    first, *_ = re.findall("<li.*?</li>", said)
    assert f"ti-{kind}" in first
    assert words in said


def test_the_check_says_who_trains_the_embedding(
    controller: Controller, host: FakeHost, values: dict[str, Any]
) -> None:
    before = sorted(host.folders.embeddings.iterdir())
    with in_use.held(library.target(host.folders.embeddings / "my-style.safetensors"), in_use.TRAINED):
        said = html.unescape(controller.train.check(values))
    assert "ti-error" in said
    assert "Embedding 'my-style' is being trained by this program since" in said
    assert sorted(host.folders.embeddings.iterdir()) == before


def test_the_check_says_when_nothing_can_be_learned_or_memory_is_short(
    controller: Controller, host: FakeHost, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib_ti.training.memory.choice.free_memory", lambda device: 1000)
    said = controller.train.check(values)
    assert "1 MB are free on cpu" in said
    host.model.poison_after = 0
    assert "gave the gradient nan" in controller.train.check(values)


# Folders of others


def test_captions_that_are_not_saved_are_told_where_they_would_be_trained_on(
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
    (tmp_path / "pictures" / "way-out").symlink_to(tmp_path / "secret", target_is_directory=True)
    host.folders.allowed = [tmp_path / "pictures", tmp_path / "runs"]
    assert "A step needs" in controller.train.check(values)
    for label, changes in {
        "Dataset directory": {"dataset": str(tmp_path / "pictures" / ".." / "secret")},
        "Log directory": {"log_directory": str(tmp_path / "pictures" / "way-out" / "x")},
        "Prompt template": {"template": str(tmp_path / "secret" / "passwords.txt")},
    }.items():
        with pytest.raises(BadInput, match=f"^{label} .* is outside the folders"):
            controller.train.start({**values, **changes})
        assert "outside the folders" in controller.train.check({**values, **changes})
    secret = str(tmp_path / "secret")
    for look in (
        lambda: scan(controller.host.folders, secret, values),
        lambda: controller.templates.text(f"{secret}/passwords.txt"),
        lambda: controller.templates.prompts("by [name]", "x", secret),
        lambda: controller.results.run(secret, "my-style", ""),
        lambda: controller.results.trained_names(secret),
        lambda: controller.create.name_remarks("my-style", secret),
    ):
        with pytest.raises(BadInput, match="outside the folders"):
            look()
    assert "[filewords]" in controller.templates.text("style_filewords")


# Train


def test_a_run_is_begun_watched_and_ended(controller: Controller, values: dict[str, Any]) -> None:
    assert "begins" in controller.train.start(values)
    assert controller.runs.wait(20)
    now = controller.runs.snapshot()
    shown = progress.status(now, 2)
    assert 'data-active="no"' in shown
    assert "is finished: 6 steps" in shown
    assert "my-style-6.safetensors" in shown
    assert progress.previews(now).count("<img") == 3
    assert "<polyline" in progress.curve(now)


def test_previews_take_the_values_of_txt2img_and_show_them(controller: Controller, values: dict[str, Any]) -> None:
    txt2img = {
        "prompt": "a house, my-style",
        "negative_prompt": EVIL,
        "steps": 7.0,
        "sampler": "Euler",
        "scheduler": "Karras",
        "cfg_scale": 5,
        "seed": "41",
        "width": 64,
        "height": 128,
    }
    controller.train.start(values, txt2img)
    assert controller.runs.wait(20)
    now = controller.runs.snapshot()
    assert {preview.prompt for preview in now.previews} == {"a house, my-style"}
    assert {preview.seed for preview in now.previews} == {41}
    assert now.settings["preview_steps"] == 7
    shown = progress.status(now, 2)
    assert "Euler, Karras, 7 steps" in shown
    assert "64 × 128" in shown
    assert "<script" not in shown


@pytest.fixture
def busy(controller: Controller, values: dict[str, Any], host: FakeHost) -> Iterator[Controller]:
    """While a run goes on, whose model waits for the end of the test in a preview."""
    hold = threading.Event()
    generate = host.model.generate

    def slowly(request: Any, embeddings: Any) -> Any:
        hold.wait(20)
        return generate(request, embeddings)

    host.model.generate = slowly  # type: ignore[method-assign]
    controller.train.start(values)
    while not host.models.open_sessions:
        time.sleep(0.01)
    yield controller
    hold.set()
    controller.runs.wait(20)


def test_what_needs_the_model_says_at_once_that_a_run_is_in_progress(busy: Controller, values: dict[str, Any]) -> None:
    said = "Training my-style is in progress (step"
    for action in (
        lambda: busy.create.create(new("other-style")),
        lambda: busy.train.check(values),
        lambda: busy.results.start_contact_sheet(SimpleNamespace(name="my-style"), "[name]"),  # type: ignore[arg-type]
    ):
        result, told = attempt(action)
        assert result is None
        assert said in told
        assert "ti-info" in told


def test_what_needs_the_model_names_the_work_that_uses_it(controller: Controller, values: dict[str, Any]) -> None:
    tasks = controller.tasks
    hold = threading.Event()
    tasks.start(CAPTIONING, "Captioning cats", lambda task: [task.report_progress(2, 9), hold.wait(20)])
    while tasks.status(CAPTIONING).total == 0:
        time.sleep(0.01)
    with (
        pytest.raises(Busy, match=r"Captioning cats is in progress \(2 of 9\)"),
        using_model(tasks),
    ):
        raise Busy("The model is in use.")
    hold.set()
    tasks.wait(20)
    with pytest.raises(Busy, match="The model is in use"), using_model(tasks):
        raise Busy("The model is in use.")


def test_what_cannot_begin_is_told_and_nothing_runs(controller: Controller, values: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        controller.train.start({**values, "batch_size": 0})
    assert not controller.runs.snapshot().active


def test_a_failed_run_is_told_on_the_page(controller: Controller, values: dict[str, Any]) -> None:
    controller.train.start({**values, "dataset": f"/{EVIL}"})
    assert controller.runs.wait(20)
    shown = progress.status(controller.runs.snapshot(), 2)
    assert "ended with an error" in shown
    assert 'role="alert"' in shown
    assert "<script" not in shown


def test_unexpected_errors_of_buttons_are_told_with_their_place() -> None:
    result, said = attempt(lambda: {}["missing"])
    assert result is None
    assert "KeyError" in said
    assert "test_controller.py" in said


def test_every_setting_has_words_for_its_field() -> None:
    for kind in (CreateConfig, TrainConfig):
        for name, _, _, item in described(kind):
            assert item.label, name
            assert item.help.endswith((".", "?")), name
