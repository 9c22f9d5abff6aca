"""Locks between two programs, and what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib_ti.errors import BadInput
from lib_ti.storage import in_use
from lib_ti.storage.lock import Held, holder, reserved

HOLD = """
import sys, time
from pathlib import Path
from lib_ti.storage import in_use
with in_use.held(in_use.Target(Path(sys.argv[1]), "Embedding 'x'"), "trained"):
    print("held", flush=True)
    time.sleep(60)
"""


def hold_elsewhere(lock: Path) -> subprocess.Popen[str]:
    """A program that holds the lock until it is killed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], env=environment, text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_another_program_is_named_and_its_lock_ends_with_it(tmp_path: Path) -> None:
    target = in_use.Target(tmp_path / ".x.lock", "Embedding 'x'")
    process = hold_elsewhere(target.lock)
    try:
        words = rf"Embedding 'x' is being trained by another program \(process {process.pid} on .+\) since \d{{4}}-"
        with pytest.raises(BadInput, match=words), in_use.held(target, "created"):
            pass
        assert f"process {process.pid}" in str(in_use.obstacle(target))
    finally:
        process.kill()
        process.communicate()
    assert target.lock.exists(), "a killed program leaves its file"
    assert in_use.obstacle(target) is None
    with in_use.held(target, "created"):
        assert "this program" in str(in_use.obstacle(target))
    assert os.listdir(tmp_path) == []


def test_the_same_program_is_kept_out_as_well(tmp_path: Path) -> None:
    target = in_use.Target(tmp_path / ".x.lock", "Embedding 'x'")
    with in_use.held(target, in_use.TRAINED):
        with (
            pytest.raises(BadInput, match="is being trained by this program since .+: wait until that run has ended"),
            in_use.held(target, "created"),
        ):
            pass
        assert in_use.obstacle(target), "who was kept out leaves the lock as it is"
    assert in_use.obstacle(target) is None


def test_folders_made_for_a_lock_go_with_it_unless_they_are_used(tmp_path: Path) -> None:
    with reserved(tmp_path / "a" / "b" / ".lock", "note"):
        assert holder(tmp_path / "a" / "b" / ".lock") == "note"
    assert os.listdir(tmp_path) == []
    with reserved(tmp_path / "a" / "b" / ".lock", "note"):
        (tmp_path / "a" / "x").touch()
    assert os.listdir(tmp_path / "a") == ["x"]


def test_a_lock_is_lifted_by_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), reserved(tmp_path / ".lock", ""):
        raise ZeroDivisionError
    with reserved(tmp_path / ".lock", "first"), pytest.raises(Held, match="first"), reserved(tmp_path / ".lock", ""):
        pass
    assert os.listdir(tmp_path) == []
