"""Changes to all listed captions at once, computed for a preview."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.lazy import lazy
from lib_ti.prep.captions import tags
from lib_ti.prep.captions.search import Search
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.prep.captions import bulk_edits, caption_set
    from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet
else:
    bulk_edits = lazy("lib_ti.prep.captions.bulk_edits")
    caption_set = lazy("lib_ti.prep.captions.caption_set")

_Change = Callable[[str, str], str]
TAG_ACTIONS: Mapping[str, _Change] = MappingProxyType(
    {
        "Add at the end": tags.add,
        "Add at the front": lambda text, tag_list: tags.add(text, tag_list, "front"),
        "Remove": tags.remove,
        "Move to the front": lambda text, tag_list: tags.move(text, tag_list, "front"),
        "Move to the end": lambda text, tag_list: tags.move(text, tag_list, "back"),
    }
)
"""Actions that need tags."""
DUPLICATES, SORT, SORT_BY_COUNT = "Remove duplicates", "Sort by alphabet", "Sort by frequency"
ACTIONS = (*TAG_ACTIONS, DUPLICATES, SORT, SORT_BY_COUNT)


def replacement(captions: CaptionSet, names: Iterable[str], search: Search, by: str) -> CaptionEdit:
    """Replace every match in the captions of some images.

    Raises
    ------
    BadInput
        When the search or the replacement is not valid, or nothing would change.
    """
    new = bulk_edits.replacements(captions, names, search, by)
    if not new:
        raise BadInput(
            f"Nothing would change: {quoted(search.words)} is not in the listed captions, or replaced by itself."
        )
    return _edit(captions, new, f"replace “{search.words}” by “{by}”" if by else f"remove “{search.words}”")


def tag_change(captions: CaptionSet, names: Iterable[str], action: str, tag_list: str) -> CaptionEdit:
    """Change the captions of some images as lists of tags.

    Raises
    ------
    BadInput
        When tags are missing, or nothing would change.
    """
    if action not in ACTIONS:
        raise BadInput(f"There is no tag action {quoted(action)}; choose one of {', '.join(ACTIONS)}.")
    if action in TAG_ACTIONS and not tags.split(tag_list):
        raise BadInput(f"“{action}” needs tags: enter them into the field Tags, comma-separated.")
    new = bulk_edits.changes(captions, names, _change(captions, action, tag_list))
    if not new:
        raise BadInput("Nothing would change: the listed captions already have this form.")
    return _edit(captions, new, f"{action.lower()}: {tag_list.strip()}" if action in TAG_ACTIONS else action.lower())


def _change(captions: CaptionSet, action: str, tag_list: str) -> Callable[[str], str]:
    if action in TAG_ACTIONS:
        return lambda text: TAG_ACTIONS[action](text, tag_list)
    if action == DUPLICATES:
        return tags.deduplicate
    counts = tags.frequency(captions.texts.values()) if action == SORT_BY_COUNT else None
    return lambda text: tags.sort(text, counts)


def _edit(captions: CaptionSet, new: Mapping[str, str], label: str) -> CaptionEdit:
    return caption_set.CaptionEdit(label, {name: captions.texts[name] for name in new}, new)
