"""Frames on the found pictures: the default ones looked for, those drawn by hand kept. Knows no Gradio."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.folder import Skipped, natural_order
from lib_ti.data.images import UnreadableImage
from lib_ti.errors import Stopped
from lib_ti.host.base import Folders
from lib_ti.ordered_map import ordered_map
from lib_ti.paths import as_path, path_text, resolved
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.make import proposed_crop_boxes
from lib_ti.prep.recipe.pixel_budget import MOST_PIXELS, PixelBudget
from lib_ti.prep.recipe.saliency import FaceDetector
from lib_ti.prep.sources import find_images
from lib_ti.ui import reach
from lib_ti.ui.dataset import message

_DIGEST = 64
"""Hexadecimal digits of a SHA-256."""


@dataclass(frozen=True)
class Framed:
    """A found picture with the frames that a preparation would place by itself."""

    item: Item
    default: tuple[CropBox, ...]

    @property
    def name(self) -> str:
        return self.item.name


@dataclass(frozen=True)
class FramedSet:
    """The pictures of a source folder with their default frames, for the settings that these were looked for with."""

    config: PrepareConfig
    folder: PreparedFolder
    pictures: tuple[Framed, ...]
    skipped: tuple[Skipped, ...]

    def fits(self, config: PrepareConfig) -> bool:
        """Whether the frames are right for these settings too."""
        return _places(self.config) == _places(config)

    def is_of(self, source: str) -> bool:
        """Whether these are the pictures of the source folder that a page names, or it names none."""
        named = path_text(source)
        return not named or resolved(Path(named)) == resolved(Path(self.config.source))


@dataclass(frozen=True)
class Changes:
    """What a page sends: decisions by the images' digests; ``number`` is the page's own.

    ``source`` and ``folder`` are the folder of these images and the one that they are prepared into.
    """

    number: str
    source: str
    folder: str
    decisions: Mapping[str, ImageEdits]


def find(
    config: PrepareConfig, upscalers: Sequence[str], task: TaskContext, before: FramedSet | None = None
) -> FramedSet:
    """All pictures of the source folder with their default frames.

    Parameters
    ----------
    before
        What was found the last time; frames of the same pictures by the same settings are taken from there.

    Raises
    ------
    BadInput
        Settings or folders that cannot serve.
    Stopped
        When that was asked for.
    """
    task.report_message("Looking at the files.")
    found, folder = find_images(config, upscalers)
    known = {}
    if before and before.fits(config):
        known = {one.item.digest: one.default for one in before.pictures}
    task.report_message("")
    faces, room = FaceDetector(), PixelBudget(MOST_PIXELS)

    def frames(item: Item) -> Framed | Skipped:
        if item.digest in known:
            return Framed(item, known[item.digest])
        try:
            with room.taken(item.source_size[0] * item.source_size[1]):
                return Framed(item, tuple(proposed_crop_boxes(item, ImageEdits(item.name), config, faces)))
        except UnreadableImage as error:
            return Skipped(item.path, error.reason, item.name)

    outcomes = _side_by_side(frames, found.items, config.workers, task)
    framed = [one for one in outcomes if isinstance(one, Framed)]
    skipped = [one for one in outcomes if isinstance(one, Skipped)]
    framed.sort(key=lambda one: natural_order(found.folder, one.item.path))
    return FramedSet(config, folder, tuple(framed), (*found.skipped, *skipped))


def keep(folders: Folders, changes: Changes) -> Edits:
    """Write what a page sent into the manifest of the folder that it names; as :func:`decide`.

    Raises
    ------
    BadInput
        Also when the page may not name that folder.
    """
    reach.check(folders, {"Source folder": changes.source, "Prepared folder": changes.folder})
    return decide(PreparedFolder(as_path(changes.folder), as_path(changes.source)), changes.decisions)


def decide(folder: PreparedFolder, decisions: Mapping[str, ImageEdits]) -> Edits:
    """Write frames and who is left out into the manifest; what was erased stays as it is. Returns all edits.

    Raises
    ------
    BadInput
        When the manifest is damaged.
    CannotWrite
        When the folder or the disk does not take it.
    """

    def change(edits: Edits) -> Edits:
        for digest, one in decisions.items():
            now = edits.of(digest, one.name)
            edits = edits.with_image(digest, replace(now, excluded=one.excluded, crop_boxes=one.crop_boxes))
        return edits

    return update_edits(folder, change)


def read_changes(text: str) -> Changes:
    """What a page sent.

    Raises
    ------
    BadInput
        When it is nothing that a page of this program sends.
    """

    def meaning(content: Any) -> Changes:
        decisions = {_digest(digest): _decision(one) for digest, one in content["pictures"].items()}
        return Changes(str(content["number"]), str(content["source"]), str(content["folder"]), decisions)

    return message.read(text, "frames", meaning)


def _places(config: PrepareConfig) -> tuple[Any, ...]:
    """All settings that say where default frames are."""
    return (
        Path(config.source).absolute(), config.subfolders, Path(config.output).absolute(), config.width, config.height,
        config.shape, config.framing, config.split, config.split_threshold, config.split_overlap,
    )  # fmt: skip


def _side_by_side(
    work: Callable[[Item], Framed | Skipped], items: Sequence[Item], workers: int, task: TaskContext
) -> list[Framed | Skipped]:
    done: list[Framed | Skipped] = []
    task.report_progress(0, len(items))
    with closing(ordered_map(work, items, workers=workers, name="frames")) as framed:
        for one in framed:
            done.append(one)
            task.report_progress(len(done), len(items))
            if task.stop_requested():
                raise Stopped(f"Looking for frames was stopped after {len(done)} of {len(items)} pictures.")
    return done


def _digest(text: Any) -> str:
    if len(text) != _DIGEST or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"{text!r} is no digest")
    return str(text)


def _decision(content: Any) -> ImageEdits:
    frames = tuple(_frame(*(float(share) for share in frame)) for frame in content["frames"])
    return ImageEdits(str(content["name"]), bool(content["left_out"]), frames)


def _frame(x: float, y: float, width: float, height: float) -> CropBox:
    """A frame that is cut at the picture's edge, which rounding may have taken it over."""
    if not all(math.isfinite(share) for share in (x, y, width, height)):
        raise ValueError("a share is no number")
    x, y = max(0.0, x), max(0.0, y)
    return CropBox(x, y, min(width, 1 - x), min(height, 1 - y))
