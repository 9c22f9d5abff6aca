"""Remove regions in a whole folder, by masks that were painted in another program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.beside.masks import read_mask
from lib_ti.data.dataset import Item
from lib_ti.data.folder import Skipped, list_files
from lib_ti.data.images.decode import UnreadableImage
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.host.tools import Report
from lib_ti.prep.remove.removal import acquire_fill_method, remove_region
from lib_ti.prep.sources import find_images
from lib_ti.wording import counted


@dataclass
class MaskRemovals:
    """Names of images with a new patch, and of those that already had it; files that could not be used."""

    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def describe(self) -> str:
        """Return a one-line summary."""
        return f"Removed regions in {counted(len(self.removed), 'image')}; {len(self.unchanged)} already done before."


def match_masks(items: Sequence[Item], masks: Path) -> tuple[list[tuple[Item, Path]], list[Skipped]]:
    """Pair images with their masks, ``<image's name>.png`` or ``<its stem>.png``; also return files without an image.

    Raises
    ------
    BadInput
        When the folder of the masks cannot be listed.
    """
    files = {path.name: path for path in list_files(masks).paths}
    found = []
    for item in items:
        mask = files.get(f"{item.path.name}.png") or files.get(f"{item.path.stem}.png")
        if mask is not None:
            found.append((item, mask))
    used = {mask for _, mask in found}
    return found, [Skipped(path, "no source image has this name") for path in files.values() if path not in used]


def remove_by_masks(
    config: PrepareConfig,
    masks: Path,
    *,
    host: Host | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    report: Report = lambda _: None,
) -> MaskRemovals:
    """Inpaint the white regions of the masks by the fill method of the settings, and keep the patches.

    An image whose last patches already cover the same regions is skipped, so that the command can be repeated.

    Parameters
    ----------
    host
        Provides the model, where that inpaints.
    progress, stop, report
        As for :func:`lib_ti.prep.recipe.execute.execute_plan`.

    Raises
    ------
    BadInput
        When settings or folders cannot be used, or no model can inpaint here.
    Stopped
        When ``stop`` returned true; the patches made so far are kept.
    """
    found, folder = find_images(config, host.tools.upscalers if host else ())
    pairs, others = match_masks(found.items, masks)
    skipped = {name: one for one in found.skipped for name in (f"{one.path.name}.png", f"{one.path.stem}.png")}
    outcome = MaskRemovals(skipped=[skipped.get(one.path.name, one) for one in others])
    with acquire_fill_method(config, host, report) as method:
        for number, (item, mask) in enumerate(pairs):
            progress(number, len(pairs))
            if stop():
                raise Stopped(
                    f"Removing was stopped after {number} of {counted(len(pairs), 'image')}; finished images are kept."
                )
            try:
                removed = remove_region(folder, item, read_mask(mask, item.source_size), method)
            except UnreadableImage as error:
                outcome.skipped.append(Skipped(error.path, error.reason))
            except BadInput as error:
                outcome.skipped.append(Skipped(mask, str(error)))
            else:
                (outcome.removed if removed else outcome.unchanged).append(item.name)
    progress(len(pairs), len(pairs))
    return outcome
