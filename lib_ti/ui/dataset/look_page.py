"""What the step Look over shows: advice, what was found how often, and the pictures in one of three layouts.

``javascript/ti_look.js`` makes switches, words and heads of columns answer to a press, and shows pictures large.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from lib_ti.ui.dataset.look_columns import COLUMNS, direction, turned
from lib_ti.ui.dataset.look_query import BESIDE, TABLE, WORDS, Query, counts
from lib_ti.ui.html.fragments import Kind, answer, escape, findings, folded, hint, notice
from lib_ti.ui.server.image_addresses import LARGE, THUMBNAIL, address

if TYPE_CHECKING:
    from lib_ti.prep.inspect.issues import Issue
    from lib_ti.prep.inspect.report import InspectionReport
    from lib_ti.ui.dataset.look_view import View
    from lib_ti.ui.dataset.look_work import Seen

_COMPARED = 512
"""Longest side in pixels of pictures that are compared side by side."""
_ENDS = {"exclude": "out", "fix": "fix", "note": "note"}
"""Ends of the classes of badges, by their advice."""
_HEADS = {"name": "Name", "badges": "Badges", "group": "Group"}


def summary(view: View) -> str:
    """Advice for the whole set, and all words that pictures can be found by, with how many each finds."""
    report = view.report
    shown = notice("info", [view.remark]) + _advice(report) + notice("info", report.remarks)
    return shown + _words(view) + hint(view.tally) + _skipped(report)


def pictures(view: View) -> str:
    """The pictures that are asked for."""
    layouts = {TABLE: _table, BESIDE: _side_by_side}
    shown = layouts.get(view.asked.layout, _gallery)(view) if view.shown else _nothing(view)
    # Named anew each time: the same text as before would not replace what a page has made of it.
    return f'<div class="ti-look" data-place="{view.looked.place}" data-made="{time.time_ns()}">{shown}</div>'


def kept(number: str) -> str:
    """The answer to the page's message of that number, once its decisions are written."""
    return answer(number, hint("Saved."))


def refused(number: str, problem: str) -> str:
    """A box that says why the page's message of that number was not kept."""
    return answer(number, problem, failed=True)


def _advice(report: InspectionReport) -> str:
    first, *others = report.advice
    good = bool(report.good) and not report.suggested_exclusions
    kind: Kind = "good" if good else "info"
    lines = findings([(kind, first), *(("info", line) for line in others)])
    return f'<div class="ti-notice ti-{kind}">{lines}</div>'


def _words(view: View) -> str:
    """Each word as a button; it adds the word to the search, or takes it out."""
    query, found = Query.of(view.asked.find), counts(view.pictures)
    parts = [_word("all", len(view.pictures), Query(), pressed=not query.terms)]
    for sort, words in WORDS.items():
        listed = [
            _word(word, found[word], query.turned(word), pressed=query.has(word))
            for word in words
            if found[word] or query.has(word)
        ]
        parts.append(f'<span class="ti-look-{sort}">{"".join(listed)}</span>' if listed else "")
    return f'<div class="ti-look-words" role="group" aria-label="Show only">{"".join(parts)}</div>'


def _word(word: str, count: int, wanted: Query, *, pressed: bool) -> str:
    state = "true" if pressed else "false"
    return (
        f'<button type="button" class="ti-look-word" data-word="{escape(word)}" data-find="{escape(wanted)}" '
        f'aria-pressed="{state}">{escape(word)} <b>{count}</b></button>'
    )


def _skipped(report: InspectionReport) -> str:
    lines = findings(("warning", f"{one.shown} cannot be used: {one.reason}.") for one in report.skipped)
    return folded(f"Files that cannot be used ({len(report.skipped)})", lines)


def _nothing(view: View) -> str:
    if not view.pictures:
        return ""
    asked = view.asked.find.strip()
    if view.asked.layout == BESIDE:
        whose = f"of the pictures that fit “{asked}” " if asked else ""
        return hint(f"No two {whose}show the same. “Near-duplicates from”, in the thresholds, says how alike is alike.")
    words = ", ".join(word for words in WORDS.values() for word in words)
    return hint(
        f"No picture fits “{asked}”. What can be asked for: {words}; group and its number; or a part of a file's name."
    )


def _gallery(view: View) -> str:
    return f'<div class="ti-look-gallery">{"".join(map(_card, view.shown))}</div>'


def _card(seen: Seen, size: int = THUMBNAIL, more: str = "") -> str:
    width, height = seen.judged.measured.size
    name = escape(seen.name)
    return (
        f'<figure class="{_classes(seen)}" data-digest="{seen.digest}" data-name="{name}">{_picture(seen, size)}'
        f'<figcaption><span class="ti-look-name" title="{name}">{name}</span>'
        f'<span class="ti-hint">{width}×{height}</span></figcaption>'
        f'<div class="ti-look-badges">{_badges(seen)}</div>'
        f'<div class="ti-look-use">{_switch(seen)}{more}</div></figure>'
    )


def _classes(seen: Seen) -> str:
    return "ti-seen ti-left-out" if seen.excluded or seen.copy_of else "ti-seen"


def _picture(seen: Seen, size: int = THUMBNAIL) -> str:
    """A small picture that leads to a large one."""
    path = seen.judged.measured.path
    facts = ", ".join(f"{column.title.lower()} {column.text(seen.judged)}" for column in COLUMNS[1:])
    return (
        f'<a href="{escape(address(path, LARGE))}" target="_blank" title="{facts}">'
        f'<img src="{escape(address(path, size))}" alt="{escape(seen.name)}" loading="lazy" decoding="async"></a>'
    )


def _badges(seen: Seen, *, group: bool = True) -> str:
    shown = "".join(map(_badge, seen.judged.issues))
    number = seen.judged.group
    if group and number:
        which = "" if seen.judged.has("duplicate") else "best of "
        shown += (
            f'<button type="button" class="ti-badge ti-badge-group" data-find="group {number}" '
            f'title="Show all near-duplicates of this picture">{which}group {number}</button>'
        )
    return shown


def _badge(issue: Issue) -> str:
    kind = _ENDS[issue.advice]
    return f'<span class="ti-badge ti-badge-{kind}" title="{escape(issue.text)}">{escape(issue.label)}</span>'


def _switch(seen: Seen) -> str:
    """Whether the picture is used; what the switch says comes from the style sheet, by its state."""
    if seen.copy_of:
        return f'<span class="ti-hint">The same file as {escape(seen.copy_of)}; used once.</span>'
    state = "false" if seen.excluded else "true"
    return (
        f'<button type="button" role="switch" class="ti-switch" aria-checked="{state}" '
        f'aria-label="Use {escape(seen.name)}"></button>'
    )


def _table(view: View) -> str:
    heads = [_head("name", "", view), *(_head(column.key, column.help, view) for column in COLUMNS)]
    heads += [_head("group", "The number of the group of near-duplicates.", view), _head("badges", "", view)]
    rows = "".join(map(_row, view.shown))
    return (
        '<div class="ti-look-scroll"><table class="ti-look-table"><thead><tr><th scope="col">Picture</th>'
        f'{"".join(heads)}<th scope="col">Use</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _head(key: str, help: str, view: View) -> str:
    title = _HEADS.get(key) or next(column.title for column in COLUMNS if column.key == key)
    sorted_now = direction(view.asked.order, key)
    state = f' aria-sort="{sorted_now}"' if sorted_now else ""
    meant = f"{help} Press for: {turned(view.asked.order, key)}.".strip()
    return (
        f'<th scope="col"{state}><button type="button" data-sort="{key}" title="{escape(meant)}">{title}</button></th>'
    )


def _row(seen: Seen) -> str:
    name, group = escape(seen.name), seen.judged.group or ""
    cells = "".join(_cell(seen, column.text(seen.judged), column.kinds) for column in COLUMNS)
    return (
        f'<tr class="{_classes(seen)}" data-digest="{seen.digest}" data-name="{name}"><td>{_picture(seen)}</td>'
        f'<th scope="row" class="ti-look-name">{name}</th>{cells}<td>{group}</td>'
        f'<td><div class="ti-look-badges">{_badges(seen, group=False)}</div></td><td>{_switch(seen)}</td></tr>'
    )


def _cell(seen: Seen, text: str, kinds: frozenset[str]) -> str:
    """A number, marked where a badge speaks of it."""
    about = [issue for issue in seen.judged.issues if issue.kind in kinds]
    marked = f' class="ti-marked-{_ENDS[about[0].advice]}"' if about else ""
    return f"<td{marked}>{text}</td>"


def _side_by_side(view: View) -> str:
    groups = groupby(view.shown, key=lambda seen: seen.judged.group)
    return "".join(_group(number, list(members)) for number, members in groups)


def _group(number: int, members: Sequence[Seen]) -> str:
    cards = "".join(_card(seen, _COMPARED, _only(seen, members)) for seen in members)
    title = f"Group {number}: {len(members)} pictures that show the same"
    return f'<section class="ti-look-group"><h4>{title}</h4><div class="ti-look-beside">{cards}</div></section>'


def _only(seen: Seen, members: Iterable[Seen]) -> str:
    if seen.copy_of or all(one.digest == seen.digest for one in members):
        return ""
    return '<button type="button" class="ti-look-only">Use only this one</button>'
