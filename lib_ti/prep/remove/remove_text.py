"""Remove text from all images of a folder: find it, propose fills, and keep those that a review accepts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.folder import Skipped
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.host.tools import Report
from lib_ti.ordered_map import ordered_map
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove import exemplar
from lib_ti.prep.remove.inpaint import MODEL, FillMethod, inpaint
from lib_ti.prep.remove.patches import apply, before_and_after, load_patch, save_patch
from lib_ti.prep.remove.proposals import Proposal, Proposals, patch_names
from lib_ti.prep.remove.removal import acquire_fill_method
from lib_ti.prep.remove.text_mask import text_mask
from lib_ti.prep.remove.text_regions import text_regions
from lib_ti.prep.sources import find_images, open_layered
from lib_ti.storage.atomic import remove_abandoned
from lib_ti.wording import counted

_PAIR = 1024
"""Longer side in pixels of the images to compare."""
_LARGE = 25_000_000
"""Pixels from which an image is worked on alone, so that several large ones never fill the memory together."""
_VERSION = 1
"""Changes whenever the same image would get another proposal."""


@dataclass
class TextProposals:
    """Outcome of a search: names of images with text, how many have none or are excluded, and files not used."""

    found: list[str] = field(default_factory=list)
    clean: int = 0
    excluded: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    def describe(self) -> str:
        """Return a summary of one sentence or two."""
        has = "has" if len(self.found) == 1 else "have"
        sentence = f"{counted(len(self.found), 'image')} {has} text that can be removed; {self.clean} without text."
        return f"{sentence} {self.excluded} excluded, not looked at." if self.excluded else sentence


@dataclass(frozen=True)
class KeptRemoval:
    """A region that a review added to an image's edits."""

    digest: str
    name: str
    region: RemovedRegion


def propose_text_removals(
    config: PrepareConfig,
    *,
    at_least: float,
    measured: Callable[[str], float | None] = lambda _: None,
    host: Host | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    report: Report = lambda _: None,
) -> TextProposals:
    """Find text in all images that are not excluded, and propose to fill it; nothing is removed yet.

    Proposals that were made before by the same settings are used again, so that this continues where it was stopped.

    Parameters
    ----------
    at_least
        Share of an image, in thousandths, that a text must cover to be removed.
    measured
        Returns the share of the surest text in the image of a digest as an inspection measured it, None where none did.
        Images below ``at_least`` are not looked at.
    host
        Provides the model, where that inpaints.
    progress, stop, report
        As for :func:`lib_ti.prep.recipe.execute.execute_plan`.

    Raises
    ------
    BadInput
        When settings or folders cannot be used, or no model can inpaint here.
    CannotWrite
        When the folder or the disk does not accept a proposal.
    Stopped
        When ``stop`` returned true; finished proposals can be reviewed.
    """
    report("Reading the files.")
    found, folder = find_images(config, host.tools.upscalers if host else ())
    edits, proposals = read_manifest(folder).edits, Proposals(folder)
    proposals.tidy()
    used = [item for item in found.items if not edits.of(item.digest, item.name).excluded]
    outcome = TextProposals(excluded=len(found.items) - len(used), skipped=list(found.skipped))
    looked_at = [item for item in used if _may_have_text(measured(item.digest), at_least)]
    outcome.clean = len(used) - len(looked_at)
    report("")
    with acquire_fill_method(config, host, report) as method:
        search = _Search(folder, proposals, edits, method, at_least)
        workers = 1 if method.method == MODEL else config.workers
        progress(0, len(looked_at))
        with closing(ordered_map(search, looked_at, workers=workers, name="text")) as results:
            for done, one in enumerate(results, start=1):
                _add(outcome, one)
                progress(done, len(looked_at))
                if done < len(looked_at) and stop():
                    raise Stopped(
                        f"Finding text was stopped after {done} of {counted(len(looked_at), 'image')}: what was found "
                        "can be reviewed, and the next search continues from there."
                    )
    return outcome


def pending(folder: PreparedFolder) -> list[Proposal]:
    """Return the proposals to review, by the names of their images.

    Raises
    ------
    BadInput
        When the manifest is damaged.
    """
    return Proposals(folder).pending(read_manifest(folder).edits)


def keep(
    folder: PreparedFolder,
    digests: Iterable[str],
    *,
    progress: Callable[[int, int], None] = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[KeptRemoval]:
    """Add the accepted ones among these proposals to the edits of their images, all at once; return those added.

    Parameters
    ----------
    progress, stop
        As for :func:`lib_ti.prep.recipe.execute.execute_plan`.

    Raises
    ------
    BadInput
        When the manifest is damaged.
    UnreadableImage
        When the patch of a proposal cannot be read; then nothing is added.
    CannotWrite
        When the folder or the disk does not accept it.
    Stopped
        When ``stop`` returned true; then nothing is added.
    """
    proposals, chosen = Proposals(folder), set(digests)
    accepted = [one for one in pending(folder) if one.digest in chosen and one.accepted]
    remove_abandoned(folder.patches)
    progress(0, len(accepted))
    for done, one in enumerate(accepted, start=1):
        if stop():
            raise Stopped("Keeping the removals was stopped; nothing was removed, and all can still be reviewed.")
        save_patch(folder, proposals.patch(one))
        progress(done, len(accepted))
    kept: list[KeptRemoval] = []

    def change(edits: Edits) -> Edits:
        kept.clear()
        by_digest = dict(edits.by_digest)
        for one in accepted:
            now = edits.of(one.digest, one.name)
            if one.region is not None and one.fits(now):
                by_digest[one.digest] = replace(now, removed_regions=(*now.removed_regions, one.region))
                kept.append(KeptRemoval(one.digest, one.name, one.region))
        return Edits(by_digest)

    update_edits(folder, change)
    return kept


def undo_keep(folder: PreparedFolder, kept: Sequence[KeptRemoval]) -> list[KeptRemoval]:
    """Take regions out of the edits again where no other region was removed after them; return those taken out.

    Their proposals count again.
    """
    undone: list[KeptRemoval] = []

    def change(edits: Edits) -> Edits:
        undone.clear()
        by_digest: dict[str, ImageEdits] = dict(edits.by_digest)
        for one in kept:
            now = edits.of(one.digest, one.name)
            if now.removed_regions[-1:] == (one.region,):
                by_digest[one.digest] = replace(now, removed_regions=now.removed_regions[:-1])
                undone.append(one)
        return Edits({digest: now for digest, now in by_digest.items() if not now.empty})

    update_edits(folder, change)
    return undone


def _may_have_text(share: float | None, at_least: float) -> bool:
    return share is None or share >= at_least


def _add(outcome: TextProposals, one: Proposal | Skipped) -> None:
    if isinstance(one, Skipped):
        outcome.skipped.append(one)
    elif one.region is None:
        outcome.clean += 1
    else:
        outcome.found.append(one.name)


class _Search:
    """Makes the proposal of one image at a time in each of several threads."""

    def __init__(
        self, folder: PreparedFolder, proposals: Proposals, edits: Edits, method: FillMethod, at_least: float
    ) -> None:
        self._folder, self._proposals, self._method, self._at_least = folder, proposals, method, at_least
        self._edits: Mapping[str, ImageEdits] = edits.by_digest
        self._settings = repr((_VERSION, method.record, exemplar.available(), at_least))
        self._one_large = threading.Lock()

    def __call__(self, item: Item) -> Proposal | Skipped:
        edits = self._edits.get(item.digest, ImageEdits(item.name))
        before = self._proposals.find(item.digest)
        if before and before.fits(edits) and before.settings == self._settings and before.name == item.name:
            return before
        width, height = item.source_size
        try:
            with self._one_large if width * height >= _LARGE else nullcontext():
                return self._propose(item, edits)
        except UnreadableImage as error:
            return Skipped(error.path, error.reason, item.name)
        except BadInput as error:
            return Skipped(item.path, str(error), item.name)

    def _propose(self, item: Item, edits: ImageEdits) -> Proposal:
        proposal = Proposal(item.digest, item.name, self._settings, patch_names(edits))
        layered = apply(open_layered(item), [load_patch(self._folder, region) for region in edits.removed_regions])
        regions = text_regions(layered.image, self._at_least)
        if not regions:
            self._proposals.write(proposal)
            return proposal
        patch = inpaint(layered.image, text_mask(layered.image, regions), self._method)
        proposal = replace(proposal, region=patch.region)
        self._proposals.write(proposal, patch, before_and_after(layered, patch, _PAIR))
        return proposal
