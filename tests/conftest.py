"""What every test has: one thread a process, no network, no window and no telemetry."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

# Before anything imports torch or Gradio, and for the processes that tests start.
# One thread: with models as small as these several only wait for each other, and sums come out alike everywhere.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.update(HF_HUB_OFFLINE="1", GRADIO_ANALYTICS_ENABLED="False", MPLBACKEND="Agg")

OWN_MACHINE = ("127.0.0.1", "::1", "localhost", "0.0.0.0")
WEBUI_TESTS = Path(__file__).parent / "webui"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if WEBUI_TESTS in item.path.parents:
            item.add_marker("webui")


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects to another machine; those marked ``webui`` may."""
    if request.node.get_closest_marker("webui"):
        return
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in OWN_MACHINE:
            pytest.fail(f"a test connects to {address[0]}:{address[1]}; tests work without a network")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_here)


@pytest.fixture(autouse=True)
def _no_notes(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Notes of prepared folders go nowhere near the repository, and no test knows of another one's folders."""
    notes = tmp_path_factory.mktemp("notes", numbered=True)
    for name in ("NOTES", "RELATIVE_NOTES"):
        monkeypatch.setattr(f"lib_ti.data.preparations.{name}", notes)
