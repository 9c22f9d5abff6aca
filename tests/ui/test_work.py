"""Work in the background: one piece at a time, refused as a second run is."""

from __future__ import annotations

import threading

import pytest

from lib_ti.errors import Busy
from lib_ti.ui.work import Told, Works


def test_a_second_piece_of_work_is_refused_as_a_second_run_is() -> None:
    works, go = Works(), threading.Event()

    def wait(told: Told) -> None:
        go.wait(20)

    works.start("look", "Inspecting", wait)
    with pytest.raises(Busy, match="Inspecting is still going on"):
        works.start("look", "Inspecting", wait)
    go.set()
    assert works.wait(20)
    works.start("look", "Inspecting", wait)
    assert works.wait(20)
