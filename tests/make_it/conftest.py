"""A Make it on the fake model: real folders and files, milliseconds a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_ti.config import MakeConfig
from lib_ti.make_it.pipeline import make_it
from lib_ti.make_it.state import MakeState
from lib_ti.signals import Control, Event, PhaseFinished, PhaseStarted
from tests.fakes import FakeHost

WORDS = ("watercolor", "glossy", "striped", "fog", "lemon")


class Workshop:
    """A folder of images, a host, and the events of the last Make it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, FakeHost(folder)
        self.host.model.info = replace(self.host.model.info, size=64)  # the smallest that images are prepared for
        self.images = folder / "images"
        self.events: list[Event] = []
        if not self.images.exists():
            draw_different(self.images, 10)

    @property
    def prepared(self) -> Path:
        return self.folder / "images-prepared"

    def make(
        self,
        on_event: Callable[[Event, Control], None] | None = None,
        *,
        incoming: tuple[Path, ...] = (),
        **changes: Any,
    ) -> MakeState:
        values: dict[str, Any] = {
            "images": str(self.images),
            "keyword": "my-style",
            "max_steps": 6,
            "log_directory": str(self.folder / "runs"),
        }
        self.events, control = [], Control()

        def listen(event: Event) -> None:
            self.events.append(event)
            if on_event:
                on_event(event, control)

        return make_it(self.host, MakeConfig(**{**values, **changes}), listen, control, incoming=incoming)

    def started(self) -> list[str]:
        return [event.phase for event in self.events if isinstance(event, PhaseStarted)]

    def said(self, phase: str) -> str:
        return " ".join(" ".join(e.sentences) for e in self.events if isinstance(e, PhaseFinished) and e.phase == phase)


def draw_different(folder: Path, count: int) -> None:
    """Write images with much detail that show nothing twice."""
    folder.mkdir(parents=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(30, 226, (6, 6, 3), dtype=np.uint8))
        coarse.resize((48, 40), Image.Resampling.NEAREST).save(folder / f"{number}.png")


@pytest.fixture(autouse=True)
def _quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short list of words, and no plot of the losses."""
    words = tmp_path / "words.txt"
    words.write_text("\n".join(WORDS), encoding="utf-8")
    monkeypatch.setattr("lib_ti.training.suggest.initial_text.SHIPPED", words)
    monkeypatch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)
