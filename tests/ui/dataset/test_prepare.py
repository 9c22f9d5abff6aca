"""The two folders of the sub-tab Dataset: which are suggested, what they bring, and what the Train tab says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset.prepare.state import Preparation
from tests.fakes import FakeHost, draw_images


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return draw_images(tmp_path / "found")


@pytest.fixture
def preparation(tmp_path: Path) -> Preparation:
    return Preparation(FakeHost(tmp_path))


def prepare(source: Path, output: Path, **settings: Any) -> None:
    config = PrepareConfig(source=str(source), output=str(output), width=64, height=64, framing="centre", **settings)
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)


def test_the_folder_of_the_last_preparation_is_suggested(
    preparation: Preparation, source: Path, tmp_path: Path
) -> None:
    beside = f"{source}-prepared"
    assert preparation.suggested_output(str(source)) == beside
    prepare(source, tmp_path / "mine")
    assert preparation.suggested_output(str(source)) == str(tmp_path / "mine")
    assert preparation.suggested_output(f' "{source}/" ') == str(tmp_path / "mine")
    assert preparation.last_source() == str(source)
    (tmp_path / "mine" / "preparation.json").unlink()
    assert preparation.suggested_output(str(source)) == beside


def test_folders_outside_the_allowed_ones_are_not_suggested(source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "mine")
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "elsewhere",)
    assert Preparation(host).last_source() == ""
    assert Preparation(host).suggested_output(str(source)) == str(tmp_path / "elsewhere" / "found-prepared")
    with pytest.raises(BadInput, match="outside the folders"):
        Preparation(host).settings(str(tmp_path / "mine"))


def test_a_prepared_folder_brings_its_settings(preparation: Preparation, source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "mine", name="bust", name_pattern="[name]-[number]", flip=True)
    message, settings = preparation.open(str(source), str(tmp_path / "mine"))
    assert message[0] == f"{tmp_path / 'mine'} was last prepared with the settings now in the step Prepare."
    assert (settings["name"], settings["name_pattern"], settings["flip"]) == ("bust", "[name]-[number]", True)
    assert not {"source", "output"} & settings.keys()
    # With them the same preparation changes nothing.
    config = PrepareConfig(source=str(source), output=str(tmp_path / "mine"), **settings)
    assert {one.state for one in make_plan(config).results} == {"unchanged"}
    assert preparation.open(str(source), str(tmp_path / "new")) == ([""], {})


def test_a_new_folder_reports_what_it_inherits(preparation: Preparation, source: Path, tmp_path: Path) -> None:
    prepare(source, tmp_path / "mine")
    digest = make_plan(PrepareConfig(source=str(source), output=str(tmp_path / "mine"))).results[0].spec.item.digest
    update_edits(
        PreparedFolder(tmp_path / "mine", source), lambda _: Edits({digest: ImageEdits("00.png", excluded=True)})
    )
    (message,), settings = preparation.open(str(source), str(tmp_path / "new"))
    expected = f"The decisions about these images in {tmp_path / 'mine'} count for {tmp_path / 'new'} too"
    assert message == f"{expected}: 1 image excluded."
    assert not settings
    assert not (tmp_path / "new").exists()


def test_the_train_tab_has_a_hint_when_it_has_another_folder(
    preparation: Preparation, source: Path, tmp_path: Path
) -> None:
    assert preparation.training_hint("", "", "") == ""
    assert "is empty: prepare the images of" in preparation.training_hint("", str(source), "")
    assert preparation.training_hint(str(source), str(source), "") == ""
    prepare(source, tmp_path / "mine")
    press = f"press “Use for training” in the step Prepare to train on the images prepared in {tmp_path / 'mine'}."
    assert preparation.training_hint("", str(source), "") == f"Dataset directory is empty: {press}"
    hint = preparation.training_hint(str(source), str(source), "")
    assert hint == f"Dataset directory is not the prepared folder: {press}"
    assert preparation.training_hint(f"{tmp_path}/mine/", str(source), "") == ""


def test_results_of_images_that_are_excluded_since_are_counted_apart(
    preparation: Preparation, source: Path, tmp_path: Path
) -> None:
    prepare(source, tmp_path / "mine")
    before = preparation.training_set(str(tmp_path / "mine"))
    digest = make_plan(PrepareConfig(source=str(source), output=str(tmp_path / "mine"))).results[0].spec.item.digest
    update_edits(
        PreparedFolder(tmp_path / "mine", source), lambda _: Edits({digest: ImageEdits("00.png", excluded=True)})
    )
    after = preparation.training_set(str(tmp_path / "mine"))
    assert (before.images, before.excluded) == (after.images + 1, 0)
    assert after.excluded == 1
