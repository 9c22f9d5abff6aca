"""A controller on a fake host, and a folder after a run. Runs draw no loss curve, which takes longer than they do."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CreateConfig, TrainConfig, to_mapping
from lib_ti.signals import Control
from lib_ti.training.create import create
from lib_ti.training.run import train
from lib_ti.ui.controller import Controller
from lib_ti.ui.results.state import RunResults, list_runs
from tests.fakes import FakeHost, draw_images


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)


EVIL = "<script>alert(1)</script>"


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path)


@pytest.fixture
def controller(host: FakeHost) -> Controller:
    return Controller(host, BackgroundTasks())


@pytest.fixture
def values(tmp_path: Path, controller: Controller) -> dict[str, Any]:
    """What the Train tab holds once an embedding is made and a folder is chosen."""
    controller.create.create(new("my-style"))
    folder = draw_images(tmp_path / "images")
    config = TrainConfig(
        name="my-style",
        dataset=str(folder),
        log_directory=str(tmp_path / "runs"),
        max_steps=6,
        save_image_every=3,
        save_embedding_every=3,
        validate_every=3,
    )
    return to_mapping(config)


def new(name: str, **changes: Any) -> dict[str, Any]:
    return {**to_mapping(CreateConfig(name=name, text="*", vectors=2)), **changes}


TRAINED = "my-style"
"""Name of the embedding of :func:`trained`."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a run with previews of two prompts, made once; tests get copies."""
    folder = tmp_path_factory.mktemp("trained")
    host = FakeHost(folder)
    create(host, CreateConfig(name=TRAINED, text="style", vectors=3))
    config = TrainConfig(
        name=TRAINED,
        dataset=str(draw_images(folder / "images")),
        log_directory=str(folder / "runs"),
        learning_rate="0.05",
        max_steps=20,
        save_image_every=5,
        save_embedding_every=10,
        validate_every=5,
        preview_prompt="a house, [name]\na tree, [name]",
        preview_negative="fog",
        preview_seed=7,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)
        train(host, config, lambda event: None, Control())
    return folder


@pytest.fixture
def trained_host(trained: Path, tmp_path: Path) -> FakeHost:
    """A host on a copy of that folder."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return FakeHost(tmp_path)


@pytest.fixture
def run(trained_host: FakeHost, tmp_path: Path) -> RunResults:
    """The run in that copy."""
    log = tmp_path / "runs"
    return RunResults(log, TRAINED, list_runs(log, TRAINED)[0])
