"""Width and height that follow the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib_ti.ui.widgets import own_size


class Tab:
    """Keeps what happens when it is opened."""

    opened: Callable[[dict[str, int]], list[Any]]

    def select(self, action: Callable[[dict[str, int]], list[Any]], **_: Any) -> None:
        self.opened = action


def test_the_size_follows_the_model_unless_another_one_was_typed() -> None:
    tab, sizes = Tab(), iter([1024, 1024, 1024, 1024])
    own_size.connect(tab, ("width", "height"), "filled", lambda: next(sizes))
    assert tab.opened({"width": 512, "height": 512, "filled": 512}) == [1024, 1024, 1024]
    kept = tab.opened({"width": 512, "height": 768, "filled": 512})
    assert 1024 not in kept
    assert tab.opened({"width": 512, "height": 512, "filled": 0}) == kept  # a prepared folder's own
    assert tab.opened({"width": 1024, "height": 1024, "filled": 1024}) == kept
