"""Erasing in a whole folder, by masks that were painted in another program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from lib_ti.config.prepare import PrepareConfig
from lib_ti.data.dataset import Item
from lib_ti.data.folder import Skipped, list_files
from lib_ti.data.images import UnreadablePicture
from lib_ti.data.masks import read_mask
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host
from lib_ti.prep.edits import Edits
from lib_ti.prep.erase import MODEL, Filling, apply, fill, load_patch, painted, save_patch
from lib_ti.prep.make import open_piece
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.plan import found_pictures
from lib_ti.prep.prepared import PreparedFolder
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
        As for :func:`lib_ti.prep.run.run`.

    Raises
    ------
    BadInput
        Settings or folders that cannot be used, or no model to fill with.
    Stopped
        When ``stop`` said so; the patches made so far are kept.
    """
    found, folder = found_pictures(config, host.upscalers if host else ())
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
    elif host is None or not host.can_inpaint:
        raise BadInput("Fill method is 'model', and no model can fill here; choose telea or ns.")
    else:
        model = Path(host.arguments.get("checkpoint", "")).stem
        with host.inpainter(tell) as inpainter:
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
