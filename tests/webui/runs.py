"""Runs that a probe begins in a WebUI or a fork, as tests look at them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.webui.instance import Instance

JOB = "textual-inversion"


def of_kind(run: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [event for event in run["events"] if event["event"] == kind]


def wait_for(webui: Instance, fits: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
    """What the tab would show, as soon as it fits."""
    end = time.monotonic() + seconds
    while not fits(now := webui.call("watched")):
        assert time.monotonic() < end, now
        time.sleep(0.1)
    return dict(now)


def ended(now: dict[str, Any]) -> bool:
    return now["state"] in ("done", "stopped", "failed")
