"""HTML of the step Inspect: advice, search words with counts, and the images in one of three layouts.

``javascript/ti_inspect.js`` handles clicks on switches, words and column headers, and shows the issues in the viewer;
``javascript/ti_select.js`` selects several images.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from lib_ti.ui.dataset.inspect.columns import COLUMNS, direction, next_order
from lib_ti.ui.dataset.inspect.query import SIDE_BY_SIDE, TABLE, WORDS, Query, counts
from lib_ti.ui.html.fragments import Kind, answer, escape, findings, folded, hint, keys, notice
from lib_ti.ui.html.tile import EXCLUDED_CLASS, EXCLUDED_MARK
from lib_ti.ui.html.viewer import opens_large
from lib_ti.ui.server.image_addresses import LARGE, THUMBNAIL, address

if TYPE_CHECKING:
    from lib_ti.prep.inspect.issues import Issue
    from lib_ti.prep.inspect.report import InspectionReport
    from lib_ti.ui.dataset.inspect.listing import Listing
    from lib_ti.ui.dataset.inspect.state import ListedImage

GROUP = "inspect"
"""Images that the viewer of large images turns through; its script knows this name."""
_COMPARED = 512
"""Longest side in pixels of images that are compared side by side."""
_KEYS = {
    "click": "select an image; Shift+click selects a range, Ctrl+click adds or removes one",
    "double-click, Enter": "show it large",
    "arrows": "go from image to image, with Shift selecting the range",
    "Space": "select or deselect the image",
    "Ctrl+A": "select all shown",
    "L": "exclude the selected images, or include them",
    "Esc": "clear the selection",
    "Ctrl+Z": "undo",
    "Ctrl+Shift+Z": "redo",
}
_HOW = "Click an image to select it, Shift+click for a range, Ctrl+click for several; double-click shows it large."
_SELECTION = (
    '<div class="ti-selection" role="toolbar" aria-label="Selected images" hidden><b aria-live="polite"></b>'
    '<button type="button" data-select="exclude">Exclude</button>'
    '<button type="button" data-select="include">Include</button>'
    '<button type="button" data-select="none">Clear selection</button></div>'
)
_HEADERS = {"name": "Name", "issues": "Issues", "group": "Group"}


def summary(listing: Listing) -> str:
    """Advice for the whole set, and all search words with the number of images that each finds."""
    report = listing.report
    shown = notice("info", [listing.remark]) + _advice(report) + notice("info", report.remarks)
    return shown + _words(listing) + hint(listing.tally) + _skipped(report)


def images(listing: Listing) -> str:
    """The listed images."""
    layouts = {TABLE: _table, SIDE_BY_SIDE: _side_by_side}
    shown = layouts.get(listing.request.layout, _gallery)(listing) if listing.shown else _nothing(listing)
    # With a new version each time: equal HTML would not replace what a page has changed in its own.
    folders = listing.inspection.folders_key
    more = hint(_HOW) + keys(_KEYS) + _SELECTION if listing.shown else ""
    return f'<div class="ti-inspect" data-folders="{folders}" data-version="{time.time_ns()}">{more}{shown}</div>'


def saved(number: str) -> str:
    """The answer to the page's message of that number, once its decisions are written."""
    return answer(number, hint("Saved."))


def refused(number: str, problem: str) -> str:
    """The answer that says why the page's message of that number was not saved."""
    return answer(number, problem, failed=True)


def _advice(report: InspectionReport) -> str:
    first, *others = report.advice
    good = bool(report.good) and not report.suggested_exclusions
    kind: Kind = "good" if good else "info"
    lines = findings([(kind, first), *(("info", line) for line in others)])
    return f'<div class="ti-notice ti-{kind}">{lines}</div>'


def _words(listing: Listing) -> str:
    """Each word as a button that adds it to the search, or removes it."""
    query, found = Query.of(listing.request.find), counts(listing.images)
    parts = [_word("all", len(listing.images), Query(), pressed=not query.terms)]
    for sort, words in WORDS.items():
        listed = [
            _word(word, found[word], query.toggled(word), pressed=query.has(word))
            for word in words
            if found[word] or query.has(word)
        ]
        parts.append(f'<span class="ti-inspect-{sort}">{"".join(listed)}</span>' if listed else "")
    return f'<div class="ti-inspect-words" role="group" aria-label="Show only">{"".join(parts)}</div>'


def _word(word: str, count: int, query: Query, *, pressed: bool) -> str:
    state = "true" if pressed else "false"
    return (
        f'<button type="button" class="ti-inspect-word" data-word="{escape(word)}" data-find="{escape(query)}" '
        f'aria-pressed="{state}">{escape(word)} <b>{count}</b></button>'
    )


def _skipped(report: InspectionReport) -> str:
    lines = findings(("warning", f"{one.shown} cannot be used: {one.reason}.") for one in report.skipped)
    return folded(f"Files that cannot be used ({len(report.skipped)})", lines)


def _nothing(listing: Listing) -> str:
    if not listing.images:
        return ""
    find = listing.request.find.strip()
    if listing.request.layout == SIDE_BY_SIDE:
        which = f"images that match “{find}”" if find else "images"
        return hint(
            f"No two {which} are near-duplicates. The threshold “Near-duplicates from” sets how similar they are."
        )
    words = ", ".join(word for words in WORDS.values() for word in words)
    return hint(f"No image matches “{find}”. Possible words: {words}; group and its number; or a part of a file name.")


def _gallery(listing: Listing) -> str:
    return f'<div class="ti-inspect-gallery">{"".join(map(_card, listing.shown))}</div>'


def _card(image: ListedImage, size: int = THUMBNAIL, more: str = "") -> str:
    width, height = image.inspected.measured.size
    name = escape(image.name)
    return (
        f'<figure class="{_classes(image)}" data-digest="{image.digest}" data-name="{name}">{_thumbnail(image, size)}'
        f'<figcaption><span class="ti-inspect-name" title="{name}">{name}</span>'
        f'<span class="ti-hint">{width}×{height}</span></figcaption>'
        f'{_caption(image)}<div class="ti-issues">{_issues(image)}</div>'
        f'<div class="ti-inspect-use">{_switch(image)}{more}</div></figure>'
    )


def _classes(image: ListedImage) -> str:
    return f"ti-inspected {EXCLUDED_CLASS}" if image.excluded or image.copy_of else "ti-inspected"


def _caption(image: ListedImage) -> str:
    """The caption in two lines at most; a file name says nothing that the card does not."""
    caption = image.inspected.measured.caption
    if caption.source == "name" or not caption.text:
        return ""
    text = escape(caption.text)
    return f'<p class="ti-inspect-caption" title="{text}">{text}</p>'


def _thumbnail(image: ListedImage, size: int = THUMBNAIL) -> str:
    """A thumbnail with a box to select it and a link to the large image."""
    path, name = image.inspected.measured.path, escape(image.name)
    facts = ", ".join(f"{column.title.lower()} {column.text(image.inspected)}" for column in COLUMNS[1:])
    box = "" if image.copy_of else f'<input type="checkbox" class="ti-select" aria-label="Select {name}">'
    return (
        f'<div class="ti-thumbnail"><img src="{escape(address(path, size))}" alt="{name}" title="{facts}" '
        f'loading="lazy" decoding="async">{EXCLUDED_MARK}{box}<a class="ti-zoom" href="{escape(address(path, LARGE))}" '
        f'target="_blank" {opens_large(GROUP, image.name, facts)} title="Show large" '
        f'aria-label="Show {name} large">⤢</a></div>'
    )


def _issues(image: ListedImage, *, group: bool = True) -> str:
    shown = "".join(map(_issue, image.inspected.issues))
    number = image.inspected.group
    if group and number:
        which = "" if image.inspected.has("duplicate") else "best of "
        shown += (
            f'<button type="button" class="ti-issue ti-issue-group" data-find="group {number}" '
            f'title="Show all near-duplicates of this image">{which}group {number}</button>'
        )
    return shown


def _issue(issue: Issue) -> str:
    return f'<span class="ti-issue ti-issue-{issue.advice}" title="{escape(issue.text)}">{escape(issue.label)}</span>'


def _switch(image: ListedImage) -> str:
    """The switch between in use and excluded; the style sheet writes its label by its state."""
    if image.copy_of:
        return f'<span class="ti-hint">Same file as {escape(image.copy_of)}, which is used.</span>'
    state = "false" if image.excluded else "true"
    return (
        f'<button type="button" role="switch" class="ti-switch" aria-checked="{state}" '
        f'aria-label="Use {escape(image.name)}"></button>'
    )


def _table(listing: Listing) -> str:
    headers = [_header("name", "", listing), *(_header(column.key, column.help, listing) for column in COLUMNS)]
    headers += [
        _header("group", "The number of the group of near-duplicates.", listing),
        _header("issues", "", listing),
    ]
    rows = "".join(map(_row, listing.shown))
    return (
        '<div class="ti-inspect-scroll"><table class="ti-inspect-table"><thead><tr><th scope="col">Image</th>'
        f'{"".join(headers)}<th scope="col">Use</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _header(key: str, help: str, listing: Listing) -> str:
    title = _HEADERS.get(key) or next(column.title for column in COLUMNS if column.key == key)
    sorted_now = direction(listing.request.order, key)
    state = f' aria-sort="{sorted_now}"' if sorted_now else ""
    tooltip = f"{help} Click for: {next_order(listing.request.order, key)}.".strip()
    return (
        f'<th scope="col"{state}><button type="button" data-sort="{key}" title="{escape(tooltip)}">'
        f"{title}</button></th>"
    )


def _row(image: ListedImage) -> str:
    name, group = escape(image.name), image.inspected.group or ""
    cells = "".join(_cell(image, column.text(image.inspected), column.kinds) for column in COLUMNS)
    return (
        f'<tr class="{_classes(image)}" data-digest="{image.digest}" data-name="{name}"><td>{_thumbnail(image)}</td>'
        f'<th scope="row" class="ti-inspect-name">{name}</th>{cells}<td>{group}</td>'
        f'<td><div class="ti-issues">{_issues(image, group=False)}</div></td><td>{_switch(image)}</td></tr>'
    )


def _cell(image: ListedImage, text: str, kinds: frozenset[str]) -> str:
    """A number, highlighted where an issue is based on it."""
    about = [issue for issue in image.inspected.issues if issue.kind in kinds]
    marked = f' class="ti-marked-{about[0].advice}"' if about else ""
    return f"<td{marked}>{text}</td>"


def _side_by_side(listing: Listing) -> str:
    groups = groupby(listing.shown, key=lambda image: image.inspected.group)
    return "".join(_group(number, list(members)) for number, members in groups)


def _group(number: int, members: Sequence[ListedImage]) -> str:
    cards = "".join(_card(image, _COMPARED, _use_only(image, members)) for image in members)
    title = f"Group {number}: {len(members)} near-duplicates"
    return (
        f'<section class="ti-inspect-group"><h4>{title}</h4>'
        f'<div class="ti-inspect-side-by-side">{cards}</div></section>'
    )


def _use_only(image: ListedImage, members: Iterable[ListedImage]) -> str:
    if image.copy_of or all(one.digest == image.digest for one in members):
        return ""
    return '<button type="button" class="ti-inspect-only">Use only this one</button>'
