"""The command ``caption``, with a captioner that says colours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from lib_ti.signals import Control
from tests.fakes import FakeHost, draw_images


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four images, of which the first has a caption, and a damaged one."""
    monkeypatch.setattr("lib_ti.cli.caption.embedded_host", lambda arguments: FakeHost(tmp_path))
    folder = draw_images(tmp_path / "set", count=4)
    for name in ("01.txt", "02.txt", "03.txt"):
        (folder / name).unlink()
    (folder / "broken.png").write_bytes(b"")
    return folder


def test_a_folder_is_captioned_and_the_result_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caption", str(folder), "--prefix", "a flat"]) == 0
    assert (folder / "03.txt").read_text() == "a flat colour 255 40 30"
    output = capsys.readouterr().out
    assert "Images: 3 captioned, 1 with an existing caption that was kept, 1 skipped.\n" in output
    assert "broken.png was skipped: the file is empty (0 bytes); copy or download it again.\n" in output
    assert main(["caption", str(folder), "--prefix", "a flat"]) == 0
    assert "Images: 4 with an existing caption that was kept, 1 skipped." in capsys.readouterr().out


def test_programs_read_what_was_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caption", str(folder), "--json", "--existing", "ignore"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[-2] == {"event": "Progress", "stage": "Captioning", "done": 5, "total": 5}
    assert events[-1]["event"] == "Captioned"
    assert events[-1]["written"] == ["00.png", "01.png", "02.png", "03.png"]
    assert [Path(item["path"]).name for item in events[-1]["skipped"]] == ["broken.png"]


def test_all_problems_are_reported_before_a_model_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "set").mkdir()
    assert main(["caption", str(tmp_path / "set"), "--existing", "all", "--batch-size", "0"]) == 2
    output = capsys.readouterr().err
    assert "Existing captions is 'all'" in output
    assert "Batch size is 0" in output
    assert main(["caption", str(tmp_path / "set")]) == 2
    assert "has no image" in capsys.readouterr().err
    draw_images(tmp_path / "set", count=1)
    assert main(["caption", str(tmp_path / "set"), "--captioner-dir", str(tmp_path / "BLIP")]) == 2
    assert f"needs its model in the folder {tmp_path / 'BLIP'}" in capsys.readouterr().err


def test_a_stopped_run_reports_how_to_continue(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Control, "stop_requested", True)
    assert main(["caption", str(folder)]) == 130
    assert "Captioning was stopped. Start it again" in capsys.readouterr().err
