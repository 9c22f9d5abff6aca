"""Erasing in a whole folder, by masks that were painted in another program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.folder import Skipped, list_files
from lib_ti.data.images import UnreadablePicture
from lib_ti.data.masks import read_mask
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.prep.remove.removal import erase, lent_filling
from lib_ti.prep.sources import found_pictures
from lib_ti.wording import counted


@dataclass
class ErasedSet:
    """What came of it: names of pictures with a new patch, of those that had it already, and what could not be used."""

    erased: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def describe(self) -> str:
        """One line for a person."""
        return f"Erased in {counted(len(self.erased), 'picture')}; {len(self.unchanged)} had been before."


def masks_for(items: Sequence[Item], masks: Path) -> tuple[list[tuple[Item, Path]], list[Skipped]]:
    """Pictures with their masks, ``<picture's name>.png`` or ``<its stem>.png``, and files that belong to no picture.

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
    return found, [Skipped(path, "no found picture has this name") for path in files.values() if path not in used]


def erase_by_masks(
    config: PrepareConfig,
    masks: Path,
    *,
    host: Host | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    tell: Callable[[str], None] = lambda _: None,
) -> ErasedSet:
    """Fill what is white in the masks, by the fill method of the settings, and keep the patches for the preparation.

    A picture whose last patches cover the same already is left as it is, so that the same command can be given again.

    Parameters
    ----------
    host
        Lends the model, where that fills.
    progress, stop, tell
        As for :func:`lib_ti.prep.recipe.execute.run`.

    Raises
    ------
    BadInput
        Settings or folders that cannot be used, or no model to fill with.
    Stopped
        When ``stop`` said so; the patches made so far are kept.
    """
    found, folder = found_pictures(config, host.tools.upscalers if host else ())
    pairs, others = masks_for(found.items, masks)
    skipped = {name: one for one in found.skipped for name in (f"{one.path.name}.png", f"{one.path.stem}.png")}
    outcome = ErasedSet(skipped=[skipped.get(one.path.name, one) for one in others])
    with lent_filling(config, host, tell) as filling:
        for number, (item, mask) in enumerate(pairs):
            progress(number, len(pairs))
            if stop():
                raise Stopped(
                    f"Erasing was stopped after {number} of {counted(len(pairs), 'picture')}; what was erased is kept."
                )
            try:
                done = erase(folder, item, read_mask(mask, item.source_size), filling)
            except UnreadablePicture as error:
                outcome.skipped.append(Skipped(error.path, error.reason))
            except BadInput as error:
                outcome.skipped.append(Skipped(mask, str(error)))
            else:
                (outcome.erased if done else outcome.unchanged).append(item.name)
    progress(len(pairs), len(pairs))
    return outcome
