"""The threaded map: order, bounded read-ahead, stopping, and errors in their item's place."""

from __future__ import annotations

import threading
import time

import pytest

from lib_ti.ordered_map import ordered_map


def test_results_keep_the_order_of_the_items() -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * 2

    assert list(ordered_map(slow_at_first, range(20), workers=4)) == [number * 2 for number in range(20)]


def test_no_items_give_no_results() -> None:
    assert list(ordered_map(str, [])) == []


def test_calls_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=5)
    assert len(list(ordered_map(lambda _: together.wait(), range(3), workers=3))) == 3


def test_no_more_items_are_taken_than_read_ahead_allows() -> None:
    taken: list[int] = []

    def items() -> object:
        for number in range(100):
            taken.append(number)
            yield number

    results = ordered_map(lambda number: number, items(), workers=2, ahead=3)
    assert next(results) == 0
    assert len(taken) == 5
    assert next(results) == 1
    assert len(taken) == 6
    results.close()
    assert len(taken) == 6


def test_an_error_comes_in_its_items_place() -> None:
    def half(number: int) -> float:
        return 1 / (2 - number)

    results = ordered_map(half, range(5), workers=4)
    assert next(results) == 0.5
    assert next(results) == 1.0
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []


def test_closing_waits_for_running_calls_and_cancels_the_others() -> None:
    begun, finished = [], []
    go = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number:
            go.wait(5)
        finished.append(number)
        return number

    results = ordered_map(work, range(50), workers=2, ahead=10)
    assert next(results) == 0
    threading.Timer(0.05, go.set).start()
    results.close()
    assert sorted(begun) == sorted(finished)
    assert len(begun) < 13


def test_stopping_yields_what_has_begun_and_begins_no_more() -> None:
    stopped = threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.01)
        return number

    found = []
    for number in ordered_map(work, range(1000), workers=2, stop=stopped.is_set):
        found.append(number)
        if number == 3:
            stopped.set()
    assert found == list(range(len(begun)))
    assert len(found) < 10
