"""Deleting and archiving the checkpoints of a run: what stays, what is asked, what is freed, on a real run folder."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.storage import in_use
from lib_ti.storage.atomic import CannotWrite
from lib_ti.training.files.run_state import load_state
from lib_ti.ui.results.cleanup import service
from lib_ti.ui.results.cleanup.actions import question
from lib_ti.ui.results.state import RunResults
from tests.fakes import FakeHost


def contents(run: RunResults) -> dict[str, bytes]:
    """All files of the run's folder."""
    root = run.folder.path
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_best_checkpoint_and_the_one_in_use_are_not_chosen_at_first(
    run: RunResults, trained_host: FakeHost
) -> None:
    embeddings = trained_host.folders.embeddings
    published = embeddings / "my-style.safetensors"
    shutil.copy(run.folder.checkpoint(10, ".safetensors"), published)
    assert service.kept(run, embeddings) == ["best", "10"]
    files.save(
        replace(files.load(published), vectors={"clip_l": files.load(published).vectors["clip_l"] + 1}), published
    )
    assert service.kept(run, embeddings) == ["best"]
    published.unlink()
    assert service.kept(run, embeddings) == ["best"]


def test_the_question_names_every_file_and_the_space(run: RunResults) -> None:
    planned = service.plan(run, ["10", "20"])
    names = [name for name, _ in planned.files]
    assert names == [
        *("embeddings/my-style-10.safetensors", "embeddings/my-style-20.safetensors"),
        *("image_embeddings/my-style-10.png", "image_embeddings/my-style-20.png"),
    ]
    assert planned.size == sum((run.folder.path / name).stat().st_size for name in names)
    asked = question(planned, archive=False)
    assert "Delete 2 checkpoints?" in asked and planned.describe() in asked
    assert all(name in asked for name in names)
    assert "The zip is verified" in question(planned, archive=True)


def test_deleted_checkpoints_are_gone_and_nothing_else(run: RunResults) -> None:
    before = contents(run)
    planned = service.plan(run, ["10"])
    said = service.remove(run, planned, archive=False)
    assert said.startswith("Deleted 1 checkpoint (2 files, ") and said.endswith("are free again.")
    after = contents(run)
    assert before.keys() - after.keys() == {name for name, _ in planned.files}
    assert all(before[name] == content for name, content in after.items())
    assert list(run.checkpoints()) == ["best", "20"]
    assert load_state(run.folder.state).step == 20  # the run can be continued


def test_archived_checkpoints_are_in_a_zip_that_puts_them_back(run: RunResults) -> None:
    before = contents(run)
    said = service.remove(run, service.plan(run, ["best", "20"]), archive=True)
    (archive,) = run.folder.path.glob("checkpoints-*.zip")
    assert str(archive) in said and said.startswith("Archived 2 checkpoints in ")
    assert list(run.checkpoints()) == ["10"]
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(run.folder.path)
    archive.unlink()
    assert contents(run) == before


def test_nothing_is_removed_where_the_question_was_about_other_files(run: RunResults) -> None:
    planned = service.plan(run, ["10"])
    run.folder.checkpoint(10, ".pt").write_bytes(b"another")
    before = contents(run)
    with pytest.raises(BadInput, match="have changed since you were asked: nothing was removed"):
        service.remove(run, planned, archive=False)
    assert contents(run) == before


def test_nothing_is_removed_while_the_run_is_in_progress(run: RunResults) -> None:
    before = contents(run)
    with (
        in_use.held(run.folder.target, in_use.TRAINED),
        pytest.raises(BadInput, match="is being trained by this program since"),
    ):
        service.remove(run, service.plan(run, ["10"]), archive=True)
    assert contents(run) == before


def test_nothing_is_removed_where_the_archive_cannot_be_written(
    run: RunResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, write: object) -> None:
        raise CannotWrite(f"{path} cannot be written: the disk is full.")

    monkeypatch.setattr(service, "write_atomically", fail)
    before = contents(run)
    with pytest.raises(CannotWrite, match="the disk is full"):
        service.remove(run, service.plan(run, ["10"]), archive=True)
    assert contents(run) == before


@pytest.mark.parametrize(("chosen", "words"), [([], "No checkpoint is chosen"), (["7"], "no checkpoint of step 7 any")])
def test_a_choice_of_nothing_or_of_what_is_gone_is_refused(run: RunResults, chosen: list[str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        service.plan(run, chosen)
