"""A map over a pool of threads whose results keep the order of the items."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    ahead: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    name: str = "map",
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` for each item in order, computed in threads.

    Closing the generator cancels every call that has not begun and waits for those that have.

    Parameters
    ----------
    workers
        Number of threads; None or 0 for one per CPU core.
    ahead
        Calls that may wait or be finished beyond the running ones, which bounds the memory of unclaimed results; None
        for as many as there are threads.
    stop
        Asked before each result. Once it is true, no further call begins, and the results of those that have begun are
        the last.
    name
        Prefix of the threads' names.

    Raises
    ------
    Exception
        Whatever ``function`` raises, in place of that item's result: all earlier results were yielded before it.
    """
    workers = workers or os.cpu_count() or 1
    most = workers + (workers if ahead is None else ahead)
    remaining = iter(items)
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix=name) as pool:

        def submit() -> None:
            for item in itertools.islice(remaining, most - len(pending)):
                pending.append(pool.submit(function, item))

        try:
            submit()
            while pending and not stop():
                yield pending.popleft().result()
                submit()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    yield from (future.result() for future in pending if not future.cancelled())
