"""Text removed from all images of a folder, and the review of what is proposed; without Gradio."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.prep.inspect.inspection_cache import InspectionCache
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.proposals import Proposals
from lib_ti.prep.remove.remove_text import (
    KeptRemoval,
    TextProposals,
    keep,
    pending,
    propose_text_removals,
    undo_keep,
)
from lib_ti.ui.dataset import page_message
from lib_ti.ui.html.fragments import file_name
from lib_ti.ui.server.image_addresses import AS_IT_IS, address
from lib_ti.wording import counted, quoted

_OTHER_FOLDER = "This page shows proposals for another folder: open the step Remove again."


@dataclass(frozen=True)
class ReviewedImage:
    """A proposal for one image: the addresses of the images to compare, and whether it is to be kept."""

    digest: str
    name: str
    method: str
    before: str
    after: str
    accepted: bool


@dataclass(frozen=True)
class Review:
    """The proposals for a folder, which ``key`` identifies."""

    key: str
    images: tuple[ReviewedImage, ...] = ()

    @property
    def accepted(self) -> tuple[ReviewedImage, ...]:
        return tuple(one for one in self.images if one.accepted)

    @property
    def stamp(self) -> str:
        """Hash of all that a page shows of it."""
        return hashlib.sha256(repr(self).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True)
class ReviewOutcome:
    """What a task did with the proposals for the folder of a key, as a sentence; empty where the page shows it."""

    key: str
    message: str = ""


Work = Callable[[TaskContext], ReviewOutcome]
"""The work of a task of the kind :data:`lib_ti.background.kinds.REVIEW`; it can be stopped."""


@dataclass(frozen=True)
class ReviewMessage:
    """Decisions that a page sends, by digest: whether to keep.

    ``number`` identifies the message, and ``key`` the folder whose proposals the page shows.
    """

    number: str
    key: str
    decisions: Mapping[str, bool]


class TextReview:
    """The reviews on one host's pages."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._kept: dict[Path, list[KeptRemoval]] = {}
        """What was kept last in each prepared folder, to undo it."""

    def propose(self, config: PrepareConfig, at_least: float, task: TaskContext) -> TextProposals:
        """Find text and propose to fill it; see :func:`propose_text_removals`.

        Images that an inspection measured are looked at only where it found text.
        """
        inspected = InspectionCache(_folder(config).inspection)

        def measured(digest: str) -> float | None:
            content = inspected.find(digest)
            return None if content is None else content.measures.text

        return propose_text_removals(
            config,
            at_least=at_least,
            measured=measured,
            host=self._host,
            progress=task.report_progress,
            stop=task.stop_requested,
            report=task.report_message,
        )

    def review(self, config: PrepareConfig) -> Review:
        """Return the proposals for images that are in the folder.

        Raises
        ------
        BadInput
            When the manifest is damaged.
        """
        folder, source = _folder(config), Path(config.source)
        proposals = Proposals(folder)
        images = []
        for one in pending(folder):
            if one.region is not None and (source / one.name).is_file():
                before, after = (address(path, AS_IT_IS) for path in proposals.pair(one))
                name = file_name(one.name)
                images.append(ReviewedImage(one.digest, name, one.region.method, before, after, one.accepted))
        return Review(_key(folder), tuple(images))

    def decide(self, config: PrepareConfig, message: ReviewMessage) -> None:
        """Write a page's decisions.

        Raises
        ------
        BadInput
            When the page shows another folder's proposals.
        CannotWrite
            When the folder or the disk does not accept them.
        """
        folder = _folder(config)
        if message.key != _key(folder):
            raise BadInput(_OTHER_FOLDER)
        Proposals(folder).decide(message.decisions)

    def deciding_all(self, config: PrepareConfig, *, accepted: bool) -> Work:
        """Return a task's work that accepts or rejects all proposals."""
        folder = _folder(config)
        decisions = {one.digest: accepted for one in self.review(config).images}
        return lambda task: _decide(folder, decisions, task)

    def deciding_by_names(self, config: PrepareConfig, text: str) -> Work:
        """Return a task's work that accepts the proposals of a list of names, one a line, and rejects the others.

        Raises
        ------
        BadInput
            With every line that does not name a proposal.
        """
        images = self.review(config).images
        named = {line.strip() for line in text.splitlines() if line.strip()}
        if unknown := sorted(named - {one.name for one in images}):
            raise BadInput(f"There is no proposal for an image {quoted(name)}; check its name." for name in unknown)
        folder, decisions = _folder(config), {one.digest: one.name in named for one in images}
        return lambda task: _decide(folder, decisions, task)

    def keeping(self, config: PrepareConfig) -> Work:
        """Return a task's work that removes the text of all proposals that are accepted now.

        Raises
        ------
        BadInput
            Also when none is accepted.
        """
        review = self.review(config)
        if not review.accepted:
            raise BadInput("No image is accepted, so there is nothing to keep: accept those whose fill is good.")
        return lambda task: self._keep(_folder(config), review, task)

    def _keep(self, folder: PreparedFolder, review: Review, task: TaskContext) -> ReviewOutcome:
        digests = [one.digest for one in review.accepted]
        kept = keep(folder, digests, progress=task.report_progress, stop=task.stop_requested)
        self._kept[folder.path] = kept
        rejected = len(review.images) - len(review.accepted)
        still = f" {counted(rejected, 'rejected image')} still listed." if rejected else ""
        changed = len(review.accepted) - len(kept)
        skipped = f" {counted(changed, 'image')} changed meanwhile and skipped." if changed else ""
        images = counted(len(kept), "image")
        unchanged = "Your images are unchanged; Prepare uses the filled ones."
        return ReviewOutcome(review.key, f"Removed the text of {images}. {unchanged}{still}{skipped}")

    def is_about(self, config: PrepareConfig, outcome: ReviewOutcome) -> bool:
        """Whether an outcome is about the folder that a page names."""
        return outcome.key == _key(_folder(config))

    def kept(self, config: PrepareConfig) -> int:
        """Return how many images :meth:`undo` is about."""
        return len(self._kept.get(_folder(config).path, ()))

    def undo(self, config: PrepareConfig) -> str:
        """Take back what was kept last, so that it can be reviewed again; return a message."""
        folder = _folder(config)
        kept: Sequence[KeptRemoval] = self._kept.pop(folder.path, ())
        undone = undo_keep(folder, kept)
        changed = len(kept) - len(undone)
        others = f" {counted(changed, 'image')} edited since and unchanged." if changed else ""
        return f"Undone: the text of {counted(len(undone), 'image')} is there again, to be reviewed.{others}"


def read_message(text: str) -> ReviewMessage:
    """Parse a page's message.

    Raises
    ------
    BadInput
        When it is not a message of this program's pages.
    """

    def parse(content: Any) -> ReviewMessage:
        decisions = {str(digest): bool(accepted) for digest, accepted in content["images"].items()}
        return ReviewMessage(str(content["number"]), str(content["key"]), decisions)

    return page_message.read(text, "decisions", parse)


def _decide(folder: PreparedFolder, decisions: Mapping[str, bool], task: TaskContext) -> ReviewOutcome:
    proposals = Proposals(folder)
    task.report_progress(0, len(decisions))
    for done, (digest, accepted) in enumerate(decisions.items(), start=1):
        if task.stop_requested():
            rest = "the others are as they were"
            raise Stopped(f"Stopped after {done - 1} of {counted(len(decisions), 'proposal')}; {rest}.")
        proposals.decide({digest: accepted})
        task.report_progress(done, len(decisions))
    return ReviewOutcome(_key(folder))


def _folder(config: PrepareConfig) -> PreparedFolder:
    return PreparedFolder(Path(config.output), Path(config.source))


def _key(folder: PreparedFolder) -> str:
    folders = f"{folder.path.absolute()}\n{folder.source and folder.source.absolute()}"
    return hashlib.sha256(folders.encode("utf-8", "surrogateescape")).hexdigest()
