"""What the step Captions shows: the picture with its caption, the list, what is not saved, and changes before they are
made. Plain values to HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.ui.dataset.captions_work import Room
from lib_ti.ui.html.fragments import bar, escape, figure, folded, hint, notice
from lib_ti.ui.server.image_addresses import LARGE, address

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet, Conflict
    from lib_ti.prep.captions.captioning import CaptioningResult
    from lib_ti.prep.captions.token_budget import CaptionLength
    from lib_ti.ui.dataset.captions_editing import Editor

_MOST_CHANGES = 100
_MOST_COUNTED = 120
_MOST_TOLD = 20
_UNSAVED = '<span class="ti-changed" title="not saved">●</span> '
_EXCLUDED = '<i class="ti-excluded">excluded</i> '
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def written(done: CaptioningResult) -> str:
    """What captioning did."""
    first, *others = done.describe()
    return notice("good", [first]) + notice("warning", others)


def picture(path: Path, following: Path | None) -> str:
    """The picture, and the next one unseen, so that it is there at once."""
    ahead = "" if following is None else f'<img class="ti-ahead" src="{escape(address(following, LARGE))}" alt="">'
    return figure(path, path.name, source=address(path, LARGE), classes="ti-captioned") + ahead


def length(found: CaptionLength, room: Room) -> str:
    """How long a caption is, and which part of it is beyond what is read as one whole."""
    taken = f"; {room.embedding} takes {CHUNK - room.tokens} of {CHUNK}" if room.embedding else ""
    shown = bar(found.tokens / max(1, room.tokens), f"{found.tokens} of {room.tokens} tokens{taken}")
    if not found.beyond:
        return shown
    marked = f'<p class="ti-read">{escape(found.within)}<mark>{escape(found.beyond)}</mark></p>'
    return shown + notice("warning", ["It is longer than is read as one whole; the marked end is read apart."]) + marked


def rows(captions: CaptionSet, names: Sequence[str], current: str, tokens: Callable[[str], int], room: int) -> str:
    """The captions of some pictures, one of which is open, each with its number of tokens; marked are excluded ones."""
    total = "1 picture" if len(captions.texts) == 1 else f"{len(captions.texts)} pictures"
    count = total if len(names) == len(captions.texts) else f"{len(names)} of {total}"
    issues = dict.fromkeys(captions.changed, _UNSAVED)
    for name in _excluded(captions.folder):
        issues[name] = issues.get(name, "") + _EXCLUDED
    items = (
        _row(captions, name, tokens(captions.texts[name]), room, open_now=name == current, issues=issues.get(name, ""))
        for name in names
    )
    return hint(count) + (f'<ol class="ti-captions">{"".join(items)}</ol>' if names else "")


def _excluded(folder: Path) -> frozenset[str]:
    """File names of excluded images; none where that cannot be read, which the step Prepare says."""
    from lib_ti.data.preparations import exclusions

    try:
        return exclusions(folder).names
    except BadInput:
        return frozenset()


def _row(captions: CaptionSet, name: str, tokens: int, room: int, *, open_now: bool, issues: str) -> str:
    text = escape(captions.texts[name]) or "<i>no caption</i>"
    named = " <i>(file name)</i>" if captions.on_disk[name].source == "name" and _UNSAVED not in issues else ""
    current = ' aria-current="true"' if open_now else ""
    over = ' class="ti-over" title="longer than is read as one whole"' if tokens > room else ""
    return (
        f'<li><button type="button" data-name="{escape(name)}"{current}>'
        f'<img src="{escape(address(captions.folder / name))}" alt="" loading="lazy">'
        f"<span><b>{issues}{escape(name)}</b><span>{text}{named}</span></span><small{over}>{tokens}</small></button></li>"
    )


def state(editor: Editor) -> str:
    """What is not saved, what Undo and Redo would do, and what could not be saved."""
    captions = editor.captions
    count = len(captions.changed)
    said = "Everything is saved." if not count else f"{_captions(count)} not saved."
    shown = f'<p class="ti-unsaved" data-unsaved="{count}">{said}</p>'
    steps = [(word, steps[-1]) for word, steps in (("Undo", captions.done), ("Redo", captions.undone)) if steps]
    shown += "".join(hint(f"{word}: {_described(step)}") for word, step in steps)
    shown += notice("error", _first([f"{one.shown}: {one.reason}." for one in editor.failed]))
    return shown + _conflicts(editor.conflicts)


def _described(step: CaptionEdit) -> str:
    return step.label if len(step.after) == 1 else f"{step.label} ({len(step.after)} captions)"


def _captions(count: int) -> str:
    return "1 caption is" if count == 1 else f"{count} captions are"


def _conflicts(found: Sequence[Conflict]) -> str:
    if not found:
        return ""
    count = "1 caption was" if len(found) == 1 else f"{len(found)} captions were"
    said = (
        f"{count} changed on disk meanwhile, by another program. Keep what is here, or take what is on disk; what is "
        "replaced stays in the folder .captions-before."
    )
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.ours)}</td><td>{escape(one.theirs)}</td></tr>"
        for one in found[:_MOST_TOLD]
    )
    head = "<tr><th>Picture</th><th>Here</th><th>On disk</th></tr>"
    more = hint(f"… and {len(found) - _MOST_TOLD} more.") if len(found) > _MOST_TOLD else ""
    return notice("warning", [said]) + f'<table class="ti-table ti-conflicts">{head}{rows}</table>{more}'


def _first(sentences: Sequence[str]) -> Sequence[str]:
    more = len(sentences) - _MOST_TOLD
    return sentences if more <= 0 else [*sentences[:_MOST_TOLD], f"… and {more} more."]


def changes(step: CaptionEdit) -> str:
    """What a step would change, with what goes and what comes marked."""
    count = len(step.after)
    shown = islice(step.after.items(), _MOST_CHANGES)
    rows = "".join(f"<li><b>{escape(name)}</b> {difference(step.before[name], after)}</li>" for name, after in shown)
    more = hint(f"… and {count - _MOST_CHANGES} more.") if count > _MOST_CHANGES else ""
    head = "1 caption would change" if count == 1 else f"{count} captions would change"
    return f'<div class="ti-changes">{hint(f"{head}: {step.label}.")}<ul>{rows}</ul>{more}</div>'


def difference(before: str, after: str) -> str:
    """Both texts in one, word by word: what is only in the first is crossed out, what is only in the second marked."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    parts = []
    for kind, first, last, from_, to in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(escape("".join(old[first:last])))
            continue
        if first < last:
            parts.append(f"<del>{escape(''.join(old[first:last]))}</del>")
        if from_ < to:
            parts.append(f"<ins>{escape(''.join(new[from_:to]))}</ins>")
    return "".join(parts)


def counts(found: Mapping[str, int]) -> str:
    """In how many captions each tag or word is; a click looks for it."""
    shown = "".join(
        f'<button type="button" data-find="{escape(words)}">{escape(words)} <small>{count}</small></button>'
        for words, count in islice(found.items(), _MOST_COUNTED)
    )
    more = hint(f"… and {len(found) - _MOST_COUNTED} more.") if len(found) > _MOST_COUNTED else ""
    return f'<div class="ti-counts">{shown}</div>{more}' if shown else hint("There is no caption yet.")


def hints(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return folded("What should a caption say?", f"<ul>{items}</ul>")
