"""HTML of the step Captions: the image, the length of its caption, the list, what is not saved, and previews of
changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from lib_ti.data.preparations import exclusions
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.ui.dataset.captions.service import TokenBudget
from lib_ti.ui.html.fragments import bar, escape, folded, hint, notice
from lib_ti.ui.html.tile import EXCLUDED_MARK
from lib_ti.ui.html.viewer import viewed
from lib_ti.ui.server.image_addresses import LARGE, address

if TYPE_CHECKING:
    from lib_ti.prep.captions.caption_set import CaptionEdit, CaptionSet, Conflict
    from lib_ti.prep.captions.captioning import CaptioningResult
    from lib_ti.prep.captions.token_budget import CaptionLength
    from lib_ti.ui.dataset.captions.state import Editor

_MOST_CHANGES = 100
_MOST_COUNTED = 120
_MOST_LISTED = 20
_UNSAVED = '<span class="ti-changed" title="not saved">●</span> '
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def captioning_result(done: CaptioningResult) -> str:
    first, *others = done.describe()
    return notice("good", [first]) + notice("warning", others)


def image(path: Path, following: Path | None) -> str:
    """The image, and the next one hidden, so that it is already loaded."""
    ahead = "" if following is None else f'<img class="ti-ahead" src="{escape(address(following, LARGE))}" alt="">'
    return viewed(path, path.name, group="captions", size=LARGE, classes="ti-captioned") + ahead


def length(found: CaptionLength, budget: TokenBudget) -> str:
    """Number of tokens of a caption, and the part that does not fit into one context."""
    taken = f"; {budget.embedding} takes {CHUNK - budget.tokens} of {CHUNK}" if budget.embedding else ""
    shown = bar(found.tokens / max(1, budget.tokens), f"{found.tokens} of {budget.tokens} tokens{taken}")
    if not found.beyond:
        return shown
    marked = f'<p class="ti-read">{escape(found.within)}<mark>{escape(found.beyond)}</mark></p>'
    return (
        shown
        + notice("warning", ["It does not fit into one context; the highlighted end is encoded separately."])
        + marked
    )


def rows(captions: CaptionSet, names: Sequence[str], current: str, tokens: Callable[[str], int], most: int) -> str:
    """The captions of some images, one of which is open, each with its number of tokens; excluded ones are labelled."""
    total = "1 image" if len(captions.texts) == 1 else f"{len(captions.texts)} images"
    count = total if len(names) == len(captions.texts) else f"{len(names)} of {total}"
    labels = dict.fromkeys(captions.changed, _UNSAVED)
    for name in _excluded(captions.folder):
        labels[name] = labels.get(name, "") + f"{EXCLUDED_MARK} "
    items = (
        _row(captions, name, tokens(captions.texts[name]), most, open_now=name == current, labels=labels.get(name, ""))
        for name in names
    )
    return hint(count) + (f'<ol class="ti-captions">{"".join(items)}</ol>' if names else "")


def _excluded(folder: Path) -> frozenset[str]:
    """File names of excluded images; none where the manifest cannot be read, which the step Prepare reports."""
    try:
        return exclusions(folder).names
    except BadInput:
        return frozenset()


def _row(captions: CaptionSet, name: str, tokens: int, most: int, *, open_now: bool, labels: str) -> str:
    text = escape(captions.texts[name]) or "<i>no caption</i>"
    named = " <i>(file name)</i>" if captions.on_disk[name].source == "name" and _UNSAVED not in labels else ""
    current = ' aria-current="true"' if open_now else ""
    over = ' class="ti-over" title="does not fit into one context"' if tokens > most else ""
    return (
        f'<li><button type="button" data-name="{escape(name)}"{current}>'
        f'<img src="{escape(address(captions.folder / name))}" alt="" loading="lazy">'
        f"<span><b>{labels}{escape(name)}</b><span>{text}{named}</span></span><small{over}>{tokens}</small></button></li>"
    )


def state(editor: Editor) -> str:
    """Unsaved captions, and what could not be saved."""
    captions = editor.captions
    count = len(captions.changed)
    message = "Everything is saved." if not count else f"{_captions(count)} not saved."
    shown = f'<p class="ti-unsaved" data-unsaved="{count}">{message}</p>'
    shown += notice("error", _first([f"{one.shown}: {one.reason}." for one in editor.failed]))
    return shown + _conflicts(editor.conflicts)


def history(captions: CaptionSet) -> Mapping[str, str]:
    """What Undo and Redo would do, each empty for nothing."""
    edits = {"Undo": captions.done, "Redo": captions.undone}
    return {word: _described(found[-1]) if found else "" for word, found in edits.items()}


def _described(edit: CaptionEdit) -> str:
    return edit.label if len(edit.after) == 1 else f"{edit.label} ({len(edit.after)} captions)"


def _captions(count: int) -> str:
    return "1 caption is" if count == 1 else f"{count} captions are"


def _conflicts(found: Sequence[Conflict]) -> str:
    if not found:
        return ""
    count = "1 caption was" if len(found) == 1 else f"{len(found)} captions were"
    message = (
        f"{count} changed on disk by another program. Keep yours, or use the files on disk; what is replaced stays in "
        "the folder .captions-before."
    )
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.ours)}</td><td>{escape(one.theirs)}</td></tr>"
        for one in found[:_MOST_LISTED]
    )
    head = "<tr><th>Image</th><th>Yours</th><th>On disk</th></tr>"
    more = hint(f"… and {len(found) - _MOST_LISTED} more.") if len(found) > _MOST_LISTED else ""
    return notice("warning", [message]) + f'<table class="ti-table ti-conflicts">{head}{rows}</table>{more}'


def _first(sentences: Sequence[str]) -> Sequence[str]:
    more = len(sentences) - _MOST_LISTED
    return sentences if more <= 0 else [*sentences[:_MOST_LISTED], f"… and {more} more."]


def changes(edit: CaptionEdit) -> str:
    """Preview of an edit, with deletions and insertions highlighted."""
    count = len(edit.after)
    shown = islice(edit.after.items(), _MOST_CHANGES)
    rows = "".join(f"<li><b>{escape(name)}</b> {difference(edit.before[name], after)}</li>" for name, after in shown)
    more = hint(f"… and {count - _MOST_CHANGES} more.") if count > _MOST_CHANGES else ""
    head = "1 caption would change" if count == 1 else f"{count} captions would change"
    return f'<div class="ti-changes">{hint(f"{head}: {edit.label}.")}<ul>{rows}</ul>{more}</div>'


def difference(before: str, after: str) -> str:
    """Word-by-word difference of two texts: deletions are crossed out, insertions highlighted."""
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
    """Number of captions with each tag or word; a click searches for it."""
    shown = "".join(
        f'<button type="button" data-find="{escape(words)}">{escape(words)} <small>{count}</small></button>'
        for words, count in islice(found.items(), _MOST_COUNTED)
    )
    more = hint(f"… and {len(found) - _MOST_COUNTED} more.") if len(found) > _MOST_COUNTED else ""
    return f'<div class="ti-counts">{shown}</div>{more}' if shown else hint("There is no caption yet.")


def hints(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return folded("What should a caption say?", f"<ul>{items}</ul>")
