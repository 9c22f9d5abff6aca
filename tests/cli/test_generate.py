"""``generate``: what it says of the embeddings that were used, and what it writes into the images."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_ti.cli.main import main

FAST = ["--steps", "1", "--seed", "3"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["create", "my-style", "--text", "style", "--vectors", "2"]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "embeddings"),
    [
        (["a red circle", "--negative", "my-style, blurry"], "with my-style"),
        (["a red circle by (my-style:1.2)"], "with my-style"),
        (["a red circle"], "no embedding in the prompts"),
    ],
)
def test_embeddings_of_both_prompts_are_reported(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], embeddings: str
) -> None:
    assert main(["generate", *arguments, *FAST, "--output", f" '{folder / 'my images'}' "]) == 0
    assert f"(seed 3, {embeddings})" in capsys.readouterr().out
    with Image.open(folder / "my images" / "00001-3.png") as image:
        assert str(image.info["parameters"]).startswith(arguments[0])


def test_syntax_that_cannot_be_followed_is_refused_before_anything_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "a [red|blue] circle AND a cat", "--negative", "<lora:x:1>", *FAST]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 3
    assert not (folder / "generated").exists()
