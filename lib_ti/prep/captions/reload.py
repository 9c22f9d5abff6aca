"""Reload captions that are being edited: changes by other programs are adopted, and unsaved texts stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet, load


@dataclass(frozen=True)
class ReloadedCaptions:
    """``lost`` has the unsaved texts whose images no longer exist, by the images' names."""

    captions: CaptionSet
    lost: Mapping[str, str]


def reload(captions: CaptionSet) -> ReloadedCaptions:
    """Return the captions of the folder as it is now, with the unsaved texts, and the edits that can be undone.

    An unsaved text stays in conflict with what others wrote meanwhile, which saving reports. Edits that can be undone
    forget the captions that others changed.

    Raises
    ------
    BadInput
        When the folder cannot be listed, or no longer has an image.
    """
    fresh = load(captions.folder)
    unsaved = {name for name in captions.changed if name in fresh.texts and captions.texts[name] != fresh.texts[name]}
    ours = unsaved | {
        name
        for name, found in fresh.on_disk.items()
        if name in captions.on_disk and captions.on_disk[name].digest == found.digest
    }
    merged = replace(
        fresh,
        texts={name: captions.texts[name] if name in unsaved else text for name, text in fresh.texts.items()},
        on_disk={name: captions.on_disk[name] if name in unsaved else found for name, found in fresh.on_disk.items()},
        done=_limited_to(ours, captions.done),
        undone=_limited_to(ours, captions.undone),
    )
    return ReloadedCaptions(
        merged, {name: captions.texts[name] for name in captions.changed if name not in fresh.texts}
    )


def _limited_to(names: Set[str], edits: Iterable[CaptionEdit]) -> tuple[CaptionEdit, ...]:
    """Return what edits did to these images."""
    kept = (CaptionEdit(edit.label, _only(edit.before, names), _only(edit.after, names)) for edit in edits)
    return tuple(edit for edit in kept if edit.after)


def _only(texts: Mapping[str, str], names: Set[str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name in names}
