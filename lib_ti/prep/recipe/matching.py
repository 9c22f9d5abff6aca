"""Which wanted result is which earlier one, so that it keeps its name, its caption and what was changed in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from lib_ti.prep.crop_box import WHOLE
from lib_ti.prep.manifest import Result
from lib_ti.prep.recipe.result_specs import Wanted


def match(wanted: Sequence[Wanted], earlier: Iterable[Result]) -> list[Result | None]:
    """For each wanted result the earlier one that it goes on with, or None; each is given to one at most.

    Equal ones first. Then, of the same picture file by content, else by name, and mirrored or not alike: the default
    frame goes on with the default frame, and others with the one that they overlap most.
    """
    left = {id(one): one for one in earlier}
    found: list[Result | None] = [None] * len(wanted)

    def pair(key_of_wanted: Callable[[Wanted], Hashable], key_of_earlier: Callable[[Result], Hashable]) -> None:
        groups: dict[Hashable, list[Result]] = defaultdict(list)
        for one in left.values():
            groups[key_of_earlier(one)].append(one)
        candidates = [
            (_likeness(one, other), -index, other)
            for index, one in enumerate(wanted)
            if found[index] is None
            for other in groups[key_of_wanted(one)]
        ]
        for likeness, minus_index, other in sorted(candidates, key=lambda each: each[:2], reverse=True):
            if likeness > 0 and found[-minus_index] is None and id(other) in left:
                found[-minus_index] = left.pop(id(other))

    pair(lambda one: one.key, lambda other: other.key)
    pair(lambda one: (one.item.digest, one.flipped), lambda other: (other.source_digest, other.flipped))
    pair(lambda one: (one.item.name, one.flipped), lambda other: (other.source, other.flipped))
    return found


def _likeness(one: Wanted, other: Result) -> float:
    if one.key == other.key:
        return 2.0
    if one.automatic and other.automatic:
        return 1.0
    return (one.frame or WHOLE).overlap(other.frame or WHOLE)
