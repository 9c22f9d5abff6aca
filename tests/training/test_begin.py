"""Everything that can be wrong before a run begins: told in sentences, and nothing is written."""

from __future__ import annotations

import pytest

from lib_ti.config import CreateConfig
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.signals import Note
from lib_ti.training.create import create
from tests.fakes import FakeModel
from tests.training.conftest import Studio


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "nothing"}, "There is no embedding 'nothing'"),
        ({"dataset": "nowhere"}, "'nowhere' does not exist"),
        ({"template": "nothing"}, "no prompt template 'nothing'"),
        ({"embedding_rate": "0"}, "above 0"),
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
    assert any("more than 75 tokens" in event.text and "03.png" in event.text for event in studio.of(Note))


def test_an_embedding_for_another_model_is_refused(studio: Studio) -> None:
    studio.host.model.info = FakeModel().info.__class__(**{**vars(studio.host.model.info), "widths": {"clip_l": 768}})
    with pytest.raises(BadInput, match="768"):
        studio.train()
    assert not studio.logs.exists()


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
    said = [event.text for event in studio.of(Note)]
    assert any(text.startswith("2 images are excluded and not trained") and names in text for text in said)
    assert said[0].startswith(f"{len(items) - 3} pictures to train on, 1 held out")
