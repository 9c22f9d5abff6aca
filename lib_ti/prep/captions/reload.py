"""Captions that are being edited, read anew: what others changed is taken over, and what is not saved stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from lib_ti.prep.captions.caption_set import CaptionSet, Step, load


@dataclass(frozen=True)
class Reloaded:
    """``gone`` has the texts that were not saved and whose pictures are no longer there, by the pictures' names."""

    captions: CaptionSet
    gone: Mapping[str, str]


def reload(captions: CaptionSet) -> Reloaded:
    """The captions of the folder as it is now, with the texts that were not saved, and edits that can be undone.

    A text that was not saved stays in conflict with what others wrote meanwhile, which saving tells. Of steps that can
    be undone, what they did to captions that others changed is forgotten.

    Raises
    ------
    BadInput
        When the folder cannot be listed, or holds no picture any more.
    """
    fresh = load(captions.folder)
    unsaved = {name for name in captions.changed if name in fresh.texts and captions.texts[name] != fresh.texts[name]}
    ours = unsaved | {
        name
        for name, found in fresh.on_disk.items()
        if name in captions.on_disk and captions.on_disk[name].digest == found.digest
    }
    renewed = replace(
        fresh,
        texts={name: captions.texts[name] if name in unsaved else text for name, text in fresh.texts.items()},
        on_disk={name: captions.on_disk[name] if name in unsaved else found for name, found in fresh.on_disk.items()},
        done=_within(captions.done, ours),
        undone=_within(captions.undone, ours),
    )
    return Reloaded(renewed, {name: captions.texts[name] for name in captions.changed if name not in fresh.texts})


def _within(steps: Iterable[Step], names: Set[str]) -> tuple[Step, ...]:
    """What steps did to these pictures."""
    kept = (Step(step.label, _only(step.before, names), _only(step.after, names)) for step in steps)
    return tuple(step for step in kept if step.after)


def _only(texts: Mapping[str, str], names: Set[str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name in names}
