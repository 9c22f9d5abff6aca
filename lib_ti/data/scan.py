"""From a folder to a dataset: every image is inspected and decoded once, and every excluded file has its reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from lib_ti.data.beside.captions import read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.data.beside.masks import find_masks, shape_problem
from lib_ti.data.dataset import Dataset, Item, NothingReadable, Rules, split
from lib_ti.data.folder import FolderFiles, Skipped, list_files, repeats_of
from lib_ti.data.images import decode as images
from lib_ti.data.images.buckets import bucket_for
from lib_ti.data.images.contents import contents_of
from lib_ti.data.images.formats import has_image_suffix
from lib_ti.ordered_map import ordered_map
from lib_ti.wording import printable

_AHEAD = 64
"""Files read beyond the one whose turn it is; each leaves a few hundred bytes."""


def scan(folder: Path, rules: Rules, *, progress: Callable[[int, int], None] | None = None) -> Dataset:
    """Look at the images of a folder: contents, captions and masks.

    Files that are images neither by suffix nor by content are passed over. Images that do not decode to their end, that
    have a mask which cannot be used, second copies of the same file, and what belongs to an embedding are listed as
    skipped. Files that were looked at before in this process and are unchanged are not read again.

    Parameters
    ----------
    progress
        Called with files done and in all, from this thread.

    Raises
    ------
    BadInput
        When the folder is missing, is not a folder or cannot be listed.
    NothingReadable
        When it has no image that can be used.
    """
    files = list_files(folder, subfolders=rules.subfolders)
    found: dict[str, Item] = {}
    skipped = list(files.skipped)
    for done, seen in enumerate(_look_at_all(files, rules), 1):
        if progress:
            progress(done, len(files.paths))
        if isinstance(seen, Skipped):
            skipped.append(seen)
        elif seen is not None:
            first = found.setdefault(seen.digest, seen)
            if first is not seen:
                reason = f"it is the same image as {printable(first.name)}, which is used once"
                skipped.append(Skipped(seen.path, reason, seen.name))
    if not found:
        raise NothingReadable(folder, skipped, files.remarks)
    items, validation = split(tuple(found.values()), rules)
    return Dataset(folder, rules, items, validation, tuple(skipped), files.remarks)


def read_item(folder: Path, name: str, rules: Rules) -> Item:
    """Return the item of one file by its path from the folder.

    A side of its training size is 0 where the image is too small to be trained on.

    Raises
    ------
    UnreadableImage
        When it, or its mask, is no image that can be used.
    """
    path = folder / name
    return _item(folder, path, rules, Beside(path.parent, None if path.parent == folder else Beside(folder)))


def _look_at_all(files: FolderFiles, rules: Rules) -> Iterator[Item | Skipped | None]:
    """Yield the item of each file, or why it is skipped, or None for a file that nobody means as an image."""

    def look(path: Path) -> Item | Skipped | None:
        try:
            item = _item(files.folder, path, rules, files.beside[path.parent])
        except images.UnreadableImage as error:
            return Skipped(path, error.reason, files.name(path)) if has_image_suffix(path) else None
        if not all(item.size):
            width, height = item.source_size
            return Skipped(path, f"it is only {width}×{height} pixels, and each side needs at least 8", item.name)
        if not item.repeats:
            return Skipped(path, f"the name of its folder {printable(path.parent.name)} asks for 0 repeats", item.name)
        return item

    yield from ordered_map(look, files.paths, workers=min(8, os.cpu_count() or 1), ahead=_AHEAD, name="scan")


def _item(folder: Path, path: Path, rules: Rules, beside: Beside) -> Item:
    contents = contents_of(path)
    header = contents.header
    masks = find_masks(path, beside)
    mask_digest = _mask_digest(path, masks[0], header.size) if masks and rules.use_alpha else ""
    size = _training_size(header.size, rules)
    caption = read_caption(path, beside, word_regex=rules.word_regex, join=rules.join)
    several = f"it has {len(masks)} masks, and {printable(masks[0].name)} is used" if len(masks) > 1 else ""
    return Item(
        path=path,
        name=path.relative_to(folder).as_posix(),
        caption=caption.text,
        caption_source=caption.source,
        source_size=header.size,
        size=size,
        digest=contents.digest,
        upscaled=1.0 if rules.resize == "keep" else max(1.0, images.enlargement(header.size, size)),
        has_alpha=header.has_alpha,
        mask=masks[0] if masks else None,
        mask_digest=mask_digest,
        repeats=repeats_of(folder, path),
        remarks=tuple(remark for remark in (caption.remark, several, *header.remarks) if remark),
    )


def _mask_digest(image: Path, mask: Path, size: tuple[int, int]) -> str:
    what = f"its mask {printable(mask.name)} cannot be used"
    try:
        contents = contents_of(mask)
    except images.UnreadableImage as error:
        raise images.UnreadableImage(image, f"{what}: {error.reason}") from error
    if problem := shape_problem(contents.header.size, size):
        raise images.UnreadableImage(image, f"{what}: {problem}")
    return contents.digest


def _training_size(source: tuple[int, int], rules: Rules) -> tuple[int, int]:
    if rules.resize == "keep":
        return images.multiple_of_8(source)
    if rules.resize == "buckets":
        return bucket_for(*source, area_width=rules.width, area_height=rules.height)
    return rules.width, rules.height
