"""A controller on a fake host. Its runs draw no loss curve, which takes longer than they do; the tests of plots do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.background.tasks import BackgroundTasks
from lib_ti.config import CreateConfig, TrainConfig, to_mapping
from lib_ti.ui.controller import Controller
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
