"""A WebUI of the tests' own: started on a free port, its temporary data folder has this extension in it.

``TI_WEBUI_ROOT`` is the WebUI's folder (the one with ``launch.py``), and ``TI_WEBUI_PYTHON`` its Python.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from lib_ti.pocket.files import export
from tests.webui.conftest import WebUI

ROOT, PYTHON = "TI_WEBUI_ROOT", "TI_WEBUI_PYTHON"
EXTENSION = Path(__file__).resolve().parents[2]
ARGUMENTS = (
    "--skip-torch-cuda-test --skip-prepare-environment --skip-install --skip-python-version-check --no-half "
    "--precision full --use-cpu all --no-download-sd-model --disable-console-progressbars --api"
).split()
_START_SECONDS = 300
_CALL_SECONDS = 600


@dataclass(frozen=True)
class Program:
    """A kind of WebUI: the environment variables that say where it is, and the arguments that it is started with."""

    root: str
    python: str
    arguments: Sequence[str]


WEBUI = Program(ROOT, PYTHON, ARGUMENTS)


class Instance(WebUI):
    """A running WebUI with the probe in it."""

    def __init__(self, folder: Path, address: str, process: subprocess.Popen[bytes]) -> None:
        super().__init__(folder, address)
        self.folder, self.address, self._process = folder, address, process

    def started(self, times: int = 1) -> None:
        """Wait until it has started, or its page has been built so many times.

        By its log: the WebUI 1.10.1 does not survive a request between opening its port and adding its API.
        """
        log, end = self.folder / "webui.log", time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            if log.read_text(errors="replace").count("Startup time") >= times:
                return
            time.sleep(0.2)
        pytest.fail(f"the WebUI did not start:\n{log.read_text(errors='replace')[-3000:]}")

    def call(self, name: str, /, *, at: str = "call", **options: Any) -> Any:
        """The answer of one of a probe's functions."""
        response = self._client.post(f"/ti-tests/{at}", json={"name": name, "options": options})
        assert response.status_code == 200, f"{name} failed: {response.text}; see {self.folder / 'webui.log'}"
        return response.json()["answer"]

    def page(self, path: str) -> str:
        return self._client.get(path).text

    def until(self, job: str, at_least: int) -> None:
        """Wait until the WebUI's own progress says that so many jobs of a run are done."""
        end = time.monotonic() + _CALL_SECONDS
        while time.monotonic() < end:
            now = self.get("progress?skip_current_image=true")["state"]
            if now["job"] == job and now["job_no"] >= at_least:
                return
            time.sleep(0.05)
        pytest.fail(f"the job {job} did not come to {at_least}")


def pocket_models(models: Path) -> str:
    """Write the pocket model twice; return the title of the first."""
    for name in ("pocket", "other"):
        checkpoint = export(models / name)
        shutil.move(checkpoint, checkpoint.with_stem(name))
        shutil.move(checkpoint.with_suffix(".yaml"), checkpoint.with_name(f"{name}.yaml"))
    return "pocket/pocket.safetensors"


@contextlib.contextmanager
def running(
    folder: Path,
    *more: str,
    probes: Sequence[str] = ("probe.py",),
    models: Callable[[Path], str] = pocket_models,
    settings: Mapping[str, Any] = MappingProxyType({}),
    directory: Path | None = None,
    program: Program = WEBUI,
) -> Iterator[Instance]:
    """Start a WebUI in ``folder``, and end it; the folder may be that of one that has ended.

    Parameters
    ----------
    probes
        Files beside this one, or full paths.
    models
        Writes checkpoints into a folder, and returns the title of the one that is loaded first.
    settings
        Of the WebUI, besides those that every test has.
    directory
        The directory it is started in; None for its own.
    """
    root, python = os.environ.get(program.root), os.environ.get(program.python)
    if not root or not python:
        pytest.skip(f"no WebUI to start: set {program.root} (its folder) and {program.python} (its Python)")
    if not (folder / "config.json").exists():
        _furnish(folder, probes, models, settings)
    port = _free_port()
    command = [
        python,
        str(Path(root) / "launch.py"),
        *program.arguments,
        "--port",
        str(port),
        "--data-dir",
        str(folder),
        *more,
    ]
    quiet = {"CUDA_VISIBLE_DEVICES": "", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with (folder / "webui.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=directory or root,
            env={**os.environ, **quiet},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        instance = Instance(folder, f"http://127.0.0.1:{port}", process)
        instance.started()
        yield instance
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _furnish(folder: Path, probes: Sequence[str], models: Callable[[Path], str], more: Mapping[str, Any]) -> None:
    checkpoints, extensions = folder / "models" / "Stable-diffusion", folder / "extensions"
    checkpoints.mkdir(parents=True)
    (folder / "embeddings").mkdir()
    title = models(checkpoints)
    probe = extensions / "zz probe" / "scripts"  # after ours, whose package it imports
    probe.mkdir(parents=True)
    for name in probes:
        shutil.copy(Path(__file__).parent / name, probe)
    # What they import: the WebUI has this folder on the path while it loads them.
    (probe.parent / "tests").symlink_to(EXTENSION / "tests", target_is_directory=True)
    (extensions / "any name").symlink_to(EXTENSION, target_is_directory=True)
    settings = {
        "sd_model_checkpoint": title,
        "randn_source": "CPU",
        "ti_log_directory": str(folder / "runs"),
        **more,
    }
    (folder / "config.json").write_text(json.dumps(settings))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
