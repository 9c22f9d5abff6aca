"""Everything that can be wrong before a run begins: told in sentences, and nothing is written."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from lib_ti.config import CreateConfig
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.signals import LogMessage
from lib_ti.training.check import check_run
from lib_ti.training.create import create
from lib_ti.training.files.run_state import load_state
from tests.fakes import FakeModel
from tests.training.conftest import Studio


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "nothing"}, "There is no embedding 'nothing'"),
        ({"dataset": "nowhere"}, "'nowhere' does not exist"),
        ({"template": "nothing"}, "no prompt template 'nothing'"),
        ({"learning_rate": "0"}, "above 0"),
        ({"batch_size": 0}, "Batch size is 0"),
        ({"preview_sampler": "magic"}, "Sampler 'magic' is not known"),
    ],
)
def test_bad_input_gets_a_sentence_and_leaves_no_trace(studio: Studio, changes: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        studio.train(**changes)
    assert not studio.logs.exists()


def test_all_problems_come_together(studio: Studio) -> None:
    with pytest.raises(BadInput) as raised:
        studio.train(name="nothing", dataset="nowhere", template="none such", batch_size=-1)
    assert len(raised.value.problems) == 4


def test_a_template_without_the_name_is_refused(studio: Studio) -> None:
    folder = studio.folder / "templates"
    folder.mkdir()
    (folder / "bad.txt").write_text("a picture of [filewords]\n")
    with pytest.raises(BadInput, match=r"lacks \[name\]"):
        studio.train(template="bad")
    assert not studio.logs.exists()


def test_long_prompts_are_told(studio: Studio) -> None:
    (studio.pictures / "03.txt").write_text("word " * 90)
    studio.train(max_steps=1)
    assert any("more than 75 tokens" in event.text and "03.png" in event.text for event in studio.of(LogMessage))


def test_an_embedding_for_another_model_is_refused(studio: Studio) -> None:
    studio.host.model.info = FakeModel().info.__class__(**{**vars(studio.host.model.info), "widths": {"clip_l": 768}})
    with pytest.raises(BadInput, match="768"):
        studio.train()
    assert not studio.logs.exists()


def test_an_embedding_of_another_family_is_one_error(studio: Studio) -> None:
    studio.train(max_steps=5)
    studio.host.models.model = model = FakeModel(name="other", model_hash="9999999999")
    model.info = replace(model.info, family="sd2", widths={"clip_h": 1024}, word_norm={"clip_h": 1.0})
    found = check_run(studio.host, studio.config())
    (error,) = [finding.text for finding in found if finding.kind == "error"]
    assert "model 'other' is SD 2 with vectors of 1024 (clip_h)" in error
    assert not any("fits the model" in finding.text for finding in found)


def test_create_refuses_what_is_taken_or_no_name(studio: Studio) -> None:
    with pytest.raises(BadInput, match="already.*choose another"):
        create(studio.host, CreateConfig(name="my-style"))
    for name in ("", "a/b", "..", "cat"):
        with pytest.raises(BadInput):
            create(studio.host, CreateConfig(name=name))


def test_excluded_images_are_not_trained_though_their_own_folder_is(studio: Studio) -> None:
    items = scan(studio.pictures, Rules(32, 32)).all_items
    excluded = {item.digest: ImageEdits(item.path.name, excluded=True) for item in items[:2]}
    update_edits(PreparedFolder(studio.folder / "prepared", studio.pictures), lambda _: Edits(excluded))
    studio.train(max_steps=1)
    names = ", ".join(sorted(item.path.name for item in items[:2]))
    said = [event.text for event in studio.of(LogMessage)]
    assert any(text.startswith("2 images are excluded and not trained") and names in text for text in said)
    assert said[0].startswith(f"{len(items) - 3} images for training, 1 for validation")


def test_what_a_resumed_run_changes_is_found_by_check_and_run_alike(studio: Studio) -> None:
    studio.train(max_steps=5)
    changes = {"max_steps": 10, "learning_rate": "0.5"}
    (studio.pictures / "00.txt").write_text("something else")
    found = check_run(studio.host, studio.config(**changes))
    studio.train(**changes)
    checked = [finding.text for finding in found if finding.kind == "warning"]
    assert [event.text for event in studio.of(LogMessage) if event.warning] == checked
    for words in ("learning rate was '0.005' and is '0.5'", "images, captions or sizes have changed"):
        assert any(words in text for text in checked)


def test_a_run_of_another_model_is_an_error_in_the_check_too(studio: Studio) -> None:
    studio.train(max_steps=5)
    studio.host.models.model = FakeModel(name="other", model_hash="9999999999")
    found = check_run(studio.host, studio.config())
    assert [finding.kind for finding in found].count("error") == 1
    assert "trained on fake [0123456789], and the model is now other" in found[0].text


def test_no_optimizer_continues_the_state_of_another(studio: Studio) -> None:
    path = studio.train(max_steps=5).folder / "state.safetensors"
    state = load_state(path)
    replace(state, identity=replace(state.identity, optimizer="lion")).save(path)
    with pytest.raises(
        BadInput, match="trained with the optimizer 'lion', whose state 'adamw' cannot continue"
    ) as raised:
        studio.train(max_steps=10)
    assert len(raised.value.problems) == 1


def test_all_problems_that_need_the_model_come_together(studio: Studio) -> None:
    (studio.folder / "templates").mkdir()
    (studio.folder / "templates" / "bad.txt").write_text("an image of [filewords]\n")
    with pytest.raises(BadInput) as raised:
        studio.train(template="bad", preview_sampler="magic")
    assert len(raised.value.problems) == 2
    assert not studio.logs.exists()


def test_a_short_disk_is_a_warning(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    found = check_run(studio.host, studio.config())
    assert [finding.kind for finding in found].count("warning") == 1
    assert "1 MB are free: save images and checkpoints less often" in found[0].text
