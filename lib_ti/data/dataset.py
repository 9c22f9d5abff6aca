"""The images of a run, split into training and validation, and sentences about them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from lib_ti.data.beside.captions import CaptionSource
from lib_ti.data.folder import Skipped, natural_order
from lib_ti.errors import BadInput
from lib_ti.wording import counted, printable, some

Resize = Literal["crop", "buckets", "keep"]
"""Fill and crop to one size, to the nearest aspect-ratio bucket, or do not resize."""

FEWEST_FOR_VALIDATION = 8
"""Images of a dataset of which some are held out."""
MANY_IMAGES, HELD_OUT, MOST_HELD_OUT = 20, 8, 32
"""Images of which so many are held out automatically, at least and at most: 8 tell the best step, 2 often don't."""
AUTOMATIC_SHARE = 0.1
_MOST_NAMED = 5


@dataclass(frozen=True)
class Item:
    """One image to train on. Sizes are (width, height) in pixels.

    ``name`` is its path from the dataset's folder, with ``/``; for most the file's name.
    ``source_size`` is the image's own, turned as its EXIF data asks, ``size`` the one it is trained at.
    ``digest`` is the hexadecimal SHA-256 of the file. ``upscaled`` is the factor by which it is upscaled, 1.0 when it
    is not. ``mask`` is the file beside it with the weight of its loss; ``mask_digest`` its SHA-256 where masks are
    used. ``repeats`` is how often an epoch uses it. ``remarks`` are ends of sentences that begin with the file's name.
    """

    path: Path
    name: str
    caption: str
    caption_source: CaptionSource
    source_size: tuple[int, int]
    size: tuple[int, int]
    digest: str
    upscaled: float = 1.0
    has_alpha: bool = False
    mask: Path | None = None
    mask_digest: str = ""
    repeats: int = 1
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """How images become items.

    ``width`` and ``height`` are the training size in pixels, multiples of 8. ``validation_split`` is
    the share in 0..1 of the images for validation, at least one, or negative for an automatic number; there are none of
    fewer than 8 images. Which ones depends on ``seed`` and the images' contents only. ``subfolders`` uses the images of
    sub-folders too. ``word_regex`` and ``join`` are for captions from file names, see
    :func:`lib_ti.data.beside.captions.read_caption`.
    """

    width: int
    height: int
    resize: Resize = "crop"
    use_alpha: bool = False
    validation_split: float = 0.1
    seed: int = 0
    subfolders: bool = False
    word_regex: str = ""
    join: str = " "


@dataclass(frozen=True)
class Dataset:
    """The images of a folder: ``items`` for training, ``validation`` for validation."""

    folder: Path
    rules: Rules
    items: tuple[Item, ...]
    validation: tuple[Item, ...]
    skipped: tuple[Skipped, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def all_items(self) -> tuple[Item, ...]:
        return self.items + self.validation

    @cached_property
    def fingerprint(self) -> str:
        """Hash of contents, captions, sizes, masks that are used, and roles.

        The files' names and order do not matter.
        """
        parts = sorted(
            [role, item.digest, item.caption, *item.size, *([item.mask_digest] if item.mask_digest else [])]
            + ([item.repeats] if item.repeats > 1 else [])
            for role, items in (("train", self.items), ("held out", self.validation))
            for item in items
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what the user may want to change, other than the skipped files."""
        everything = self._in_order()
        notes = list(self.remarks)
        upscaled = [f"{printable(item.name)} ({item.upscaled:.3g} times)" for item in everything if item.upscaled > 1]
        if upscaled:
            notes.append(
                f"{len(upscaled)} of {len(everything)} images are smaller than their training size and are upscaled, "
                f"which trains blur: {some(upscaled)}."
            )
        uncaptioned = [printable(item.name) for item in everything if not item.caption]
        if uncaptioned:
            notes.append(f"{len(uncaptioned)} of {len(everything)} images have an empty caption: {some(uncaptioned)}.")
        masked = [printable(item.name) for item in everything if item.mask]
        if masked and not self.rules.use_alpha:
            notes.append(
                f"{len(masked)} of {len(everything)} images have a mask beside them, which is not used unless "
                f"the alpha channel is used as loss weight: {some(masked)}."
            )
        if self.rules.use_alpha and not masked and not any(item.has_alpha for item in everything):
            notes.append("No image has transparency or a mask, so using them as loss weight changes nothing.")
        return (*notes, *self.remarks_by_file())

    def remarks_by_file(self) -> tuple[str, ...]:
        """Return the remarks about images as sentences, each with the names of its images."""
        by_remark: dict[str, list[str]] = {}
        for item in self._in_order():
            for remark in item.remarks:
                by_remark.setdefault(remark, []).append(printable(item.name))
        return tuple(f"{some(names)}: {remark}." for remark, names in by_remark.items())

    def describe(self) -> tuple[str, ...]:
        """Return short sentences that sum up the dataset before the run."""
        if not self.skipped:
            return self.sums
        where = "" if len(self.skipped) <= _MOST_NAMED else "; run.log in the run's folder names all"
        reasons = some(_reasons(self.skipped), _MOST_NAMED)
        return (*self.sums, f"{counted(len(self.skipped), 'file')} skipped: {reasons}{where}.")

    @property
    def sums(self) -> tuple[str, ...]:
        """Short sentences about the images and captions."""
        everything = self.all_items
        sources = Counter(item.caption_source for item in everything)
        sizes = Counter(item.size for item in everything).most_common()
        number = counted(len(self.items), "image")
        lines = [
            f"{number} for training, {len(self.validation)} for validation.",
            f"Captions: {sources['file']} from caption files, {sources['name']} from file names.",
            "Training sizes: " + ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes) + ".",
        ]
        weighted = sum(bool(item.mask or item.has_alpha) for item in everything) if self.rules.use_alpha else 0
        if weighted:
            lines.append(f"The loss is weighted by mask or transparency in {counted(weighted, 'image')}.")
        repeated = {
            name.rpartition("/")[0]: item.repeats for item in everything if item.repeats > 1 for name in [item.name]
        }
        if repeated:
            folders = some([f"{printable(name)} ({counted(number, 'time')})" for name, number in repeated.items()])
            lines.append(f"By the numbers of their sub-folders, images are used more than once an epoch: {folders}.")
        return tuple(lines)

    def without(self, reasons: Mapping[Path, str]) -> Dataset:
        """Return the dataset with the images at some paths skipped, and with a new validation split.

        Raises
        ------
        BadInput
            When no image is left.
        """
        names = {item.path: item.name for item in self.all_items}
        skipped = self.skipped + tuple(Skipped(path, reason, names[path]) for path, reason in reasons.items())
        left = tuple(item for item in self._in_order() if item.path not in reasons)
        if not left:
            raise NothingReadable(self.folder, skipped)
        items, validation = split(left, self.rules)
        return replace(self, items=items, validation=validation, skipped=skipped)

    def _in_order(self) -> tuple[Item, ...]:
        return tuple(sorted(self.all_items, key=lambda item: natural_order(self.folder, item.path)))


def split(items: Sequence[Item], rules: Rules) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Split items into training and validation; adding images changes the validation images as little as possible."""
    if len(items) < FEWEST_FOR_VALIDATION or rules.validation_split == 0:
        return tuple(items), ()
    if rules.validation_split > 0:
        number = min(len(items) - 1, max(1, round(rules.validation_split * len(items))))
    else:
        least = HELD_OUT if len(items) >= MANY_IMAGES else 1
        number = min(MOST_HELD_OUT, max(least, round(AUTOMATIC_SHARE * len(items))))
    ranked = sorted(items, key=lambda item: hashlib.sha256(f"{rules.seed} {item.digest}".encode()).digest())
    chosen = {item.digest for item in ranked[:number]}
    kept = tuple(item for item in items if item.digest not in chosen)
    return kept, tuple(item for item in items if item.digest in chosen)


class NothingReadable(BadInput):
    """A folder has no image that can be used. The text names the first few files, ``skipped`` has all of them.

    Parameters
    ----------
    remarks
        Sentences about what the folder holds besides.
    """

    def __init__(self, folder: Path, skipped: Sequence[Skipped], remarks: Sequence[str] = ()) -> None:
        self.skipped = tuple(skipped)
        problem = "holds no image; put images directly into it."
        if skipped:
            problem = f"has no readable image; {counted(len(skipped), 'file')} skipped: {some(_reasons(skipped))}."
        super().__init__(" ".join((f"The image folder {printable(folder)} {problem}", *remarks)))


def _reasons(skipped: Iterable[Skipped]) -> list[str]:
    return [f"{one.shown} ({one.reason})" for one in skipped]
