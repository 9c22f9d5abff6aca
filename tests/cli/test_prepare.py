"""The command ``prepare`` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from lib_ti.cli.main import main
from tests.data.conftest import ImageFolder

SMALL = ["--width", "64", "--height", "64"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with found images, good and bad, as the current one."""
    found = ImageFolder(tmp_path / "found")
    found.draw("a house.jpg", (200, 100))
    found.draw("b.png", (40, 50), caption="a boat on the left")
    (found.path / "broken.png").write_bytes(b"x")
    (found.path / "empty.jpg").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def events(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_source_folder_becomes_a_folder_for_training(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "found", "ready", *SMALL, "--name", "my-style", "--flip", "--zip", "ready.zip"]) == 0
    output = capsys.readouterr().out
    assert "a house.jpg → my-style_001.png: cropped by saliency, downscaled" in output
    assert "b.png → my-style_004.png: cropped by saliency, upscaled 1.6 times by Lanczos, mirrored" in output
    assert "Skipped broken.png: it is not an image of a known kind." in output
    assert "Skipped empty.jpg: the file is empty (0 bytes); copy or download it again." in output
    assert "Results: 4 made" in output
    images = [f"my-style_00{number}.{suffix}" for number in range(1, 5) for suffix in ("png", "txt")]
    assert names(here / "ready") == [*images, "preparation.json"]
    assert (here / "ready/my-style_001.txt").read_text() == "a house"
    with zipfile.ZipFile(here / "ready.zip") as archive:
        assert sorted(archive.namelist()) == images


def test_a_zip_file_of_someone_else_is_refused_before_anything_is_made(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.zip").write_bytes(b"mine")
    assert main(["prepare", "found", "ready", *SMALL, "--zip", "mine.zip"]) == 2
    assert "mine.zip already exists" in capsys.readouterr().err
    assert (here / "mine.zip").read_bytes() == b"mine"
    assert not (here / "ready").exists()


def test_a_dry_run_reports_the_plan_and_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(here.rglob("*"))
    assert main(["prepare", "found", "ready", *SMALL, "--dry-run", "--json"]) == 0
    output = events(capsys)
    assert [(one["source"], one["name"], one["state"]) for one in output if one["event"] == "Planned"] == [
        ("a house.jpg", "image_001.png", "new"),
        ("b.png", "image_002.png", "new"),
    ]
    assert [one["path"] for one in output if one["event"] == "Skipped"] == ["found/broken.png", "found/empty.jpg"]
    assert output[-1]["event"] == "Summary"
    assert sorted(here.rglob("*")) == before


def test_inspect_reports_issues_of_the_images(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "found", "ready", *SMALL, "--inspect", "--json", "--dry-run"]) == 0
    output = events(capsys)
    assert any("small, 1.6×" in one["issues"] for one in output if one["event"] == "Inspected")
    assert any("30 to 70" in one["text"] for one in output if one["event"] == "Advice")
    assert not (here / "ready").exists()
    assert main(["prepare", "found", "ready", *SMALL, "--inspect"]) == 0
    assert "Results: 2 made" in capsys.readouterr().out
    assert list((here / "ready/.preparation/inspection").iterdir())


def test_repeating_the_command_changes_nothing_and_the_manifest_is_enough(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prepare", "found", "ready", *SMALL, "--framing", "centre"]) == 0
    before = {path: path.read_bytes() for path in (here / "ready").glob("*.*") if path.is_file()}
    capsys.readouterr()
    assert main(["prepare", "--config", "ready/preparation.json", "--json"]) == 0
    output = events(capsys)
    assert not [one for one in output if one["event"] == "Made"]
    assert any(one["text"].startswith("Results: 2 unchanged") for one in output if one["event"] == "Summary")
    assert {path: path.read_bytes() for path in before} == before
    assert names(here / "ready") == sorted(path.name for path in before)


def test_results_keep_the_name_that_they_were_prepared_with_unless_another_is_given(here: Path) -> None:
    assert main(["prepare", "found", "ready", *SMALL, "--name", "picture"]) == 0  # the default of earlier versions
    (here / "ready" / "picture_001.txt").write_text("mine")
    assert main(["prepare", "found", "ready", *SMALL, "--flip"]) == 0
    assert "picture_001.png" in names(here / "ready")
    assert not list((here / "ready").glob("image*"))
    assert main(["prepare", "found", "ready", *SMALL, "--name", "image"]) == 0
    assert (here / "ready" / "image_001.txt").read_text() == "mine"
    assert not list((here / "ready").glob("picture*"))


def test_erasing_by_masks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = Image.new("RGB", (100, 100), "navy")
    ImageDraw.Draw(image).text((30, 40), "(c) me", "white")
    image.save(here / "found" / "c.png")
    (here / "masks").mkdir()
    mask = Image.new("L", (100, 100))
    mask.paste(255, (28, 38, 75, 55))
    mask.save(here / "masks" / "c.png")
    for made in (1, 0):
        assert main(["prepare", "found", "ready", *SMALL, "--remove", "masks", "--fill", "telea"]) == 0
        output = capsys.readouterr().out
        assert ("c.png → image_003.png: a region removed (telea), downscaled" in output) == bool(made)
        assert f"Removed regions in {made} image" in output
    with Image.open(here / "ready" / "image_003.png") as result:
        assert max(high for _, high in result.getextrema()) < 160


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["found", "found"], "is the source folder"),
        (["nowhere", "ready"], "does not exist"),
        (["found"], "Prepared folder is empty"),
        ([], "Source folder is empty"),
        (["found", "ready", "--shape", "round"], "choose one of crop, buckets, keep"),
        (["found", "ready", "--upscaler", "magic"], "'magic'; there are Lanczos, none"),
        (["found", "ready", "--remove", "nowhere"], "does not exist"),
        (["found", "ready", "--width", "65", "--workers", "-1"], "multiple of 8"),
        (["found", "ready", "--config", "found/b.txt"], "is not JSON"),
    ],
)
def test_bad_input_exits_with_2_and_a_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = sorted(here.rglob("*"))
    assert main(["prepare", *arguments]) == 2
    assert words in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_nothing_readable_is_bad_input(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a house.jpg", "b.png"):
        (here / "found" / name).unlink()
    assert main(["prepare", "found", "ready"]) == 2
    assert "has no readable image; 2 files skipped: broken.png" in capsys.readouterr().err


def test_all_files_are_named_where_none_is_readable(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "empty files"
    folder.mkdir()
    for number in range(9):
        (folder / f"{number}.png").touch()
    assert main(["prepare", str(folder), "ready", "--json"]) == 2
    *skipped, error = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(one["path"]).name for one in skipped] == [f"{number}.png" for number in range(9)]
    assert "9 files skipped" in error["problems"][0] and "and 4 more" in error["problems"][0]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals work otherwise")
def test_ctrl_c_stops_and_the_same_command_continues(here: Path) -> None:
    noise = Image.effect_noise((1000, 800), 80).convert("RGB")
    for number in range(18):
        noise.putpixel((number, 0), (255, 0, 0))
        noise.save(here / "found" / f"{number}.png", compress_level=1)
    command = [sys.executable, "-m", "lib_ti", "prepare", "found", "ready", "--workers", "1"]
    root = Path(__file__).parents[2]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(root)}, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list((here / "ready").glob("*.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Preparing was stopped after" in output
    made = len(list((here / "ready").glob("*.png")))
    assert 0 < made < 20
    finished = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, check=True
    )
    assert f"Results: {20 - made} made, {made} unchanged" in finished.stdout
