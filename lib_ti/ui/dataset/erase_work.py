"""Erasing parts of found pictures, one picture at a time. Knows the engine and no Gradio."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from lib_ti.config import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.folder import list_images
from lib_ti.data.masks import read_mask
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.host.tools import Report
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.patches import apply, load_patch
from lib_ti.prep.remove.removal import acquire_fill_method, remove_region
from lib_ti.prep.remove.text_mask import text_mask
from lib_ti.prep.remove.text_regions import text_regions
from lib_ti.prep.sources import find_image, open_layered
from lib_ti.prep.thumbnails import downscaled
from lib_ti.ui.dataset import painted
from lib_ti.ui.dataset.paint_page import Choosable, Stage
from lib_ti.ui.html.fragments import file_name
from lib_ti.ui.server.image_addresses import address
from lib_ti.ui.server.temporary_images import TemporaryImages

_MOST_SEEDS = 2**32


class Erasing:
    """The work behind the step Erase, for one host. Pictures are named as :func:`file_name` names them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shown = TemporaryImages()
        self._undone: defaultdict[tuple[Path, str], list[RemovedRegion]] = defaultdict(list)

    def pictures(self, config: PrepareConfig) -> list[Choosable]:
        """What is in the source folder, with how much was erased, and what is excluded."""
        source = Path(config.source)
        decided = {}
        if config.output.strip():
            by_digest = read_manifest(PreparedFolder(Path(config.output), source)).edits.by_digest
            decided = {one.name: one for one in by_digest.values()}
        found = [
            (path, decided.get(name, ImageEdits(name)))
            for name, path in list_images(source, subfolders=config.subfolders).items()
        ]
        return [Choosable(path, edits.name, _note(len(edits.removed_regions)), edits.excluded) for path, edits in found]

    def stage(self, config: PrepareConfig, name: str) -> Stage:
        """A picture as it is now, and as it was.

        Raises
        ------
        BadInput
            Settings or folders that cannot serve, or no such picture.
        UnreadableImage
            When the picture or one of its patches cannot be used.
        """
        item, folder, edits = self._find(config, name)
        if not edits.removed_regions:
            now = address(item.path, painted.SHOWN)
            return Stage(item.path, item.source_size, "erase", now, excluded=edits.excluded)
        stack = " ".join(one.patch for one in edits.removed_regions)
        return Stage(
            item.path,
            item.source_size,
            "erase",
            self._shown.address(f"{item.digest} {stack}", lambda: _reduced(item, folder, edits.removed_regions)),
            before=self._shown.address(item.digest, lambda: _reduced(item, folder, ())),
            note=_note(len(edits.removed_regions)),
            excluded=edits.excluded,
        )

    def propose(self, config: PrepareConfig, name: str, text: str) -> tuple[str, str]:
        """What is painted, and the strokes of all lettering that is found besides, as text for the page; a sentence."""
        item, folder, edits = self._find(config, name)
        before = _layer(item, text)
        image = _as_now(item, folder, edits.removed_regions).image
        regions = text_regions(image)
        if not regions:
            return text, f"No lettering was found in {name}; paint over what is to be erased."
        found = text_mask(image, regions)
        layer = painted.write(item.path, found if before is None else ImageChops.lighter(found, before))
        return layer, "What looks like lettering is painted over: look at it, correct it, then press Erase."

    def load(self, config: PrepareConfig, name: str, mask: Path) -> tuple[str, str]:
        """A mask from a file, white where it is to be erased, as text for the page; a sentence."""
        item, _, _ = self._find(config, name)
        layer = painted.write(item.path, read_mask(mask, item.source_size))
        return layer, "The mask is painted over the picture: look at it, then press Erase."

    def erase(self, config: PrepareConfig, name: str, text: str, seed: int, tell: Report = lambda _: None) -> str:
        """Fill what is painted; returns a sentence.

        Raises
        ------
        BadInput
            Also when nothing is painted, or no model can fill here.
        """
        item, folder, _ = self._find(config, name)
        layer = _layer(item, text)
        if layer is None:
            raise BadInput("Nothing is painted over; paint over what is to be erased.")
        if not 0 <= seed < _MOST_SEEDS:
            raise BadInput(f"The seed is {seed}; give a number from 0 to {_MOST_SEEDS - 1}.")
        with acquire_fill_method(config, self._host, tell, seed=seed) as filling:
            done = remove_region(folder, item, layer, filling)
        if not done:
            return f"That part of {name} was filled in the same way before; nothing is changed."
        self._undone.pop((folder.path, item.digest), None)
        return f"Erased in {name}, by {config.fill}. The picture itself stays as it is; Prepare uses what you see."

    def undo(self, config: PrepareConfig, name: str, text: str = "") -> tuple[str, str]:
        """Take the last erasing back.

        Returns
        -------
        tuple
            A sentence, and what was painted for that erasing together with what is painted now, so that it can be
            filled in another way.

        Raises
        ------
        BadInput
            Also when there is none.
        """
        item, folder, edits = self._find(config, name)
        if not edits.removed_regions:
            raise BadInput(f"Nothing is erased in {name}, so there is nothing to undo.")
        last = edits.removed_regions[-1]
        now = _layer(item, text) or Image.new("L", item.source_size)
        patch = load_patch(folder, last)
        now.paste(255, last.box, patch.pixels.getchannel("A"))
        self._change(folder, item, lambda stack: tuple(one for one in stack if one != last))
        self._undone[folder.path, item.digest].append(last)
        return f"Undone in {name}; what was painted for it is painted again.", painted.write(item.path, now)

    def redo(self, config: PrepareConfig, name: str) -> str:
        """Erase again what was undone last; returns a sentence.

        Raises
        ------
        BadInput
            Also when nothing was undone since the last erasing.
        """
        item, folder, _ = self._find(config, name)
        undone = self._undone[folder.path, item.digest]
        if not undone:
            raise BadInput(f"Nothing was undone in {name}, so there is nothing to redo.")
        last = undone.pop()
        self._change(folder, item, lambda stack: (*stack, last))
        return f"Redone in {name}."

    def _find(self, config: PrepareConfig, name: str) -> tuple[Item, PreparedFolder, ImageEdits]:
        if not name:
            raise BadInput("No picture is chosen; choose one.")
        found = list_images(Path(config.source), subfolders=config.subfolders)
        real = next((one for one in found if file_name(one) == name), name)
        item, folder = find_image(config, real, self._host.tools.upscalers)
        return item, folder, read_manifest(folder).edits.of(item.digest, item.name)

    @staticmethod
    def _change(folder: PreparedFolder, item: Item, change: Any) -> None:
        def changed(edits: Edits) -> Edits:
            now = edits.of(item.digest, item.name)
            return edits.with_image(item.digest, replace(now, removed_regions=change(now.removed_regions)))

        update_edits(folder, changed)


def _layer(item: Item, text: str) -> Image.Image | None:
    """What is painted over a picture, at its own size."""
    if not text:
        return None
    found = painted.read(text)
    if not found.belongs_to(item.path):
        raise BadInput(f"What is painted belongs to {found.name} and not to {item.name}; choose that picture again.")
    return found.over(item.source_size)


def _as_now(item: Item, folder: PreparedFolder, erased: Sequence[RemovedRegion]) -> LayeredImage:
    return apply(open_layered(item), [load_patch(folder, one) for one in erased])


def _reduced(item: Item, folder: PreparedFolder, erased: Sequence[RemovedRegion]) -> Image.Image:
    piece = _as_now(item, folder, erased)
    return downscaled(piece.image, piece.alpha, painted.SHOWN)


def _note(erased: int) -> str:
    return f"{erased} erased" if erased else ""
