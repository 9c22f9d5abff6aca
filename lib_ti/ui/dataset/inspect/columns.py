"""Columns of the table of measures, and the orders in which images can be listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib_ti.prep.inspect.report import InspectedImage
    from lib_ti.ui.dataset.inspect.state import ListedImage


@dataclass(frozen=True)
class Column:
    """A measure of an image.

    ``orders`` are the names of its two orders, the one with the worst images first before the other; ``low_is_bad``
    says which end is the worst. ``kinds`` are the issues based on it. ``written`` formats what is not a plain number.
    """

    key: str
    title: str
    help: str
    value: Callable[[InspectedImage], float]
    orders: tuple[str, str]
    kinds: frozenset[str]
    low_is_bad: bool = True
    digits: int = 0
    written: Callable[[InspectedImage], str] | None = None

    def text(self, one: InspectedImage) -> str:
        return self.written(one) if self.written else f"{self.value(one):.{self.digits}f}"


COLUMNS = (
    Column(
        "size",
        "Size",
        "Width × height in pixels, sorted by the scale to the training size.",
        lambda one: one.at_training.downscaling / one.at_training.upscaling,
        ("smallest first", "largest first"),
        frozenset({"small"}),
        written=lambda one: "{}×{}".format(*one.measured.size),
    ),
    Column(
        "sharpness",
        "Sharpness",
        "At the training size: about 100 for a sharp image, 30 for a blurred one.",
        lambda one: one.at_training.sharpness,
        ("blurriest first", "sharpest first"),
        frozenset({"blurry", "soft"}),
    ),
    Column(
        "steadiness",
        "Steadiness",
        "How equal the sharpness is in all directions: 100 for an image without motion blur.",
        lambda one: one.at_training.steadiness,
        ("most motion blur first", "steadiest first"),
        frozenset({"motion_blur"}),
    ),
    Column(
        "noise",
        "Noise",
        "Noise in the calmest parts, in levels of 255.",
        lambda one: one.at_training.noise,
        ("most noise first", "least noise first"),
        frozenset({"noise"}),
        low_is_bad=False,
        digits=1,
    ),
    Column(
        "blocks",
        "Blocks",
        "Height of the steps that strong JPEG compression leaves, in levels of 255.",
        lambda one: one.at_training.blocks,
        ("most JPEG blocks first", "fewest JPEG blocks first"),
        frozenset({"jpeg_blocks"}),
        low_is_bad=False,
        digits=1,
    ),
    Column(
        "brightness",
        "Brightness",
        "The median brightness, of 100.",
        lambda one: 100 * one.measured.measures.exposure.median,
        ("darkest first", "brightest first"),
        frozenset({"dark", "bright"}),
    ),
    Column(
        "contrast",
        "Contrast",
        "How far apart the darkest and the lightest parts are, of 100.",
        lambda one: 100 * (one.measured.measures.exposure.lightest - one.measured.measures.exposure.darkest),
        ("least contrast first", "most contrast first"),
        frozenset({"low_contrast"}),
    ),
    Column(
        "text",
        "Text",
        "The part of the image that its largest text covers, in thousandths.",
        lambda one: one.measured.measures.text,
        ("most text first", "least text first"),
        frozenset({"text"}),
        low_is_bad=False,
        digits=1,
    ),
)
_BY_KEY = {column.key: column for column in COLUMNS}
_BY_ORDER = {order: column for column in COLUMNS for order in column.orders}

BY_NAME, WORST_FIRST, TOGETHER = "by name", "most issues first", "near-duplicates together"
ORDERS = (BY_NAME, WORST_FIRST, TOGETHER, *_BY_ORDER)
"""Names of all orders."""
OTHER_HEADERS = {"name": BY_NAME, "group": TOGETHER, "issues": WORST_FIRST}
"""Columns that are not measures, with their orders."""


def ordered(images: Iterable[ListedImage], order: str) -> list[ListedImage]:
    """Sort images by the name of an order; equal ones, and all of them in an unknown order, keep their places."""
    key = _key(order)
    return sorted(images, key=lambda image: key(image.inspected))


def next_order(order: str, key: str) -> str:
    """Return the order after a click on a column header: worst first, and the reverse on the next click.

    An unknown key changes nothing.
    """
    if key not in _BY_KEY:
        return OTHER_HEADERS.get(key, order)
    first, second = _BY_KEY[key].orders
    return second if order == first else first


def direction(order: str, key: str) -> str:
    """Return how an order sorts a column, as a value of ``aria-sort``; empty where it sorts by another column."""
    if order == OTHER_HEADERS.get(key):
        return "ascending"
    column = _BY_ORDER.get(order)
    if column is None or column.key != key:
        return ""
    return "ascending" if _ascends(column, order) else "descending"


def _ascends(column: Column, order: str) -> bool:
    return (order == column.orders[0]) == column.low_is_bad


def _key(order: str) -> Callable[[InspectedImage], tuple[float, ...]]:
    if order == WORST_FIRST:
        return _issue_counts
    if order == TOGETHER:
        return lambda one: (not one.group, one.group, one.has("duplicate"))
    column = _BY_ORDER.get(order)
    if column is None:
        return lambda _: ()
    value, sign = column.value, 1 if _ascends(column, order) else -1
    return lambda one: (sign * value(one),)


def _issue_counts(one: InspectedImage) -> tuple[float, ...]:
    advice = [issue.advice for issue in one.issues]
    return -advice.count("exclude"), -advice.count("fix")
