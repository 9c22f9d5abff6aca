"""What is replaced is kept beside, under a name that no program loads, and never over an earlier one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from lib_ti.storage import aside
from lib_ti.storage.atomic import CannotWrite


@pytest.fixture(params=[True, False], ids=["links", "no links"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file on a file system with second names for files, or without."""
    if not request.param:

        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "my-style.safetensors"
    path.write_text("old")
    return path


def test_what_is_replaced_stays_beside(file: Path) -> None:
    with aside.kept(file) as kept:
        (file.parent / "new").write_text("new")
        os.replace(file.parent / "new", file)
    assert kept is not None and kept.parent == file.parent
    assert kept.name.startswith("my-style.safetensors.replaced-")
    assert kept.suffix.startswith(".replaced-"), "which no program loads"
    assert (kept.read_text(), file.read_text()) == ("old", "new")


def test_what_is_replaced_can_be_kept_in_a_folder_of_its_own(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    for number in (2, 3):
        (file.parent / "new one").write_text(f"number {number}")
        with aside.kept(file, folder):
            os.replace(file.parent / "new one", file)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "my-style.safetensors": "old",
        "my-style-2.safetensors": "number 2",
    }


def test_a_file_in_the_place_of_the_folder_is_named(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with (
        pytest.raises(CannotWrite, match=r"cannot be kept in .*taken: that is a file"),
        aside.kept(file, tmp_path / "taken"),
    ):
        file.unlink()
    assert file.read_text() == "old"


def test_where_replacing_fails_nothing_stays_beside(file: Path) -> None:
    with pytest.raises(ZeroDivisionError), aside.kept(file):
        raise ZeroDivisionError
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert file.read_text() == "old"


def test_an_error_after_the_replacing_leaves_the_old_file_beside(file: Path) -> None:
    def replace_and_fail() -> None:
        file.unlink()
        file.write_text("new")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), aside.kept(file) as kept:
        replace_and_fail()
    assert kept is not None and kept.read_text() == "old"


def test_two_in_one_second_are_both_kept(file: Path) -> None:
    first = aside.set_aside(file)
    file.write_text("second")
    second = aside.set_aside(file)
    assert not file.exists()
    assert (first.read_text(), second.read_text()) == ("old", "second")


def test_nothing_to_keep(tmp_path: Path) -> None:
    with aside.kept(tmp_path / "missing") as kept:
        assert kept is None
    assert aside.sentence([]) == ""


def test_files_moved_to_a_folder_keep_their_names_numbered_where_they_are_taken(file: Path, tmp_path: Path) -> None:
    removed = tmp_path / "inner" / "removed"
    first = aside.set_aside(file, removed)
    file.write_text("newer")
    second = aside.set_aside(file, removed)
    assert not file.exists()
    assert [first, second] == [removed / file.name, removed / "my-style-2.safetensors"]
    assert (first.read_text(), second.read_text()) == ("old", "newer")
