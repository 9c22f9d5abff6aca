"""Match results to be made with earlier ones, so that they keep their names, captions and manual changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from lib_ti.prep.crop_box import WHOLE
from lib_ti.prep.manifest import Result
from lib_ti.prep.recipe.result_specs import ResultSpec


def match(specs: Sequence[ResultSpec], earlier: Iterable[Result]) -> list[Result | None]:
    """Return for each spec the earlier result that it continues, or None; each is used once at most.

    Equal ones are matched first. Then, of the same image file by content, else by name, both flipped or both not: the
    default crop box continues the default one, and others continue the one that they overlap most.
    """
    remaining = {id(one): one for one in earlier}
    found: list[Result | None] = [None] * len(specs)

    def pair(key_of_spec: Callable[[ResultSpec], Hashable], key_of_earlier: Callable[[Result], Hashable]) -> None:
        groups: dict[Hashable, list[Result]] = defaultdict(list)
        for one in remaining.values():
            groups[key_of_earlier(one)].append(one)
        candidates = [
            (_similarity(spec, other), -index, other)
            for index, spec in enumerate(specs)
            if found[index] is None
            for other in groups[key_of_spec(spec)]
        ]
        for similarity, minus_index, other in sorted(candidates, key=lambda each: each[:2], reverse=True):
            if similarity > 0 and found[-minus_index] is None and id(other) in remaining:
                found[-minus_index] = remaining.pop(id(other))

    pair(lambda spec: spec.key, lambda other: other.key)
    pair(lambda spec: (spec.item.digest, spec.flipped), lambda other: (other.source_digest, other.flipped))
    pair(lambda spec: (spec.item.name, spec.flipped), lambda other: (other.source, other.flipped))
    return found


def _similarity(spec: ResultSpec, other: Result) -> float:
    if spec.key == other.key:
        return 2.0
    if spec.automatic and other.automatic:
        return 1.0
    return (spec.crop_box or WHOLE).overlap(other.crop_box or WHOLE)
