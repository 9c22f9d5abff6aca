"""``show``: what is in embedding files, as many as are named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An embeddings folder as a run leaves it, with two files that are none."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.safetensors", "z.pt"):
        files.save(Embedding(name[0], {"clip_l": torch.ones(2, 768)}, step=7), tmp_path / name)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.preview.png")
    (tmp_path / "b.safetensors").write_bytes(b"damaged")
    return tmp_path


def test_show_continues_after_a_bad_file_and_skips_previews(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", *(path.name for path in sorted(folder.iterdir())), "none.pt"]) == 2
    captured = capsys.readouterr()
    assert captured.out.count("vectors: 2") == 2
    assert "a.preview.png\n  preview: the preview image of an embedding" in captured.out
    errors = captured.err.splitlines()
    assert len(errors) == 2
    assert "b.safetensors is damaged" in errors[0]
    assert "none.pt does not exist" in errors[1]


def test_previews_alone_are_no_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "a.preview.png", '"z.pt"', "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["file"] for one in shown] == ["a.preview.png", '"z.pt"']
    assert shown[0]["preview"]
    assert shown[1]["steps"] == 7


@pytest.mark.parametrize("name", ["none.preview.png", "x" * 300 + ".pt", "a\0.pt"])
def test_a_name_of_no_file_is_one_short_sentence(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["show", name]) == 2
    (captured,) = capsys.readouterr().err.splitlines()
    assert len(captured) < 400
