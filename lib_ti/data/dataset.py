"""What a folder holds to train on: pictures with captions, and what was left out and why."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Literal

from lib_ti.data import images
from lib_ti.data.buckets import bucket_for
from lib_ti.data.captions import CaptionSource, read_caption
from lib_ti.data.folder import list_files, natural_key
from lib_ti.data.masks import find_mask
from lib_ti.errors import BadInput
from lib_ti.wording import counted, some

Resize = Literal["crop", "buckets", "keep"]
"""Fill and crop to one size, to the nearest aspect-ratio bucket, or do not resize."""

FEWEST_FOR_HOLDING_OUT = 8
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Item:
    """One picture to train on. Sizes are (width, height) in pixels.

    ``source_size`` is the picture's own, turned as its EXIF data asks, ``size`` the one it is trained at.
    ``digest`` is the hexadecimal SHA-256 of the file. ``upscaled`` is the factor by which it is enlarged, 1.0 when it
    is not. ``mask`` is the file beside it that says what counts in the loss; ``mask_digest`` its SHA-256 where masks
    are used. ``remarks`` are ends of sentences that begin with the file's name.
    """

    path: Path
    caption: str
    caption_source: CaptionSource
    source_size: tuple[int, int]
    size: tuple[int, int]
    digest: str
    upscaled: float = 1.0
    has_alpha: bool = False
    mask: Path | None = None
    mask_digest: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A file that is not trained on; ``reason`` is the end of a sentence that begins with the file's name."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Rules:
    """How pictures become items; the parameters of :func:`scan`."""

    width: int
    height: int
    resize: Resize
    use_alpha: bool
    held_out: float
    seed: int


@dataclass(frozen=True)
class Dataset:
    """The pictures of a folder: ``items`` are trained on, ``held_out`` serve only to measure the training."""

    folder: Path
    rules: Rules
    items: tuple[Item, ...]
    held_out: tuple[Item, ...]
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def all_items(self) -> tuple[Item, ...]:
        return self.items + self.held_out

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what is trained on: contents, captions, sizes, masks that are used, and roles.

        The files' names and order do not matter.
        """
        parts = sorted(
            [role, item.digest, item.caption, *item.size, *([item.mask_digest] if item.mask_digest else [])]
            for role, items in (("train", self.items), ("held out", self.held_out))
            for item in items
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def notes(self) -> tuple[str, ...]:
        """Full sentences about what the user may want to change, other than the skipped files."""
        everything = _natural_order(self.all_items)
        notes = list(self.remarks)
        enlarged = [f"{item.path.name} ({item.upscaled:.3g} times)" for item in everything if item.upscaled > 1]
        if enlarged:
            notes.append(
                f"{len(enlarged)} of {len(everything)} pictures are smaller than their training size and are enlarged, "
                f"which trains blur: {some(enlarged)}."
            )
        uncaptioned = [item.path.name for item in everything if not item.caption]
        if uncaptioned:
            notes.append(
                f"{len(uncaptioned)} of {len(everything)} pictures have an empty caption: {some(uncaptioned)}."
            )
        masked = [item.path.name for item in everything if item.mask]
        if masked and not self.rules.use_alpha:
            notes.append(
                f"{len(masked)} of {len(everything)} pictures have a mask beside them, which is not used unless "
                f"the alpha channel is used as loss weight: {some(masked)}."
            )
        if self.rules.use_alpha and not masked and not any(item.has_alpha for item in everything):
            notes.append("No picture has transparency or a mask, so using them as loss weight changes nothing.")
        return (*notes, *self.remarks_by_file())

    def remarks_by_file(self) -> tuple[str, ...]:
        """The remarks about pictures as full sentences, each with the names of those it is about."""
        by_remark: dict[str, list[str]] = {}
        for item in _natural_order(self.all_items):
            for remark in item.remarks:
                by_remark.setdefault(remark, []).append(item.path.name)
        return tuple(f"{some(names)}: {remark}." for remark, names in by_remark.items())

    def describe(self) -> tuple[str, ...]:
        """Short sentences that sum up the dataset, for a look before the run."""
        if not self.skipped:
            return self.sums
        return (*self.sums, f"{counted(len(self.skipped), 'file')} skipped: {some(_reasons(self.skipped))}.")

    @property
    def sums(self) -> tuple[str, ...]:
        """Short sentences about what is trained on."""
        everything = self.all_items
        sources = Counter(item.caption_source for item in everything)
        sizes = Counter(item.size for item in everything).most_common()
        number = counted(len(self.items), "picture")
        lines = [
            f"{number} to train on, {len(self.held_out)} held out to measure the training.",
            f"Captions: {sources['file']} from text files, {sources['name']} from file names.",
            "Training sizes: " + ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes) + ".",
        ]
        weighted = sum(bool(item.mask or item.has_alpha) for item in everything) if self.rules.use_alpha else 0
        if weighted:
            lines.append(f"Not all of a picture counts in {counted(weighted, 'picture')}, by mask or transparency.")
        return tuple(lines)

    def without(self, reasons: Mapping[Path, str]) -> Dataset:
        """The dataset less the pictures at some paths, which become skipped ones; who is held out is chosen anew.

        Raises
        ------
        BadInput
            When no picture is left.
        """
        skipped = self.skipped + tuple(Skipped(path, reason) for path, reason in reasons.items())
        left = _natural_order(item for item in self.all_items if item.path not in reasons)
        if not left:
            raise BadInput(_nothing_readable(self.folder, skipped))
        items, held_out = _hold_out(left, self.rules)
        return replace(self, items=items, held_out=held_out, skipped=skipped)


def scan(  # noqa: PLR0913 - the settings of the form, each by its name
    folder: Path,
    *,
    width: int,
    height: int,
    resize: Resize = "crop",
    use_alpha: bool = False,
    word_regex: str = "",
    join: str = " ",
    held_out: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """Look at the pictures of a folder (not of its subfolders): headers, content hashes and captions, no pixels.

    Files that are pictures neither by suffix nor by content are passed over; pictures that cannot be read, and second
    copies of the same file, are listed as skipped. ``<picture>-mask.png`` beside its picture is a mask, not a picture.

    Parameters
    ----------
    width, height
        Training size in pixels, multiples of 8.
    word_regex, join
        For captions from file names, see :func:`lib_ti.data.captions.read_caption`.
    held_out
        Share in 0..1 of the pictures that is held out: at least one, and none of fewer than 8 pictures. Which ones
        depends on ``seed`` and on the pictures' contents only.

    Raises
    ------
    BadInput
        When the folder is missing, is not a folder, cannot be listed, or has no readable picture.
    """
    rules = Rules(width, height, resize, use_alpha, held_out, seed)
    paths = list_files(folder)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        looked_at = list(pool.map(lambda path: _look_at(path, rules, word_regex, join), paths))
    found: dict[str, Item] = {}
    skipped = []
    for seen in looked_at:
        if isinstance(seen, Skipped):
            skipped.append(seen)
        elif seen is not None:
            first = found.setdefault(seen.digest, seen)
            if first is not seen:
                skipped.append(Skipped(seen.path, f"it is the same picture as {first.path.name}, which is used once"))
    if not found:
        raise BadInput(_nothing_readable(folder, skipped))
    items, held = _hold_out(tuple(found.values()), rules)
    return Dataset(folder, rules, items, held, tuple(skipped))


def read_item(path: Path, rules: Rules, *, word_regex: str = "", join: str = " ") -> Item:
    """The item of one file; a side of its training size is 0 where the picture is too small to be trained on.

    Raises
    ------
    UnreadablePicture
        When it is no picture that can be used.
    """
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise images.UnreadablePicture(path, "the file is empty (0 bytes); copy or download it again")
            header = images.read_header(path, file)
            file.seek(0)
            digest = _digest(file)
        mask = find_mask(path)
        mask_digest = _mask_digest(path, mask) if mask and rules.use_alpha else ""
    except OSError as error:
        raise images.UnreadablePicture(path, f"the file cannot be read ({error.strerror})") from error
    size = _training_size(header.size, rules)
    caption = read_caption(path, word_regex=word_regex, join=join)
    return Item(
        path=path,
        caption=caption.text,
        caption_source=caption.source,
        source_size=header.size,
        size=size,
        digest=digest,
        upscaled=1.0 if rules.resize == "keep" else max(1.0, images.enlargement(header.size, size)),
        has_alpha=header.has_alpha,
        mask=mask,
        mask_digest=mask_digest,
        remarks=tuple(remark for remark in (caption.remark, header.remark) if remark),
    )


def _look_at(path: Path, rules: Rules, word_regex: str, join: str) -> Item | Skipped | None:
    """The item of a file, or why it is skipped, or None for a file that nobody means as a picture."""
    try:
        item = read_item(path, rules, word_regex=word_regex, join=join)
    except images.UnreadablePicture as error:
        return Skipped(path, error.reason) if path.suffix.lower() in images.PICTURE_SUFFIXES else None
    if not all(item.size):
        width, height = item.source_size
        return Skipped(path, f"it is only {width}×{height} pixels, and each side needs at least 8")
    return item


def _training_size(source: tuple[int, int], rules: Rules) -> tuple[int, int]:
    if rules.resize == "keep":
        return images.multiple_of_8(source)
    if rules.resize == "buckets":
        return bucket_for(*source, area_width=rules.width, area_height=rules.height)
    return rules.width, rules.height


def _mask_digest(picture: Path, mask: Path) -> str:
    try:
        with mask.open("rb") as file:
            return _digest(file)
    except OSError as error:
        raise images.UnreadablePicture(picture, f"its mask {mask.name} cannot be read ({error.strerror})") from error


def _digest(file: BinaryIO) -> str:
    sha256 = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        sha256.update(chunk)
    return sha256.hexdigest()


def _hold_out(items: Sequence[Item], rules: Rules) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Part items into those to train on and those held out; adding pictures changes little in who is held out."""
    if len(items) < FEWEST_FOR_HOLDING_OUT or rules.held_out <= 0:
        return tuple(items), ()
    number = min(len(items) - 1, max(1, round(rules.held_out * len(items))))
    ranked = sorted(items, key=lambda item: hashlib.sha256(f"{rules.seed} {item.digest}".encode()).digest())
    chosen = {item.digest for item in ranked[:number]}
    kept = tuple(item for item in items if item.digest not in chosen)
    return kept, tuple(item for item in items if item.digest in chosen)


def _natural_order(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: natural_key(item.path)))


def _nothing_readable(folder: Path, skipped: Sequence[Skipped]) -> str:
    if not skipped:
        return (
            f"The picture folder {folder} holds no picture; put pictures directly into it, subfolders are not searched."
        )
    were = f"{counted(len(skipped), 'file')} skipped: {some(_reasons(skipped))}"
    return f"The picture folder {folder} has no readable picture; {were}."


def _reasons(skipped: Iterable[Skipped]) -> list[str]:
    return [f"{one.path.name} ({one.reason})" for one in skipped]
