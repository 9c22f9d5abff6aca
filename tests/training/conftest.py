"""A run on the fake model: real files, real pictures, milliseconds a step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.embedding import files
from lib_ti.signals import Control, Event, RunFinished
from lib_ti.training.create import create
from lib_ti.training.run import train
from tests.fakes import FakeHost, FakeModel, draw_images


def vectors(path: Path) -> torch.Tensor:
    """The vectors of an embedding of Stable Diffusion 1, (count, width)."""
    return files.load(path).vectors["clip_l"]


class Killed(BaseException):
    """Ends a run as a killed program does: nothing catches it."""


def kill_at(kind: type[Event], step: int) -> Callable[[Event], None]:
    """A listener that ends the run at the first event of a kind from a step on."""

    def kill(event: Event) -> None:
        if isinstance(event, kind) and event.step >= step:
            raise Killed

    return kill


class Studio:
    """A folder with pictures, an embedding, and a host; :meth:`train` runs and remembers the events."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures = draw_images(folder / "pictures")
        self.logs = folder / "textual_inversion"
        self.host = FakeHost(folder)
        self.events: list[Event] = []
        create(self.host, CreateConfig(name="my-style", text="*", vectors=2))

    def config(self, **changes: Any) -> TrainConfig:
        values: dict[str, Any] = {
            "name": "my-style",
            "dataset": str(self.pictures),
            "log_directory": str(self.logs),
            "max_steps": 20,
            "save_image_every": 10,
            "save_embedding_every": 10,
            "validate_every": 5,
            "batch_size": 2,
            "preview_seed": 7,
        }
        return TrainConfig(**{**values, **changes})

    def train(
        self, on_event: Callable[[Event], None] | None = None, *, new_data: bool = False, **changes: Any
    ) -> RunFinished:
        self.events = []
        self.control = Control()

        def listen(event: Event) -> None:
            self.events.append(event)
            if on_event:
                on_event(event)

        return train(self.host, self.config(**changes), listen, self.control, new_data=new_data)

    @property
    def embedding_file(self) -> Path:
        return self.host.folders.embeddings / "my-style.safetensors"

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(autouse=True)
def _no_plots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing the loss curve takes longer than a fake training; tests that look at it are marked ``plots``."""
    if "plots" not in request.keywords:
        monkeypatch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def another(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "another")


__all__ = ["FakeModel", "Studio"]
