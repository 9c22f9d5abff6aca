"""What is measured of the pictures, in words: columns of a table, and the orders that pictures can be shown in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib_ti.prep.inspect.report import InspectedImage
    from lib_ti.ui.dataset.look_work import Seen


@dataclass(frozen=True)
class Column:
    """A measure of a picture.

    ``orders`` are what its two orders are called, the one that begins with the trouble before the other; ``low_is_bad``
    says which end that is. ``kinds`` are the badges that speak of it. ``written`` is for what is more than a number.
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
        "Width × height in pixels, sorted by how large that is for the training size.",
        lambda one: one.at_training.downscaling / one.at_training.upscaling,
        ("smallest first", "largest first"),
        frozenset({"small"}),
        written=lambda one: "{}×{}".format(*one.measured.size),
    ),
    Column(
        "sharpness",
        "Sharpness",
        "At the training size: about 100 in a sharp picture, 30 in a blurred one.",
        lambda one: one.at_training.sharpness,
        ("blurriest first", "sharpest first"),
        frozenset({"blurry", "soft"}),
    ),
    Column(
        "steadiness",
        "Steadiness",
        "How alike the sharpness is in all directions: 100 in a steady picture.",
        lambda one: one.at_training.steadiness,
        ("most shaken first", "steadiest first"),
        frozenset({"motion_blur"}),
    ),
    Column(
        "grain",
        "Grain",
        "Noise in the calmest parts, in levels of 255.",
        lambda one: one.at_training.noise,
        ("grainiest first", "least grain first"),
        frozenset({"noise"}),
        low_is_bad=False,
        digits=1,
    ),
    Column(
        "blocks",
        "Blocks",
        "Steps that strong JPEG compression leaves, in levels of 255.",
        lambda one: one.at_training.blocks,
        ("most JPEG blocks first", "fewest JPEG blocks first"),
        frozenset({"jpeg_blocks"}),
        low_is_bad=False,
        digits=1,
    ),
    Column(
        "brightness",
        "Brightness",
        "What half of the picture is under, of 100.",
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
        "lettering",
        "Lettering",
        "The share of the picture that a piece of lettering covers, in thousandths.",
        lambda one: one.measured.measures.text,
        ("most lettering first", "least lettering first"),
        frozenset({"text"}),
        low_is_bad=False,
        digits=1,
    ),
)
_BY_KEY = {column.key: column for column in COLUMNS}
_BY_ORDER = {order: column for column in COLUMNS for order in column.orders}

BY_NAME, WORST_FIRST, TOGETHER = "by name", "most against them first", "near-duplicates together"
ORDERS = (BY_NAME, WORST_FIRST, TOGETHER, *_BY_ORDER)
"""All orders, by what they are called."""
OTHER_HEADS = {"name": BY_NAME, "group": TOGETHER, "badges": WORST_FIRST}
"""Columns of what is no measure, with their orders."""


def ordered(pictures: Iterable[Seen], order: str) -> list[Seen]:
    """The pictures in an order; those that are equal in it, and all in an unknown one, stay as they were."""
    key = _key(order)
    return sorted(pictures, key=lambda seen: key(seen.judged))


def turned(order: str, key: str) -> str:
    """The order after a press on the head of a column: trouble first, and its reverse when pressed again.

    An unknown key changes nothing.
    """
    if key not in _BY_KEY:
        return OTHER_HEADS.get(key, order)
    first, second = _BY_KEY[key].orders
    return second if order == first else first


def direction(order: str, key: str) -> str:
    """Whether that order sorts by that column, in the words of ``aria-sort``: ascending, descending, or empty."""
    if order == OTHER_HEADS.get(key):
        return "ascending"
    column = _BY_ORDER.get(order)
    if column is None or column.key != key:
        return ""
    return "ascending" if _ascends(column, order) else "descending"


def _ascends(column: Column, order: str) -> bool:
    return (order == column.orders[0]) == column.low_is_bad


def _key(order: str) -> Callable[[InspectedImage], tuple[float, ...]]:
    if order == WORST_FIRST:
        return _against
    if order == TOGETHER:
        return lambda one: (not one.group, one.group, one.has("duplicate"))
    column = _BY_ORDER.get(order)
    if column is None:
        return lambda _: ()
    value, sign = column.value, 1 if _ascends(column, order) else -1
    return lambda one: (sign * value(one),)


def _against(one: InspectedImage) -> tuple[float, ...]:
    advice = [issue.advice for issue in one.issues]
    return -advice.count("exclude"), -advice.count("fix")
