"""dev.py as its user meets it; the set-up is tried with a real pip and a wheel that the test makes."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def dev() -> ModuleType:
    return load(ROOT / "dev.py")


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    command = [sys.executable, str(folder / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=offline, check=False)


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_names_every_command(dev: ModuleType, arguments: tuple[str, ...]) -> None:
    done = call(ROOT, *arguments)
    assert done.returncode == 0
    for name, (about, _) in dev.COMMANDS.items():
        assert f"  {name:6} {about}\n" in done.stdout


def test_an_unknown_command_is_answered_in_a_sentence() -> None:
    done = call(ROOT, "tset")
    assert done.returncode == 2
    assert done.stderr == "dev.py has no command 'tset'; there are demo, tab, test, lint, types, bench.\n"


def test_old_pythons_can_read_it() -> None:
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_an_unsuitable_python_is_named(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(dev.SetUpFailed) as refusal:
        dev.find_python((3, 13, 0))
    assert str(refusal.value).startswith(
        f"Python 3.10, 3.11 or 3.12 is needed; this is Python 3.13.0 ({sys.executable})"
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows finds other Pythons by its launcher")
def test_a_suitable_python_beside_an_unsuitable_one_is_used(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = os.path.realpath(sys.executable)
    (tmp_path / "python3.11").write_text("#!/bin/sh\nexit 1\n")  # as pyenv does for a version that is not selected
    (tmp_path / "python3.12").write_text(f'#!/bin/sh\nexec "{base}" "$@"\n')
    for name in ("python3.11", "python3.12"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert os.path.realpath(dev.find_python((3, 9, 18))) == base


def test_requirements_are_those_of_the_declaration(dev: ModuleType) -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader to compare with")
    path = ROOT / "pyproject.toml"
    declared = tomllib.loads(path.read_text(encoding="utf-8"))["dependency-groups"]["dev"]
    assert dev.read_requirements(path) == declared


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills a group of processes, which Windows has not")
def test_a_killed_set_up_is_restarted_and_a_complete_one_is_used(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dev.py", tmp_path)
    declare(tmp_path, wheel_that_answers_as_mypy(tmp_path))
    killed = subprocess.Popen([sys.executable, str(tmp_path / "dev.py"), "types"], start_new_session=True)
    wait_for(tmp_path / ".venv" / "bin" / "python")
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()

    first = call(tmp_path, "types", "one", "--two")
    assert first.stdout.startswith("Setting up .venv, once")
    assert first.stdout.endswith(f"checked one --two in {tmp_path}\n")
    assert first.returncode == 7

    second = call(tmp_path, "types")
    assert second.stdout == f"checked  in {tmp_path}\n"


def test_an_environment_is_whole_only_for_its_requirements_and_its_python(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dev.py", tmp_path)
    dev = load(tmp_path / "dev.py")
    venv.create(dev.VENV, with_pip=False)
    assert not dev.is_whole(["torch==2.13.0"])
    dev.STAMP.write_text(dev.stamp_of(["torch==2.13.0"]), encoding="utf-8")
    assert dev.is_whole(["torch==2.13.0"])
    assert not dev.is_whole(["torch==2.13.1"])
    dev.PYTHON.unlink()
    assert not dev.is_whole(["torch==2.13.0"])


def test_a_failing_step_ends_with_its_output_and_what_to_do(dev: ModuleType) -> None:
    command = [sys.executable, "-m", "pip", "install", "--no-index", "no-such-package"]
    with pytest.raises(dev.SetUpFailed) as failure:
        dev.follow(command, "Check the network connection.")
    assert "No matching distribution found for no-such-package" in str(failure.value)
    assert str(failure.value).endswith("Check the network connection. Then run the same command again.")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


def declare(folder: Path, requirement: str) -> None:
    text = f'[dependency-groups]\ndev = [\n    "{requirement}",  # a comment\n]\n'
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def wheel_that_answers_as_mypy(folder: Path) -> str:
    """A wheel whose ``python -m mypy`` shows its arguments and folder and ends with 7; as a requirement."""
    path = folder / "mypy-1.0-py3-none-any.whl"
    source = "import os, sys\nprint('checked', ' '.join(sys.argv[1:]), 'in', os.getcwd())\nsys.exit(7)\n"
    info = "mypy-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("mypy/__init__.py", "")
        wheel.writestr("mypy/__main__.py", source)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: mypy\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{info}/RECORD", f"mypy/__init__.py,,\nmypy/__main__.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n"
        )
    return f"mypy @ {path.as_uri()}"
