"""File names that are not UTF-8, and who is told which files are not trained on."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.cli.progress import Console, JsonLines
from lib_ti.config import TrainConfig, from_mapping
from lib_ti.errors import BadInput
from lib_ti.signals import FileSkipped, LogMessage
from tests.training.conftest import Studio

BAD = os.fsdecode(b"caf\xe9")


def test_a_run_on_files_and_folders_whose_names_are_no_unicode(studio: Studio, tmp_path: Path) -> None:
    pictures = studio.pictures.rename(tmp_path / f"{BAD} pictures")
    Image.effect_noise((64, 64), 90).convert("RGB").save(pictures / f"{BAD}.png")
    (pictures / f"broken {BAD}.png").write_bytes(b"no image")
    lines = io.StringIO()
    finished = studio.train(JsonLines(lines), dataset=str(pictures), max_steps=2)
    assert finished.reason == "done"
    events = [json.loads(line) for line in lines.getvalue().encode().splitlines()]
    assert {
        "event": "FileSkipped",
        "name": "broken caf�.png",
        "reason": "it is not an image of a known kind",
    } in events
    assert "broken caf�.png (it is not an image of a known kind)" in (finished.folder / "run.log").read_text("utf-8")
    [settings] = finished.folder.glob("settings-*.json")
    content = json.loads(settings.read_text("utf-8"))
    assert f"{BAD}.png" in content["pictures"] + content["held_out"]
    assert from_mapping(TrainConfig, content["settings"]).dataset == str(pictures)


def test_a_log_directory_whose_path_is_no_unicode_is_refused_at_once(studio: Studio, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"Log directory '.*caf� logs' cannot be used: its path is not UTF-8"):
        studio.train(log_directory=str(tmp_path / f"{BAD} logs"))


def test_all_skipped_files_are_named_in_the_log_and_for_programs(studio: Studio) -> None:
    for index in range(8):
        (studio.pictures / f"broken {index}.jpg").write_bytes(b"no image")
    screen, lines = io.StringIO(), io.StringIO()
    console, as_json = Console(screen), JsonLines(lines)

    def both(event) -> None:
        console(event)
        as_json(event)

    finished = studio.train(both, max_steps=1)
    names = [f"broken {index}.jpg" for index in range(8)]
    assert [event.name for event in studio.of(FileSkipped)] == names
    log = (finished.folder / "run.log").read_text()
    assert all(f"Skipped {name}: it is not an image of a known kind." in log for name in names)
    assert all(f'"event": "FileSkipped", "name": "{name}"' in lines.getvalue() for name in names)
    [said] = [event.text for event in studio.of(LogMessage) if "skipped" in event.text]
    assert said.endswith("and 3 more; run.log in the run's folder names all.")
    assert said in screen.getvalue()
    assert names[7] not in screen.getvalue()


def test_all_files_are_named_where_none_can_be_trained_on(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    for picture in studio.pictures.glob("*.png"):
        picture.write_bytes(b"")
    names = {picture.name for picture in studio.pictures.glob("*.png")}
    lines = io.StringIO()
    with pytest.raises(BadInput, match=f"{len(names)} files skipped: .* and {len(names) - 5} more"):
        studio.train(JsonLines(lines))
    assert {event.name for event in studio.of(FileSkipped)} == names
    assert all(f'"event": "FileSkipped", "name": "{name}"' in lines.getvalue() for name in names)
    assert all(f"{name}: the file is empty" in caplog.text for name in names)


def test_a_mask_of_another_shape_is_named_before_and_while_training(studio: Studio) -> None:
    Image.effect_noise((64, 64), 90).convert("RGB").save(studio.pictures / "tall.png")
    Image.new("L", (64, 32), 255).save(studio.pictures / "tall-mask.png")
    finished = studio.train(max_steps=1, use_alpha=True)
    reason = "its mask tall-mask.png cannot be used: it is 64×32 and the image is 64×64"
    assert f"Skipped tall.png: {reason}" in (finished.folder / "run.log").read_text()
