"""A source image that a page works on: its file, its edits, and what is painted over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_ti.config import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.folder import list_images
from lib_ti.errors import BadInput
from lib_ti.prep.edits import ImageEdits, RemovedRegion
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.patches import apply, load_patch
from lib_ti.prep.remove.proposals import patch_names
from lib_ti.prep.sources import find_image, open_layered
from lib_ti.ui.dataset.painting import layer as painted_layer
from lib_ti.ui.html.fragments import file_name


@dataclass(frozen=True)
class SourceImage:
    """A source image with its prepared folder and its present edits."""

    item: Item
    folder: PreparedFolder
    edits: ImageEdits

    @classmethod
    def find(cls, config: PrepareConfig, name: str, upscalers: Iterable[str]) -> SourceImage:
        """Find an image by its name on the page.

        Raises
        ------
        BadInput
            When settings or folders cannot be used, or there is no such image.
        UnreadableImage
            When the file is not an image that can be used.
        """
        if not name:
            raise BadInput("No image is chosen; choose one.")
        found = list_images(Path(config.source), subfolders=config.subfolders)
        real = next((one for one in found if file_name(one) == name), name)
        item, folder = find_image(config, real, upscalers)
        return cls(item, folder, read_manifest(folder).edits.of(item.digest, item.name))

    @property
    def patches(self) -> tuple[str, ...]:
        return patch_names(self.edits)

    def patched(self, regions: Sequence[RemovedRegion] | None = None) -> LayeredImage:
        """Return the image with its removed regions, or with others; raises :class:`UnreadableImage`."""
        regions = self.edits.removed_regions if regions is None else regions
        return apply(open_layered(self.item), [load_patch(self.folder, region) for region in regions])

    def layer(self, text: str) -> Image.Image | None:
        """Return the layer that is painted over the image, at the image's own size; None for nothing.

        Raises
        ------
        BadInput
            When the layer belongs to another image.
        """
        if not text:
            return None
        painted = painted_layer.read(text)
        if not painted.belongs_to(self.item.path):
            raise BadInput(
                f"The painted layer belongs to {painted.name} and not to {self.item.name}; choose that image again."
            )
        return painted.at_size(self.item.source_size)

    def painted(self, text: str) -> Image.Image:
        """Return the layer; raises :class:`BadInput` also when nothing is painted."""
        layer = self.layer(text)
        if layer is None:
            raise BadInput("Nothing is painted; paint over the area to remove.")
        return layer
