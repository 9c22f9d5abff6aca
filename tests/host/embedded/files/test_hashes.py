"""Hashes of large checkpoints are computed once, and those of a replaced file again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.files import hashes
from lib_ti.host.embedded.host import EmbeddedHost

ONE = hashlib.sha256(b"one").hexdigest()


@pytest.fixture(autouse=True)
def remembering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every file counts as large, and hashes are remembered in the test's folder."""
    monkeypatch.setattr(hashes, "LARGE", 0)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "caches"))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An entry for each time that a checkpoint or its autoencoder is really hashed."""
    found: list[str] = []
    for name in ("sha256", "network_hash"):
        compute = getattr(hashes, name)
        monkeypatch.setattr(hashes, name, lambda one, name=name, compute=compute: found.append(name) or compute(one))
    return found


def hashes_of(path: Path) -> tuple[str, str]:
    """Return what a new program finds."""
    with EmbeddedHost(path, embeddings_folder=path.parent, device="cpu").models.session(SessionOptions()) as model:
        return model.info.hash, model.info.autoencoder


def test_the_next_program_does_not_hash_the_same_file(checkpoint: Path, computed: list[str]) -> None:
    first = hashes_of(checkpoint)
    assert first[0] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()[:10]
    assert sorted(computed) == ["network_hash", "sha256"]
    assert hashes_of(checkpoint) == first
    assert len(computed) == 2


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    found = []
    for second, content in enumerate(("one", "two")):
        path.write_text(content)
        os.utime(path, (second, second))
        found += [hashes.file_hash(path) for _ in range(2)]
    assert found == [hashlib.sha256(content).hexdigest() for content in (b"one", b"one", b"two", b"two")]


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', "{"])
def test_a_damaged_list_of_hashes_is_replaced(tmp_path: Path, computed: list[str], content: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("one")
    hashes.hashes_file().parent.mkdir(parents=True)
    hashes.hashes_file().write_text(content)
    assert hashes.file_hash(path) == hashes.file_hash(path) == ONE
    assert computed == ["sha256"]
    assert [*json.loads(hashes.hashes_file().read_text())] == [str(path)]


def test_hashes_are_computed_where_they_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_text("one")
    (tmp_path / "caches").write_text("a file where a folder would be")
    assert hashes.file_hash(path) == ONE


def test_hashes_of_removed_files_are_forgotten(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
        hashes.file_hash(tmp_path / name)
        (tmp_path / "one").unlink(missing_ok=True)
    assert [*json.loads(hashes.hashes_file().read_text())] == [str(tmp_path / "two")]
