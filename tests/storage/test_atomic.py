"""Files are whole or not there, on a disk that is really full too."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from lib_ti.data.latent_files import ItemLatents, LatentFiles
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats import reading
from lib_ti.prep.export import export_zip
from lib_ti.prep.thumbnails import Thumbnails
from lib_ti.storage.atomic import CannotWrite, append_text, remove_leftovers, write_atomically, write_bytes, write_text
from lib_ti.training.files.run_state import Identity, RunState
from lib_ti.training.images.previews import save_image
from tests.fakes import draw_images
from tests.training.conftest import Studio

EMBEDDING = Embedding("x", {"clip_l": torch.ones(1, 8)})


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


def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(CannotWrite, match="b.txt cannot be written"):
        write_text(tmp_path / "a" / "b.txt", "")


def _save_latents(folder: Path) -> None:
    latents = LatentFiles(folder)
    with latents.writing():
        latents.write("key", ItemLatents(torch.zeros(4, 2, 2), torch.ones(4, 2, 2)))
    assert not latents.trouble


def _save_state(folder: Path) -> None:
    identity = Identity("run", "model", "hash", "dataset", "template", {})
    RunState(identity, 1, {"clip_l": torch.ones(1, 8)}, {}, {}, preview_seed=1, first_step=0).save(folder / "state")


def _save_zip(folder: Path) -> None:
    export_zip(draw_images(folder / "images", 1), folder / "a.zip", progress=lambda *_: None, stop=lambda: False)


WRITERS: dict[str, Callable[[Path], None]] = {
    **{
        f"embedding {suffix}": lambda folder, suffix=suffix: files.save(EMBEDDING, folder / f"x{suffix}")
        for suffix in reading.SUFFIXES
    },
    "state": _save_state,
    "latents": _save_latents,
    "preview": lambda folder: save_image(folder / "images" / "a.png", Image.new("RGB", (8, 8)), "parameters"),
    "thumbnail": lambda folder: Thumbnails(folder, 8).of(draw_images(folder / "images", 1) / "00.png"),
    "zip": _save_zip,
    "text": lambda folder: write_text(folder / "deep" / "a.txt", ""),
}


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664)])
@pytest.mark.parametrize("kind", WRITERS)
def test_every_file_and_folder_has_the_mode_of_the_umask(tmp_path: Path, kind: str, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        WRITERS[kind](tmp_path / "new")
    finally:
        os.umask(before)
    written = [tmp_path / "new", *(tmp_path / "new").rglob("*")]
    assert any(path.is_file() for path in written)
    for path in written:
        expected = mode | 0o111 if path.is_dir() else mode
        assert oct(stat.S_IMODE(path.stat().st_mode)) == oct(expected), path


@pytest.mark.parametrize("suffix", reading.SUFFIXES)
def test_an_unfinished_file_has_a_suffix_that_nobody_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    seen: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (seen.extend(os.listdir(tmp_path)), fsync(number)))
    files.save(EMBEDDING, tmp_path / f"x{suffix}")
    assert [os.path.splitext(name)[1] for name in seen] == [".writing"]
    assert os.listdir(tmp_path) == [f"x{suffix}"]


@pytest.mark.parametrize("left", [".x-0123abcd.safetensors.writing", ".x-0123abcd.writing.safetensors"])
def test_leftovers_are_removed_under_the_present_and_the_earlier_name(tmp_path: Path, left: str) -> None:
    for name in (left, ".x-0123abcd.pt.writing", ".xy-0123abcd.safetensors.writing", "x.safetensors"):
        (tmp_path / name).write_bytes(b"half")
    remove_leftovers(tmp_path / "x.safetensors")
    assert sorted(os.listdir(tmp_path)) == [
        ".x-0123abcd.pt.writing", ".xy-0123abcd.safetensors.writing", "x.safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".bin", ".png"])
def test_a_full_disk_is_reported_and_keeps_the_old_embedding(small_disk: Path, suffix: str) -> None:
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


def test_a_run_on_a_full_disk_can_continue_later(small_disk: Path, tmp_path: Path) -> None:
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
