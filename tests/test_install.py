"""``install.py``, which the WebUI runs at each start, with a pip that is not the real one."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lib_ti.prep.remove.exemplar import INSTALL

ROOT = Path(__file__).parents[1]
PIN = "patchmatch-cython==0.2.1"


def start(monkeypatch: pytest.MonkeyPatch, installed: bool, problem: Exception | None = None) -> list[list[str]]:
    """Run install.py; return the commands that it ran."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> None:
        commands.append(command)
        if problem:
            raise problem

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed or name == "cv2" else None)
    monkeypatch.setattr(subprocess, "run", run)
    runpy.run_path(str(ROOT / "install.py"))
    return commands


def test_nothing_is_said_or_done_where_all_is_there(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    assert start(monkeypatch, installed=True) == []
    assert capsys.readouterr().out == ""


def test_the_one_package_is_installed_without_dependencies_and_named(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    [command] = start(monkeypatch, installed=False)
    assert {"--no-deps", "--only-binary=:all:", "--retries=0", PIN} <= set(command)
    assert f"installed {PIN}, with which Remove fills in texture" in capsys.readouterr().out


@pytest.mark.parametrize(
    "problem", [subprocess.CalledProcessError(1, "pip"), subprocess.TimeoutExpired("pip", 60), OSError("no pip")]
)
def test_without_a_network_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch, capsys, problem: Exception) -> None:
    start(monkeypatch, False, problem)
    optional = [line for line in capsys.readouterr().out.splitlines() if "optional" in line]
    assert optional == [
        (
            f"Textual Inversion: the optional {PIN} could not be installed (no network, or no wheel for this Python); "
            "Remove fills with OpenCV, and everything else works without it."
        )
    ]


def test_the_same_version_is_named_everywhere() -> None:
    assert PIN in INSTALL
    assert f'"{PIN};' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
