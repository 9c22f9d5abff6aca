"""Crop boxes on the source images: default ones are proposed, manual ones are saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig, to_mapping
from lib_ti.data.dataset import Item
from lib_ti.data.folder import Skipped, natural_order
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import Stopped
from lib_ti.host.base import Folders
from lib_ti.ordered_map import ordered_map
from lib_ti.paths import as_path, path_text, resolved
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits
from lib_ti.prep.manifest import update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.default_boxes import DefaultBoxes, read_default_boxes, settings_key, write_default_boxes
from lib_ti.prep.recipe.make import proposed_crop_boxes
from lib_ti.prep.recipe.pixel_budget import MOST_PIXELS, PixelBudget
from lib_ti.prep.recipe.saliency import FaceDetector
from lib_ti.prep.sources import find_images
from lib_ti.ui import reach
from lib_ti.ui.dataset import page_message

_DIGEST = 64
"""Hexadecimal digits of a SHA-256."""


@dataclass(frozen=True)
class ImageCrops:
    """A source image with its default crop boxes."""

    item: Item
    default: tuple[CropBox, ...]

    @property
    def name(self) -> str:
        return self.item.name


@dataclass(frozen=True)
class FolderCrops:
    """The images of a source folder with their default crop boxes by certain settings."""

    config: PrepareConfig
    folder: PreparedFolder
    images: tuple[ImageCrops, ...]
    skipped: tuple[Skipped, ...]

    def is_of(self, source: str) -> bool:
        """Whether these are the images of the source folder that a page names, or it names none."""
        named = path_text(source)
        return not named or resolved(Path(named)) == resolved(Path(self.config.source))

    def matches(self, config: PrepareConfig) -> bool:
        """Whether the default boxes are the same by these settings."""
        return _relevant_settings(self.config) == _relevant_settings(config)


@dataclass(frozen=True)
class CropMessage:
    """Decisions that a page sends, by the images' digests; ``number`` identifies the message.

    ``source`` is the folder of these images, and ``folder`` the one that they are prepared into.
    """

    number: str
    source: str
    folder: str
    decisions: Mapping[str, ImageEdits]


def propose(
    config: PrepareConfig, upscalers: Sequence[str], task: TaskContext, before: FolderCrops | None = None
) -> FolderCrops:
    """Find the default crop boxes of all images of the source folder.

    Parameters
    ----------
    before
        The previous result; its boxes, and those on record in the prepared folder, are reused for the same images and
        settings.

    Raises
    ------
    BadInput
        When settings or folders cannot be used.
    Stopped
        When the task was stopped.
    """
    task.report_message("Reading the files.")
    found, folder = find_images(config, upscalers)
    key, recorded = settings_key(to_mapping(config)), read_default_boxes(folder)
    known = dict(recorded.by_digest) if recorded.key == key else {}
    if before and before.matches(config):
        known |= {one.item.digest: one.default for one in before.images}
    task.report_message("")
    faces, budget = FaceDetector(), PixelBudget(MOST_PIXELS)

    def crops_of(item: Item) -> ImageCrops | Skipped:
        if item.digest in known:
            return ImageCrops(item, known[item.digest])
        try:
            with budget.taken(item.source_size[0] * item.source_size[1]):
                return ImageCrops(item, tuple(proposed_crop_boxes(item, ImageEdits(item.name), config, faces)))
        except UnreadableImage as error:
            return Skipped(item.path, error.reason, item.name)

    outcomes = _in_threads(crops_of, found.items, config.workers, task)
    images = [one for one in outcomes if isinstance(one, ImageCrops)]
    skipped = [one for one in outcomes if isinstance(one, Skipped)]
    images.sort(key=lambda one: natural_order(found.folder, one.item.path))
    boxes = {one.item.digest: one.default for one in images}
    write_default_boxes(folder, DefaultBoxes(key, boxes, {one.name: one.item.digest for one in images}))
    return FolderCrops(config, folder, tuple(images), (*found.skipped, *skipped))


def save(folders: Folders, message: CropMessage) -> Edits:
    """Write a page's decisions into the manifest of the folder that it names; as :func:`decide`.

    Raises
    ------
    BadInput
        Also when the folder is outside those this server allows.
    """
    reach.check(folders, {"Source folder": message.source, "Prepared folder": message.folder})
    return decide(PreparedFolder(as_path(message.folder), as_path(message.source)), message.decisions)


def decide(folder: PreparedFolder, decisions: Mapping[str, ImageEdits]) -> Edits:
    """Write crop boxes and exclusions into the manifest, and return all edits; removed regions stay unchanged.

    Raises
    ------
    BadInput
        When the manifest is damaged.
    CannotWrite
        When the folder or the disk does not accept it.
    """

    def change(edits: Edits) -> Edits:
        for digest, one in decisions.items():
            now = edits.of(digest, one.name)
            edits = edits.with_image(digest, replace(now, excluded=one.excluded, crop_boxes=one.crop_boxes))
        return edits

    return update_edits(folder, change)


def read_message(text: str) -> CropMessage:
    """Parse a page's message.

    Raises
    ------
    BadInput
        When it is not a message of this program's pages.
    """

    def parse(content: Any) -> CropMessage:
        decisions = {_digest(digest): _decision(one) for digest, one in content["images"].items()}
        return CropMessage(str(content["number"]), str(content["source"]), str(content["folder"]), decisions)

    return page_message.read(text, "crop boxes", parse)


def _relevant_settings(config: PrepareConfig) -> tuple[Any, ...]:
    """Return all settings that default crop boxes depend on."""
    return (
        Path(config.source).absolute(), config.subfolders, Path(config.output).absolute(), config.width, config.height,
        config.shape, config.framing, config.split, config.split_threshold, config.split_overlap,
    )  # fmt: skip


def _in_threads(
    work: Callable[[Item], ImageCrops | Skipped], items: Sequence[Item], workers: int, task: TaskContext
) -> list[ImageCrops | Skipped]:
    done: list[ImageCrops | Skipped] = []
    task.report_progress(0, len(items))
    with closing(ordered_map(work, items, workers=workers, name="crops")) as outcomes:
        for outcome in outcomes:
            done.append(outcome)
            task.report_progress(len(done), len(items))
            if task.stop_requested():
                raise Stopped(f"Finding crop boxes was stopped after {len(done)} of {len(items)} images.")
    return done


def _digest(text: Any) -> str:
    if len(text) != _DIGEST or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"{text!r} is not a digest")
    return str(text)


def _decision(content: Any) -> ImageEdits:
    boxes = tuple(_crop_box(*(float(value) for value in box)) for box in content["crop_boxes"])
    return ImageEdits(str(content["name"]), bool(content["excluded"]), boxes)


def _crop_box(x: float, y: float, width: float, height: float) -> CropBox:
    """Return a box that is clipped at the image's edge, beyond which rounding may have moved it."""
    if not all(math.isfinite(value) for value in (x, y, width, height)):
        raise ValueError("a coordinate is not finite")
    x, y = max(0.0, x), max(0.0, y)
    return CropBox(x, y, min(width, 1 - x), min(height, 1 - y))
