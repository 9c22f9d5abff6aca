"""Runs of these tests draw no loss curve, which takes longer than they do; the trainer's tests look at it."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)
