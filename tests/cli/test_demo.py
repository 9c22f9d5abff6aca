"""The demo, shortened: it ends with the files and the words that the README promises."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from safetensors.torch import load_file

from lib_ti.cli.main import main


def test_the_demo_reports_what_was_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--steps", "1"]) == 0
    assert main(["demo", "--steps", "1"]) == 0, "a second time"
    text = capsys.readouterr().out
    for part in ("30 images", "validation loss went from", "before and after", "Generate with it:", "lib_ti generate"):
        assert part in text
    with Image.open(tmp_path / "demo" / "contact-sheet.png") as sheet:
        assert min(sheet.size) > 300
    assert (tmp_path / "demo" / "loss.png").stat().st_size > 5000
    assert len(list((tmp_path / "demo" / "images").glob("*.png"))) == 30
    captions = [path.read_text() for path in (tmp_path / "demo" / "images").glob("*.txt")]
    assert not any("outlined" in caption or "dotted" in caption for caption in captions)
    command = text.splitlines()[-1]
    assert "comic-style" in command
    kept = list((tmp_path / "demo" / "embeddings").glob("comic-style.safetensors.replaced-*"))
    assert len(kept) == 1 and str(kept[0].relative_to(tmp_path)) in text


def test_the_demo_trains_the_model_of_another_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--family", "sdxl", "--steps", "1"]) == 0
    command = capsys.readouterr().out.splitlines()[-1]
    assert "pocket-xl.safetensors" in command, "the command names the model"
    learned = load_file(tmp_path / "demo" / "embeddings" / "comic-style.safetensors")
    assert {name: len(vectors) for name, vectors in learned.items()} == {"clip_l": 4, "clip_g": 4}


@pytest.mark.parametrize("name", ["notes.txt", "images/01.png", "images/02.txt"])
def test_the_demo_leaves_a_folder_with_other_files_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    other = tmp_path / name
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"someone's own")
    assert main(["demo", "--steps", "1", "--folder", str(tmp_path)]) == 2
    assert "choose an" in capsys.readouterr().err
    assert other.read_bytes() == b"someone's own"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [other], "nothing was written"
