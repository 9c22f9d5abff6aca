"""Changes to all listed captions at once, found without being made: what a page shows before they are applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.prep.captions import tags
from lib_ti.prep.captions.search import Search
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet

_Change = Callable[[str, str], str]
WITH_TAGS: Mapping[str, _Change] = MappingProxyType(
    {
        "Add at the end": tags.add,
        "Add at the front": lambda text, given: tags.add(text, given, "front"),
        "Remove": tags.remove,
        "Move to the front": lambda text, given: tags.move(text, given, "front"),
        "Move to the end": lambda text, given: tags.move(text, given, "back"),
    }
)
"""Changes that tags are named for."""
DOUBLES, SORT, SORT_BY_COUNT = "Remove doubles", "Sort by alphabet", "Sort by frequency"
ACTIONS = (*WITH_TAGS, DOUBLES, SORT, SORT_BY_COUNT)


def replacement(captions: CaptionSet, names: Iterable[str], search: Search, by: str) -> CaptionEdit:
    """Everything found in the captions of some pictures, replaced.

    Raises
    ------
    BadInput
        When the search or the replacement cannot be understood, or nothing is found.
    """
    from lib_ti.prep.captions.bulk_edits import replacements

    new = replacements(captions, names, search, by)
    if not new:
        raise BadInput(
            f"Nothing would change: {quoted(search.words)} is not in the listed captions, or is replaced by itself."
        )
    return _step(captions, new, f"replace “{search.words}” by “{by}”" if by else f"remove “{search.words}”")


def tag_change(captions: CaptionSet, names: Iterable[str], action: str, given: str) -> CaptionEdit:
    """A change of the captions of some pictures as lists of tags.

    Raises
    ------
    BadInput
        When no tag is given where some are needed, or nothing would change.
    """
    from lib_ti.prep.captions.bulk_edits import changes

    if action not in ACTIONS:
        raise BadInput(f"There is no change {quoted(action)} of tags; choose one of {', '.join(ACTIONS)}.")
    if action in WITH_TAGS and not tags.split(given):
        raise BadInput(f"“{action}” needs tags: write them into the field Tags, parted by commas.")
    new = changes(captions, names, _change(captions, action, given))
    if not new:
        raise BadInput("Nothing would change: the listed captions are like that already.")
    return _step(captions, new, f"{action.lower()}: {given.strip()}" if action in WITH_TAGS else action.lower())


def _change(captions: CaptionSet, action: str, given: str) -> Callable[[str], str]:
    if action in WITH_TAGS:
        return lambda text: WITH_TAGS[action](text, given)
    if action == DOUBLES:
        return tags.deduplicate
    counts = tags.frequency(captions.texts.values()) if action == SORT_BY_COUNT else None
    return lambda text: tags.sort(text, counts)


def _step(captions: CaptionSet, new: Mapping[str, str], label: str) -> CaptionEdit:
    from lib_ti.prep.captions.caption_set import CaptionEdit

    return CaptionEdit(label, {name: captions.texts[name] for name in new}, new)
