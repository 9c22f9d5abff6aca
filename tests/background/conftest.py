"""Runs in the background train on the same small studio as the tests of training."""

from __future__ import annotations

from tests.training.conftest import studio

__all__ = ["studio"]
