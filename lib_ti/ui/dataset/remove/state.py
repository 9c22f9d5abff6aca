"""Removing painted regions of source images, one image at a time."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PIL import Image, ImageChops

from lib_ti.config import PrepareConfig
from lib_ti.data.beside.masks import read_mask
from lib_ti.data.dataset import Item
from lib_ti.data.folder import list_images
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.host.tools import Report
from lib_ti.prep.crop_box import PixelBox
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.inpaint import FillMethod, binarize, inpaint, plain_methods
from lib_ti.prep.remove.patches import apply, load_patch
from lib_ti.prep.remove.removal import acquire_fill_method, remove_region
from lib_ti.prep.remove.text_mask import text_mask
from lib_ti.prep.remove.text_regions import text_regions
from lib_ti.prep.sources import find_image, open_layered
from lib_ti.prep.thumbnails import downscaled
from lib_ti.ui.dataset.painting import layer as painted_layer
from lib_ti.ui.dataset.painting.view import PaintableImage, Stage
from lib_ti.ui.html.fragments import file_name
from lib_ti.ui.server.image_addresses import address
from lib_ti.ui.server.temporary_images import TemporaryImages

_MOST_SEEDS = 2**32
_COMPARED = 640
"""Longer side in pixels of images to compare fills."""
_SURROUNDINGS = 40
"""Least pixels around the painted area in images to compare fills."""


class Removals:
    """The removals of one host's pages. Images are named as :func:`file_name` names them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shown = TemporaryImages()
        self._undone: defaultdict[tuple[Path, str], list[RemovedRegion]] = defaultdict(list)

    def images(self, config: PrepareConfig) -> list[PaintableImage]:
        """List the source images with their number of removed regions, and whether they are excluded."""
        source = Path(config.source)
        decided = {}
        if config.output.strip():
            by_digest = read_manifest(PreparedFolder(Path(config.output), source)).edits.by_digest
            decided = {one.name: one for one in by_digest.values()}
        found = [
            (path, decided.get(name, ImageEdits(name)))
            for name, path in list_images(source, subfolders=config.subfolders).items()
        ]
        return [
            PaintableImage(path, edits.name, _note(len(edits.removed_regions)), edits.excluded) for path, edits in found
        ]

    def stage(self, config: PrepareConfig, name: str) -> Stage:
        """Return an image as it is now, and the original.

        Raises
        ------
        BadInput
            When settings or folders cannot be used, or there is no such image.
        UnreadableImage
            When the image or one of its patches cannot be used.
        """
        item, folder, edits = self._find(config, name)
        if not edits.removed_regions:
            now = address(item.path, painted_layer.SHOWN)
            return Stage(item.path, item.source_size, "remove", now, excluded=edits.excluded)
        stack = " ".join(region.patch for region in edits.removed_regions)
        return Stage(
            item.path,
            item.source_size,
            "remove",
            self._shown.address(f"{item.digest} {stack}", lambda: _shown(item, folder, edits.removed_regions)),
            before=self._shown.address(item.digest, lambda: _shown(item, folder, ())),
            note=_note(len(edits.removed_regions)),
            excluded=edits.excluded,
        )

    def find_text(self, config: PrepareConfig, name: str, text: str) -> tuple[str, str]:
        """Return the painted layer with the strokes of all text added, as text for the page; and a message."""
        item, folder, edits = self._find(config, name)
        before = _layer(item, text)
        image = _patched(item, folder, edits.removed_regions).image
        regions = text_regions(image)
        if not regions:
            return text, f"No text was found in {name}; paint over the area to remove."
        found = text_mask(image, regions)
        layer = painted_layer.write(item.path, found if before is None else ImageChops.lighter(found, before))
        return layer, "Possible text is painted over: check and correct it, then press Remove."

    def load(self, config: PrepareConfig, name: str, mask: Path) -> tuple[str, str]:
        """Load a mask from a file, white in the area to remove, as text for the page; also return a message."""
        item, _, _ = self._find(config, name)
        layer = painted_layer.write(item.path, read_mask(mask, item.source_size))
        return layer, "The mask is painted over the image: check it, then press Remove."

    def remove(self, config: PrepareConfig, name: str, text: str, seed: int, report: Report = lambda _: None) -> str:
        """Inpaint the painted area; return a message.

        Raises
        ------
        BadInput
            Also when nothing is painted, or no model can inpaint here.
        """
        item, folder, _ = self._find(config, name)
        layer = _painted(item, text)
        if not 0 <= seed < _MOST_SEEDS:
            raise BadInput(f"The seed is {seed}; enter a number from 0 to {_MOST_SEEDS - 1}.")
        with acquire_fill_method(config, self._host, report, seed=seed) as method:
            removed = remove_region(folder, item, layer, method)
        if removed is None:
            return f"That area of {name} was already removed in the same way; nothing has changed."
        self._undone.pop((folder.path, item.digest), None)
        return f"Removed in {name}, by {removed.method}. The image itself is unchanged; Prepare uses what you see."

    def compare(self, config: PrepareConfig, name: str, text: str, seed: int) -> dict[str, str]:
        """Return addresses of the painted area and its surroundings as each plain fill method would leave them.

        Nothing is removed.

        Raises
        ------
        BadInput
            Also when nothing is painted.
        """
        item, folder, edits = self._find(config, name)
        mask = binarize(_painted(item, text))
        layered = _patched(item, folder, edits.removed_regions)
        key = hashlib.sha256(f"{item.digest} {edits.removed_regions} {seed}".encode() + mask.tobytes()).hexdigest()

        def filled(method: str) -> Image.Image:
            patch = inpaint(layered.image, mask, FillMethod(method, seed=seed))
            box = _with_surroundings(patch.region.box, layered.image.size)
            alpha = None if layered.alpha is None else layered.alpha.crop(box)
            return downscaled(apply(layered, [patch]).image.crop(box), alpha, _COMPARED)

        return {method: self._shown.address(f"{key} {method}", partial(filled, method)) for method in plain_methods()}

    def undo(self, config: PrepareConfig, name: str, text: str = "") -> tuple[str, str]:
        """Undo the last removal.

        Returns
        -------
        tuple
            A message, and the area painted for that removal added to the painted layer, so that it can be removed in
            another way.

        Raises
        ------
        BadInput
            Also when there is none.
        """
        item, folder, edits = self._find(config, name)
        if not edits.removed_regions:
            raise BadInput(f"Nothing is removed in {name}, so there is nothing to undo.")
        last = edits.removed_regions[-1]
        now = _layer(item, text) or Image.new("L", item.source_size)
        patch = load_patch(folder, last)
        now.paste(255, last.box, patch.pixels.getchannel("A"))
        self._change(folder, item, lambda regions: tuple(region for region in regions if region != last))
        self._undone[folder.path, item.digest].append(last)
        return f"Undone in {name}; the area that was removed is painted again.", painted_layer.write(item.path, now)

    def redo(self, config: PrepareConfig, name: str) -> str:
        """Redo the removal that was undone last; return a message.

        Raises
        ------
        BadInput
            Also when nothing was undone since the last removal.
        """
        item, folder, _ = self._find(config, name)
        undone = self._undone[folder.path, item.digest]
        if not undone:
            raise BadInput(f"Nothing was undone in {name}, so there is nothing to redo.")
        last = undone.pop()
        self._change(folder, item, lambda regions: (*regions, last))
        return f"Redone in {name}."

    def _find(self, config: PrepareConfig, name: str) -> tuple[Item, PreparedFolder, ImageEdits]:
        if not name:
            raise BadInput("No image is chosen; choose one.")
        found = list_images(Path(config.source), subfolders=config.subfolders)
        real = next((one for one in found if file_name(one) == name), name)
        item, folder = find_image(config, real, self._host.tools.upscalers)
        return item, folder, read_manifest(folder).edits.of(item.digest, item.name)

    @staticmethod
    def _change(
        folder: PreparedFolder,
        item: Item,
        change: Callable[[tuple[RemovedRegion, ...]], tuple[RemovedRegion, ...]],
    ) -> None:
        def changed(edits: Edits) -> Edits:
            now = edits.of(item.digest, item.name)
            return edits.with_image(item.digest, replace(now, removed_regions=change(now.removed_regions)))

        update_edits(folder, changed)


def _layer(item: Item, text: str) -> Image.Image | None:
    """Return the layer that is painted over an image, at the image's own size."""
    if not text:
        return None
    painted = painted_layer.read(text)
    if not painted.belongs_to(item.path):
        raise BadInput(f"The painted layer belongs to {painted.name} and not to {item.name}; choose that image again.")
    return painted.at_size(item.source_size)


def _painted(item: Item, text: str) -> Image.Image:
    layer = _layer(item, text)
    if layer is None:
        raise BadInput("Nothing is painted; paint over the area to remove.")
    return layer


def _patched(item: Item, folder: PreparedFolder, regions: Sequence[RemovedRegion]) -> LayeredImage:
    return apply(open_layered(item), [load_patch(folder, region) for region in regions])


def _with_surroundings(box: PixelBox, size: tuple[int, int]) -> PixelBox:
    left, top, right, bottom = box
    margin = max(_SURROUNDINGS, (right - left) // 4, (bottom - top) // 4)
    return max(0, left - margin), max(0, top - margin), min(size[0], right + margin), min(size[1], bottom + margin)


def _shown(item: Item, folder: PreparedFolder, regions: Sequence[RemovedRegion]) -> Image.Image:
    layered = _patched(item, folder, regions)
    return downscaled(layered.image, layered.alpha, painted_layer.SHOWN)


def _note(removed: int) -> str:
    return f"{removed} removed" if removed else ""
