"""Decisions that were made while preparing hold for training too, also where the source folder itself is trained on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.data import preparations
from lib_ti.data.dataset import Dataset, Rules
from lib_ti.data.preparations import exclusions, last_source, prepared_folders, remember, without_excluded
from lib_ti.data.scan import scan
from lib_ti.errors import BadInput
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from tests.data.conftest import ImageFolder


@pytest.fixture
def drawn(images: ImageFolder) -> ImageFolder:
    for name in ("a.png", "b.png", "c.png"):
        images.draw(name)
    return images


def found_in(folder: Path) -> Dataset:
    return scan(folder, Rules(64, 64, validation_split=0))


def exclude(source: Path, prepared: Path, *names: str) -> None:
    """Exclude these images of a source folder, and include all others."""
    items = found_in(source).items
    for item in items:
        excluded = item.path.name in names
        digest, name = item.digest, item.path.name
        update_edits(
            PreparedFolder(prepared, source),
            lambda edits, digest=digest, name=name, excluded=excluded: edits.with_image(
                digest, replace(edits.of(digest, name), excluded=excluded)
            ),
        )


def trained(folder: Path) -> list[str]:
    return [item.path.name for item in without_excluded(found_in(folder)).items]


def test_what_is_excluded_is_not_trained_from_the_source_folder_either(drawn: ImageFolder, tmp_path: Path) -> None:
    assert trained(drawn.path) == ["a.png", "b.png", "c.png"]
    exclude(drawn.path, tmp_path / "prepared", "b.png")
    assert trained(drawn.path) == ["a.png", "c.png"]
    (remark,) = without_excluded(found_in(drawn.path)).remarks
    manifest = tmp_path / "prepared" / "preparation.json"
    assert remark == f"1 image is excluded and not trained (as {manifest} says; include it to train on it): b.png."


def test_an_excluded_image_is_known_by_its_content_and_not_by_its_name(drawn: ImageFolder, tmp_path: Path) -> None:
    exclude(drawn.path, tmp_path / "prepared", "b.png")
    (drawn.path / "b.png").rename(drawn.path / "z.png")
    drawn.draw("b.png", salt="another")
    assert trained(drawn.path) == ["a.png", "b.png", "c.png"]


def test_the_folder_that_was_used_last_decides(drawn: ImageFolder, tmp_path: Path) -> None:
    exclude(drawn.path, tmp_path / "one", "a.png")
    exclude(drawn.path, tmp_path / "two", "c.png")
    assert trained(drawn.path) == ["a.png", "b.png"]
    exclude(drawn.path, tmp_path / "one", "a.png")
    assert [path.name for path in prepared_folders(drawn.path)] == ["two", "one"]
    assert trained(drawn.path) == ["b.png", "c.png"]


def test_decisions_that_are_gone_or_damaged_are_no_decisions(drawn: ImageFolder, tmp_path: Path) -> None:
    exclude(drawn.path, tmp_path / "prepared", "b.png")
    manifest = tmp_path / "prepared" / "preparation.json"
    manifest.write_text('{"edits": 5}')
    with pytest.raises(BadInput, match=r"preparation.json is damaged .* which images are excluded; repair it"):
        trained(drawn.path)
    manifest.unlink()
    assert trained(drawn.path) == ["a.png", "b.png", "c.png"]


def test_excluding_everything_is_reported(drawn: ImageFolder, tmp_path: Path) -> None:
    exclude(drawn.path, tmp_path / "prepared", "a.png", "b.png", "c.png")
    with pytest.raises(BadInput, match=r"a.png \(it is excluded, as .*preparation.json says\)"):
        trained(drawn.path)


def test_the_last_source_is_the_one_that_was_used_last(tmp_path: Path) -> None:
    assert last_source() is None
    for time, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        remember(tmp_path / name, tmp_path / f"{name}-prepared")
        note = max(preparations.NOTES.iterdir(), key=os.path.getctime)
        os.utime(note, (time, time))
    assert last_source() == tmp_path / "two"
    remember(tmp_path / "one", tmp_path / "one-prepared")
    assert last_source() == tmp_path / "one"
    (tmp_path / "one").rmdir()
    assert last_source() == tmp_path / "two"


def test_notes_are_found_whatever_directory_a_program_is_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    relative = Path("logs") / "notes"
    for name in ("first", "second", "source", "source-prepared", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "source-prepared" / preparations.MANIFEST).write_text("{}")

    def start_in(directory: str) -> None:
        monkeypatch.chdir(tmp_path / directory)
        for name in ("NOTES", "RELATIVE_NOTES"):
            monkeypatch.setattr(preparations, name, relative)
        preparations.keep_notes_below(tmp_path / "data")

    start_in("first")
    remember(tmp_path / "source", tmp_path / "source-prepared")
    assert list(tmp_path.glob("*/logs/notes/*.json")) == list((tmp_path / "data").glob("logs/notes/*.json")) != []
    start_in("second")
    assert prepared_folders(tmp_path / "source") == [tmp_path / "source-prepared"]
    assert last_source() == tmp_path / "source"


def test_notes_of_earlier_versions_below_the_present_directory_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source := tmp_path / "source").mkdir()
    (old := tmp_path / "old").mkdir()
    (old / preparations.MANIFEST).write_text("{}")
    remember(source, old)
    preparations.keep_notes_below(tmp_path / "data")
    assert prepared_folders(source) == [old]
    assert last_source() == source
    remember(source, old)
    (new := tmp_path / "new").mkdir()
    (new / preparations.MANIFEST).write_text("{}")
    remember(source, new)
    assert prepared_folders(source) == [old, new]


def test_notes_that_cannot_be_written_or_read_stop_nothing(
    tmp_path: Path, drawn: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparations, "NOTES", tmp_path / "file" / "notes")
    (tmp_path / "file").write_text("")
    exclude(drawn.path, tmp_path / "prepared", "b.png")
    assert trained(drawn.path) == ["a.png", "b.png", "c.png"]
    assert last_source() is None
    assert not exclusions(drawn.path).names
