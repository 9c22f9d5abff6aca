"""Remove a painted region of a source image: inpaint it, and add it to the image's edits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.host.tools import Report
from lib_ti.prep.edits import Edits, RemovedRegion
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.inpaint import MODEL, FillMethod, binarize, inpaint
from lib_ti.prep.remove.patches import InpaintedPatch, apply, load_patch, save_patch
from lib_ti.prep.sources import open_layered


@contextmanager
def acquire_fill_method(
    config: PrepareConfig, host: Host | None, report: Report, *, seed: int = 0
) -> Iterator[FillMethod]:
    """Yield the fill method of the settings, with the host's model loaded where that inpaints.

    Raises
    ------
    BadInput
        When no model can inpaint here.
    """
    if config.fill != MODEL:
        yield FillMethod(config.fill, seed=seed)
    elif host is None or not host.tools.can_inpaint:
        raise BadInput("Fill method is 'model', and no model can inpaint here; choose auto, telea or ns.")
    else:
        model = Path(host.models.arguments.get("checkpoint", "")).stem
        with host.tools.inpainter(report) as inpainter:
            yield FillMethod(MODEL, inpainter, prompt=config.fill_prompt, seed=seed, model=model)


def remove_region(folder: PreparedFolder, item: Item, mask: Image.Image, method: FillMethod) -> RemovedRegion | None:
    """Inpaint where a mask ("L", of the image's size) is above 127, on top of regions that were removed before.

    The patch is saved, and the region added to the image's edits.

    Returns
    -------
    RemovedRegion or None
        None when the same region was already removed by the same method.

    Raises
    ------
    BadInput
        When the mask cannot be used, or the method is not available.
    UnreadableImage
        When the image or an earlier patch cannot be used.
    """
    mask = binarize(mask)
    method = method.for_mask(mask)
    edits = read_manifest(folder).edits.of(item.digest, item.name)
    patches = [load_patch(folder, region) for region in edits.removed_regions]
    if any(method.matches(patch, mask) for patch in patches):
        return None
    layered = apply(open_layered(item), patches)
    patch = inpaint(layered.image, mask, method)
    add_patch(folder, item, patch)
    return patch.region


def add_patch(folder: PreparedFolder, item: Item, patch: InpaintedPatch) -> None:
    """Save a patch, and add its region to the image's edits.

    Raises
    ------
    CannotWrite
        When the folder or the disk does not accept it.
    """
    save_patch(folder, patch)

    def with_patch(before: Edits) -> Edits:
        now = before.of(item.digest, item.name)
        return before.with_image(item.digest, replace(now, removed_regions=(*now.removed_regions, patch.region)))

    update_edits(folder, with_patch)
