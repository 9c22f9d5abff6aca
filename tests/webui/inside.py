"""What probes inside a WebUI and inside a fork have in common; they find this package beside their scripts folder."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fastapi import Body
from modules import call_queue, script_callbacks, shared

from lib_ti.background.runs import Runs
from lib_ti.host.webui.base import tab


def serve(at: str, calls: Sequence[Callable[..., Any]]) -> None:
    """Answer at ``/ti-tests/<at>`` with what one of the functions returns, once the WebUI has its routes."""
    by_name = {call.__name__: call for call in calls}

    def routes(_page: Any, app: Any) -> None:
        @app.post(f"/ti-tests/{at}")
        def call(name: str = Body(...), options: dict = Body(...)) -> dict[str, Any]:  # noqa: B008
            return {"answer": by_name[name](**options)}

    script_callbacks.on_app_started(routes)


def watched() -> dict[str, Any]:
    """What the tab would show."""
    now = Runs().snapshot()
    return {
        "state": now.state,
        "step": now.step,
        "previewing": now.previewing and now.previewing.step,
        "stopped_by": now.stopped_by,
        "warnings": [note.text for note in now.notes if note.warning],
        "notes": [note.text for note in now.notes],
        "errors": now.errors,
        "page": id(shared.demo),
    }


def stop() -> None:
    """As the tab's Interrupt."""
    Runs().stop()


def reload_ui() -> None:
    shared.state.request_restart()


def txt2img_fields() -> list[str]:
    return list(tab.surroundings()["txt2img"])


def busy(seconds: float) -> None:
    """Something else has the queue for a while."""

    def hold() -> None:
        with call_queue.queue_lock:
            time.sleep(seconds)

    threading.Thread(target=hold).start()
    time.sleep(0.2)


def resident(what: str = "VmRSS") -> int:
    """Bytes of memory that this process has (``VmRSS``), or had at the most since they were cleared (``VmHWM``)."""
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith(what))
