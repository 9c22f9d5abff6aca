"""HTML of the review: each image before and after, with a switch. ``javascript/ti_review.js`` handles the switches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lib_ti.ui.html.fragments import answer, escape, findings, folded, notice
from lib_ti.ui.html.viewer import opens_large

if TYPE_CHECKING:
    from lib_ti.prep.remove.remove_text import TextProposals
    from lib_ti.ui.dataset.remove.review.state import Review, ReviewedImage


def outcome(found: TextProposals) -> str:
    """What a search has found, with the files that could not be used."""
    then = " Compare each image below, then keep the removals that are good." if found.found else ""
    lines = findings(("warning", f"{one.shown} is skipped: {one.reason}") for one in found.skipped)
    return notice("info", [found.describe() + then]) + folded(f"Files not used ({len(found.skipped)})", lines)


def pairs(review: Review) -> str:
    """All images of a review."""
    # With a new version each time: equal HTML would not replace what a page has changed in its own.
    shown = "".join(map(_pair, review.images))
    return f'<div class="ti-review" data-key="{review.key}" data-version="{time.time_ns()}">{shown}</div>'


def saved(number: str) -> str:
    """The answer to the page's message of that number, once its decisions are written."""
    return answer(number, "")


def refused(number: str, problem: str) -> str:
    return answer(number, problem, failed=True)


def _pair(one: ReviewedImage) -> str:
    name = escape(one.name)
    images = "".join(
        f'<a href="{escape(source)}" target="_blank" {opens_large("review", one.name, label)} '
        f'title="{label}, large"><img src="{escape(source)}" '
        f'alt="{name} {label.lower()}" loading="lazy" decoding="async"><span>{label}</span></a>'
        for label, source in (("Before", one.before), ("After", one.after))
    )
    return (
        f'<figure class="ti-pair" data-digest="{one.digest}" data-name="{name}"><figcaption><b>{name}</b> '
        f'<span class="ti-hint">{escape(one.method)}</span>'
        f'<button type="button" class="ti-link" data-open="{name}" title="Open the image below">Paint by hand</button>'
        f'<button type="button" role="switch" class="ti-switch" aria-checked="{"true" if one.accepted else "false"}" '
        f'aria-label="Keep the removal in {name}"></button></figcaption>'
        f'<div class="ti-pair-images">{images}</div></figure>'
    )
