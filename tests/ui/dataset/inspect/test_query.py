"""Order and search of the inspected images."""

from __future__ import annotations

import pytest

from lib_ti.ui.dataset.inspect.columns import (
    BY_NAME,
    COLUMNS,
    ORDERS,
    TOGETHER,
    WORST_FIRST,
    direction,
    next_order,
    ordered,
)
from lib_ti.ui.dataset.inspect.query import Query, counts
from lib_ti.ui.dataset.inspect.state import Inspection
from tests.ui.dataset.inspect.conftest import CONFIG, EVIL, NAMES, digests, names, view


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (BY_NAME, EVIL),
        ("no such order", EVIL),
        ("smallest first", "coffee.jpg"),
        ("blurriest first", "camera 10.png"),
        ("most noise first", "retina.png"),
        ("darkest first", "moon.png"),
        (TOGETHER, "brick.jpg"),
    ],
)
def test_orders_start_with_what_they_name(inspection: Inspection, order: str, first: str) -> None:
    assert names(ordered(inspection.images(CONFIG), order))[0] == first


def test_each_measure_has_two_orders_that_are_each_others_reverse(inspection: Inspection) -> None:
    images = [one for one in inspection.images(CONFIG) if not one.copy_of]  # equal ones keep their order
    for column in COLUMNS:
        values = [[column.value(one.inspected) for one in ordered(images, order)] for order in column.orders]
        assert values[0] == values[1][::-1]
        assert values[0] == sorted(values[0], reverse=not column.low_is_bad)
    assert len(set(ORDERS)) == len(ORDERS)


def test_images_with_most_issues_are_first(inspection: Inspection) -> None:
    images = ordered(inspection.images(CONFIG), WORST_FIRST)
    against = [sum(issue.advice == "exclude" for issue in one.inspected.issues) for one in images]
    assert against == sorted(against, reverse=True)
    assert against[0] > against[-1] == 0


def test_column_headers_reverse_the_order() -> None:
    assert next_order(BY_NAME, "noise") == "most noise first"
    assert next_order("most noise first", "noise") == "least noise first"
    assert next_order("least noise first", "noise") == "most noise first"
    assert next_order("most noise first", "name") == BY_NAME
    assert next_order("most noise first", "nothing") == "most noise first"
    assert direction("most noise first", "noise") == "descending"
    assert direction("blurriest first", "sharpness") == "ascending"
    assert direction("blurriest first", "noise") == ""
    assert direction(BY_NAME, "name") == "ascending"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", NAMES),
        (" , ", NAMES),
        ("dark", ["moon.png"]),
        ("Noise , DARK", ["moon.png", "retina.png"]),
        ("dark, in use", []),
        ("excluded", ["moon.png"]),
        ("noise, dark, in use", ["retina.png"]),
        ("near-duplicates", ["brick.jpg", "camera 2.jpg", "camera 10.png", "copy.jpg"]),
        ("group 2", ["camera 2.jpg", "camera 10.png"]),
        ("group 22", []),
        ("CAMERA", ["camera 2.jpg", "camera 10.png"]),
        ("camera, moon", ["camera 2.jpg", "camera 10.png", "moon.png"]),
        ("camera, not good", ["camera 10.png"]),
        ("no caption, camera", ["camera 10.png"]),
        ("nobody", []),
    ],
)
def test_a_search_finds(inspection: Inspection, text: str, found: list[str]) -> None:
    inspection.decide(digests(inspection, "moon.png"))
    assert names(view(inspection, find=text).shown) == found


def test_words_are_added_and_removed() -> None:
    query = Query.of(" dark,moon ,, Dark ")
    assert query.terms == ("dark", "moon", "Dark")
    assert query.has("DARK")
    assert str(query.toggled("noise")) == "dark, moon, Dark, noise"
    assert str(query.toggled("dark")) == "moon"


def test_words_are_counted(inspection: Inspection) -> None:
    found = counts(inspection.images(CONFIG))
    assert found["good"] + found["not good"] == len(NAMES)
    assert (found["dark"], found["noise"], found["near-duplicates"], found["no caption"]) == (1, 1, 4, 7)
    assert (found["in use"], found["excluded"]) == (7, 0)
