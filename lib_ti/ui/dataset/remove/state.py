"""Removing painted regions of source images, one image at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageChops

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.data.beside.masks import read_mask
from lib_ti.data.dataset import Item
from lib_ti.data.folder import list_images
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.host.tools import Report
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.patches import load_patch
from lib_ti.prep.remove.proposals import patch_names
from lib_ti.prep.remove.removal import acquire_fill_method, add_patch, remove_region
from lib_ti.prep.remove.text_mask import text_mask
from lib_ti.prep.remove.text_regions import text_regions
from lib_ti.prep.thumbnails import downscaled
from lib_ti.ui.dataset.painting import layer as painted_layer
from lib_ti.ui.dataset.painting.view import PaintableImage, Stage
from lib_ti.ui.dataset.remove.fills import FillComparer, FillComparison, FillRequest
from lib_ti.ui.dataset.remove.source_image import SourceImage
from lib_ti.ui.html.fragments import file_name
from lib_ti.ui.server.image_addresses import address
from lib_ti.ui.server.temporary_images import TemporaryImages


@dataclass(frozen=True)
class RemovedArea:
    """A finished removal: source folder, the image's name on the page, the layer that was painted, and a message."""

    source: str
    name: str
    layer: str
    message: str


class Removals:
    """The removals of one host's pages. Images are named as :func:`file_name` names them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shown = TemporaryImages()
        self._comparer = FillComparer(host, self._shown)
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
        source = self.find(config, name)
        item, regions = source.item, source.edits.removed_regions
        stage = Stage(
            item.path,
            item.source_size,
            "remove",
            address(item.path, painted_layer.SHOWN),
            excluded=source.edits.excluded,
            can_redo=bool(self._undone.get((source.folder.path, item.digest))),
        )
        if not regions:
            return stage
        stack = " ".join(source.patches)
        return replace(
            stage,
            now=self._shown.address(f"{item.digest} {stack}", lambda: _shown(source, regions)),
            before=self._shown.address(item.digest, lambda: _shown(source, ())),
            note=_note(len(regions)),
            can_undo=True,
        )

    def find_text(self, config: PrepareConfig, name: str, text: str) -> tuple[str, str]:
        """Return the painted layer with the strokes of all text added, as text for the page; and a message."""
        source = self.find(config, name)
        before = source.layer(text)
        image = source.patched().image
        regions = text_regions(image)
        if not regions:
            return text, f"No text was found in {name}; paint over the area to remove."
        found = text_mask(image, regions)
        both = found if before is None else ImageChops.lighter(found, before)
        layer = painted_layer.write(source.item.path, both, "found")
        return layer, "Possible text is painted over: check and correct it, then press Remove."

    def load(self, config: PrepareConfig, name: str, mask: Path) -> tuple[str, str]:
        """Load a mask from a file, white in the area to remove, as text for the page; also return a message."""
        item = self.find(config, name).item
        layer = painted_layer.write(item.path, read_mask(mask, item.source_size), "file")
        return layer, "The mask is painted over the image: check it, then press Remove."

    def check(self, request: FillRequest) -> None:
        """Raise :class:`BadInput` when nothing is painted or the seed is none, before a task begins."""
        self.find(request.config, request.name).painted(request.layer)
        request.check()

    def remove(self, request: FillRequest, report: Report = lambda _: None) -> RemovedArea:
        """Inpaint the painted area.

        Raises
        ------
        BadInput
            Also when nothing is painted, or no model can inpaint here.
        """
        source = self.find(request.config, request.name)
        layer = source.painted(request.layer)
        request.check()
        with acquire_fill_method(request.config, self._host, report, seed=request.seed) as method:
            removed = remove_region(source.folder, source.item, layer, method)
        if removed is None:
            message = f"That area of {request.name} was already removed in the same way; nothing has changed."
        else:
            message = self._removed(source, removed)
        return RemovedArea(request.config.source, request.name, request.layer, message)

    def compare(self, request: FillRequest, task: TaskContext) -> FillComparison:
        """Fill the painted area by each method; see :meth:`FillComparer.compare`."""
        return self._comparer.compare(request, self.find(request.config, request.name), task)

    def choose(self, comparison: FillComparison | None, key: str, method: str) -> RemovedArea:
        """Remove a compared area by one of its fills.

        Raises
        ------
        BadInput
            When there is no such fill, or the image has changed since.
        """
        patch = comparison.patch(method) if comparison is not None and comparison.key == key else None
        if comparison is None or patch is None:
            raise BadInput("These fills are no longer kept: press Compare fills again.")
        source = comparison.image
        if patch_names(read_manifest(source.folder).edits.of(source.item.digest, source.item.name)) != source.patches:
            raise BadInput(f"{comparison.name} has changed since its fills were compared: press Compare fills again.")
        add_patch(source.folder, source.item, patch)
        message = self._removed(source, patch.region)
        return RemovedArea(str(source.folder.source or ""), comparison.name, comparison.layer, message)

    def remaining(self, config: PrepareConfig, removed: RemovedArea, text: str) -> str:
        """Return what is painted besides a removed area, which is nothing but for what was painted meanwhile."""
        source = self.find(config, removed.name)
        now, then = source.layer(text), source.layer(removed.layer)
        left = None if now is None or then is None else ImageChops.subtract(now, then)
        return painted_layer.write(source.item.path, left, "removed")

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
        source = self.find(config, name)
        item, folder = source.item, source.folder
        if not source.edits.removed_regions:
            raise BadInput(f"Nothing is removed in {name}, so there is nothing to undo.")
        last = source.edits.removed_regions[-1]
        now = source.layer(text) or Image.new("L", item.source_size)
        patch = load_patch(folder, last)
        now.paste(255, last.box, patch.pixels.getchannel("A"))
        self._change(folder, item, lambda regions: tuple(region for region in regions if region != last))
        self._undone[folder.path, item.digest].append(last)
        layer = painted_layer.write(item.path, now, "undone")
        return f"Undone in {name}; the area that was removed is painted again.", layer

    def redo(self, config: PrepareConfig, name: str) -> tuple[str, str]:
        """Redo the removal that was undone last; return a message and an empty layer.

        Raises
        ------
        BadInput
            Also when nothing was undone since the last removal.
        """
        source = self.find(config, name)
        undone = self._undone[source.folder.path, source.item.digest]
        if not undone:
            raise BadInput(f"Nothing was undone in {name}, so there is nothing to redo.")
        last = undone.pop()
        self._change(source.folder, source.item, lambda regions: (*regions, last))
        return f"Redone in {name}.", painted_layer.write(source.item.path, None, "removed")

    def find(self, config: PrepareConfig, name: str) -> SourceImage:
        """Find an image by its name on the page; raises as :meth:`SourceImage.find`."""
        return SourceImage.find(config, name, self._host.tools.upscalers)

    def _removed(self, source: SourceImage, region: RemovedRegion) -> str:
        """Forget what was undone in an image, and return the message that a region of it was removed."""
        self._undone.pop((source.folder.path, source.item.digest), None)
        name = file_name(source.item.name)
        return f"Removed in {name}, by {region.method}. The image itself is unchanged; Prepare uses what you see."

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


def _shown(source: SourceImage, regions: Sequence[RemovedRegion]) -> Image.Image:
    layered = source.patched(regions)
    return downscaled(layered.image, layered.alpha, painted_layer.SHOWN)


def _note(removed: int) -> str:
    return f"{removed} removed" if removed else ""
