"""Removing a painted region of a source image: inpainted, and added to the image's edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.prep.edits import Edits
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.remove.inpaint import MODEL, Filling, fill, painted
from lib_ti.prep.remove.patches import apply, load_patch, save_patch
from lib_ti.prep.sources import open_piece


@contextmanager
def lent_filling(
    config: PrepareConfig, host: Host | None, tell: Callable[[str], None], *, seed: int = 0
) -> Iterator[Filling]:
    """The fill method of the settings, with the host's model where that fills.

    Raises
    ------
    BadInput
        When no model can fill here.
    """
    if config.fill != MODEL:
        yield Filling(config.fill)
    elif host is None or not host.tools.can_inpaint:
        raise BadInput("Fill method is 'model', and no model can fill here; choose telea or ns.")
    else:
        model = Path(host.models.arguments.get("checkpoint", "")).stem
        with host.tools.inpainter(tell) as inpainter:
            yield Filling(MODEL, inpainter, prompt=config.fill_prompt, seed=seed, model=model)


def erase(folder: PreparedFolder, item: Item, mask: Image.Image, filling: Filling) -> bool:
    """Fill what a mask ("L", of the picture's size) has above 127, on top of what was erased of the picture before.

    The patch is kept and added to the picture's edits.

    Returns
    -------
    bool
        False when one of the same part by the same method is there already.

    Raises
    ------
    BadInput
        When the mask, or the method, is not possible.
    UnreadablePicture
        When the picture or an earlier patch cannot be used.
    """
    mask = painted(mask)
    edits = read_manifest(folder).edits.of(item.digest, item.name)
    patches = [load_patch(folder, erased) for erased in edits.erased]
    if any(filling.made(patch, mask) for patch in patches):
        return False
    piece = apply(open_piece(item), patches)
    patch = fill(piece.image, mask, filling)
    save_patch(folder, patch)

    def with_patch(before: Edits) -> Edits:
        now = before.of(item.digest, item.name)
        return before.with_picture(item.digest, replace(now, erased=(*now.erased, patch.erased)))

    update_edits(folder, with_patch)
    return True
