"""Files are whole or not there, on a disk that is really full too."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lib_ti.atomic import CannotWrite, append_text, write_atomically, write_bytes, write_text
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from tests.training.conftest import Studio


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
        )
    except OSError:
        pytest.skip("this system has no mount command")
    if made.returncode:
        pytest.skip("a small disk can only be mounted by the superuser")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_file_appears_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "ä\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "ä\n".encode()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_a_failing_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(beside: Path) -> None:
        beside.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(path, fail)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(CannotWrite, match="b.txt cannot be written"):
        write_text(tmp_path / "a" / "b.txt", "")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin", ".png"])
def test_a_full_disk_is_told_and_keeps_the_old_embedding(small_disk: Path, suffix: str) -> None:
    path = small_disk / f"x{suffix}"
    small = Embedding("x", {"clip_l": torch.ones(1, 8)})
    if suffix != ".png":
        files.save(small, path)
    with pytest.raises(CannotWrite, match="the disk is full; free some space"):
        files.save(Embedding("x", {"clip_l": torch.randn(300, 768)}), path)
    if suffix != ".png":
        assert files.load(path).count == 1
    assert not [name for name in os.listdir(small_disk) if "writing" in name]


def test_plain_files_on_a_full_disk(small_disk: Path) -> None:
    with pytest.raises(CannotWrite, match="disk is full"):
        write_bytes(small_disk / "a", b"0" * 500_000)
    with pytest.raises(CannotWrite, match="disk is full"):
        append_text(small_disk / "b", "0" * 500_000)


def test_a_run_on_a_full_disk_can_go_on_later(small_disk: Path, tmp_path: Path) -> None:
    studio = Studio(tmp_path)
    studio.train(max_steps=5, save_image_every=0, log_directory=str(small_disk / "runs"))
    filler = small_disk / "filler"
    with pytest.raises(CannotWrite, match="disk is full"):
        append_text(filler, "0" * 500_000)
    with pytest.raises(CannotWrite, match="disk is full"):
        studio.train(max_steps=10, save_image_every=0, log_directory=str(small_disk / "runs"))
    filler.unlink()
    studio.train(max_steps=10, save_image_every=0, log_directory=str(small_disk / "runs"))
    assert files.load(studio.embedding_file).step == 10
