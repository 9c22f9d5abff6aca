"""Decisions about which images to exclude: suggested, sent by a page, or written as a list of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lib_ti.errors import BadInput
from lib_ti.ui.dataset import page_message
from lib_ti.ui.dataset.inspect.state import OTHER_FOLDERS, Inspection, ListedImage
from lib_ti.wording import quoted


@dataclass(frozen=True)
class ExclusionMessage:
    """Decisions that a page sends: which images to exclude (true) and which to include, by digest.

    ``number`` identifies the message, ``folders_key`` the inspection whose images the page shows.
    """

    number: str
    folders_key: str
    decisions: Mapping[str, bool]


def suggested_exclusions(images: Iterable[ListedImage]) -> dict[str, bool]:
    """Return the images to exclude, as :meth:`Inspection.decide` accepts them.

    A file that is only a copy of another one is not among them: a decision about it would apply to both.
    """
    good = {image.digest: False for image in images if image.inspected.good}
    return {image.digest: True for image in images if image.digest not in good and not image.excluded}


def read_message(text: str) -> ExclusionMessage:
    """Parse a page's message.

    Raises
    ------
    BadInput
        When it is not a message of this program's pages.
    """

    def parse(content: Any) -> ExclusionMessage:
        decisions = {str(digest): bool(excluded) for digest, excluded in content["images"].items()}
        return ExclusionMessage(str(content["number"]), str(content["folders"]), decisions)

    return page_message.read(text, "something", parse)


def save(inspection: Inspection | None, message: ExclusionMessage) -> Inspection:
    """Write the decisions of a page; return the inspection that they are about.

    Raises
    ------
    BadInput
        When the page shows another inspection's images; and as :meth:`Inspection.decide`.
    """
    if inspection is None or message.folders_key != inspection.folders_key:
        raise BadInput(OTHER_FOLDERS)
    inspection.decide(message.decisions)
    return inspection


def write_names(images: Iterable[ListedImage]) -> str:
    """Return the names of excluded images, one a line."""
    return "\n".join(image.name for image in images if image.excluded and not image.copy_of)


def read_names(text: str, images: Iterable[ListedImage]) -> dict[str, bool]:
    """Return the decisions of a list of excluded names, one a line; all other images are included.

    Raises
    ------
    BadInput
        With every line that does not name an image.
    """
    everything = list(images)
    digests = {image.name: image.digest for image in everything}
    named = [line.strip() for line in text.splitlines() if line.strip()]
    if unknown := [name for name in named if name not in digests]:
        raise BadInput(f"There is no image {quoted(name)} in the source folder; check its name." for name in unknown)
    excluded = {digests[name] for name in named}
    return {image.digest: image.digest in excluded for image in everything}
