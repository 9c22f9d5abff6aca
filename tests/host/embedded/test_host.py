"""The embedded host without its model: folders, arguments and counting tokens."""

from __future__ import annotations

from pathlib import Path

from lib_ti.host.base import run_arguments
from lib_ti.host.embedded.host import EmbeddedHost


def test_host_folders(tmp_path: Path) -> None:
    host = EmbeddedHost(tmp_path / "x.safetensors", embeddings_folder=tmp_path / "e", template_folders=[tmp_path / "t"])
    assert host.folders.embeddings == tmp_path / "e"
    assert list(host.folders.templates) == [tmp_path / "t"]
    assert not host.models.interrupted()
    assert run_arguments(host) == {
        "checkpoint": str(tmp_path / "x.safetensors"),
        "embeddings_dir": str(tmp_path / "e"),
        "templates_dir": str(tmp_path / "t"),
        "device": "auto",
    }


def test_captions_are_counted_without_the_model(tmp_path: Path) -> None:
    host = EmbeddedHost(tmp_path / "missing.safetensors", embeddings_folder=tmp_path)
    assert host.tools.token_spans("a big, cat") == ((0, 1), (2, 5), (5, 6), (7, 10))
