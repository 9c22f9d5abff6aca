"""The files of an image folder that are meant as training images, in the order in which people list them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lib_ti.data.beside.companions import Beside
from lib_ti.data.beside.masks import find_masks
from lib_ti.data.images.decode import UnreadableImage, read_header
from lib_ti.data.images.formats import has_image_suffix
from lib_ti.errors import BadInput
from lib_ti.paths import folder_problem, natural_key
from lib_ti.wording import counted, printable, some

_NO_IMAGES = frozenset(
    {".txt", ".caption", ".json", ".jsonl", ".csv", ".npz", ".npy", ".pt", ".safetensors", ".bin", ".db", ".ini"}
)
_REPLACED = ".replaced-"
"""Start of the suffix of files that were replaced and kept."""
_EMBEDDINGS = (".pt", ".safetensors", ".bin")
CONDITION_LABELS = ("-condlabel", "-depthlabel")
"""Names of images that OneTrainer and its forerunner take for conditions, and never train on."""
_RUN_MARK = "textual_inversion_loss.csv"
"""A file of every run folder, whose images are previews."""
_REPEATS = re.compile(r"(\d+)_")
_MOST_LISTED = 5_000
"""Files that are looked at to count the images of sub-folders that are not used."""


@dataclass(frozen=True)
class Skipped:
    """A file that is not used; ``reason`` is the end of a sentence that begins with ``shown``.

    ``name`` is the file's path from the folder that was searched, where that is more than its name.
    """

    path: Path
    reason: str
    name: str = ""

    @property
    def shown(self) -> str:
        """The name as it is displayed."""
        return printable(self.name or self.path.name)

    def __str__(self) -> str:
        return f"{self.shown}: {self.reason}."


@dataclass(frozen=True)
class FolderFiles:
    """The files of an image folder.

    ``paths`` may be images, by name or content; ``skipped`` are images that belong to something else. ``beside`` has
    the files of each folder that was searched, ``unsearched`` the number of images in each sub-folder that was not, by
    its path from the folder; of very many files not ``all_counted``.
    """

    folder: Path
    paths: tuple[Path, ...]
    skipped: tuple[Skipped, ...]
    beside: Mapping[Path, Beside] = field(repr=False)
    unsearched: Mapping[str, int]
    all_counted: bool = True

    def name(self, path: Path) -> str:
        """Return a file's path from the folder, with ``/``; for files directly in it their name."""
        return path.relative_to(self.folder).as_posix()

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences about what else the folder holds."""
        problems = [table.problem for beside in self.beside.values() for table in beside.metadata if table.problem]
        if self.unsearched:
            there = some([f"{name} ({counted(number, 'image')})" for name, number in self.unsearched.items()])
            others = "" if self.all_counted else " and others"
            advice = "Turn on Include sub-folders to use their images"
            problems.append(f"Sub-folders are not searched: {there}{others}. {advice}.")
        return tuple(map(printable, problems))


def list_files(folder: Path, *, subfolders: bool = False) -> FolderFiles:
    """List the files of a folder that may be images, by name or by content, in natural order.

    Hidden files, captions, caches and masks are excluded.

    Parameters
    ----------
    subfolders
        Whether to list those of all sub-folders too, but for hidden ones.

    Raises
    ------
    BadInput
        When the folder is missing, is a file, or cannot be listed.
    """
    if problem := folder_problem(folder):
        raise BadInput(f"The image folder {problem}")
    searched = {folder: Beside(folder)}
    if subfolders:
        for inner in _subfolders(folder):
            searched[inner] = Beside(inner, searched[inner.parent])
    found = [one for beside in searched.values() for one in _candidates(beside)]
    paths = sorted((path for path, reason in found if not reason), key=lambda path: natural_order(folder, path))
    skipped = tuple(Skipped(path, why, path.relative_to(folder).as_posix()) for path, why in found if why)
    unsearched, all_counted = ({}, True) if subfolders else _images_below(folder)
    return FolderFiles(folder, tuple(paths), skipped, searched, unsearched, all_counted)


def list_images(folder: Path, *, subfolders: bool = False) -> dict[str, Path]:
    """Return the files that a person means as images, by suffix or content, whether or not they can be read.

    They are in natural order, by their paths from the folder; ``subfolders`` as for :func:`list_files`.
    """
    files = list_files(folder, subfolders=subfolders)
    return {files.name(path): path for path in files.paths if has_image_suffix(path) or _is_image(path)}


def natural_order(folder: Path, path: Path) -> tuple[int, list[tuple[list[str | int], str]]]:
    """Return a sort key that puts files directly in a folder first, and then those of its sub-folders in turn."""
    parts = path.relative_to(folder).parts
    return len(parts) > 1, [natural_key(Path(part)) for part in parts]


def repeats_of(folder: Path, path: Path) -> int:
    """Return how often an epoch uses an image, by the number that its sub-folder's name begins with: ``10_thing``."""
    found = _REPEATS.match(path.parent.name) if path.parent != folder else None
    return int(found[1]) if found else 1


def _candidates(beside: Beside) -> Iterator[tuple[Path, str]]:
    """Yield the files of a folder that may be images, each with a reason where it belongs to something else."""
    files = [path for path in beside.files if not path.name.startswith(".")]
    files = [path for path in files if not path.suffix.lower().startswith(_REPLACED)]
    files = [path for path in files if path.suffix.lower() not in _NO_IMAGES]
    # "carnival-mask.png" without a "carnival" beside it is an image like any other.
    masks = {mask for path in files for mask in find_masks(path, beside)}
    yield from ((path, _belongs_to(path, beside)) for path in files if path not in masks)


def _belongs_to(path: Path, beside: Beside) -> str:
    if not has_image_suffix(path):
        return ""
    stem = path.stem.lower()
    if stem.endswith(CONDITION_LABELS):
        return "by its name it is a condition for another image, which this run cannot use"
    name, dot, preview = path.stem.rpartition(".")
    if dot and preview.lower() == "preview" and any(any(beside.find(name, suffix)) for suffix in _EMBEDDINGS):
        return f"it is the WebUI's preview of the embedding {name}"
    return ""


def _subfolders(folder: Path) -> Iterator[Path]:
    """Yield all folders below one, each after the one that it is in; hidden ones and folders of runs are excluded."""
    for inner, names, files in os.walk(folder):
        names[:] = sorted(
            (name for name in names if not name.startswith(".")), key=lambda name: natural_key(Path(name))
        )
        if _RUN_MARK in files:
            names.clear()
        elif Path(inner) != folder:
            yield Path(inner)


def _images_below(folder: Path) -> tuple[dict[str, int], bool]:
    """Count the images in each folder below one; false where there are too many files to look at all of them."""
    counts: dict[str, int] = {}
    listed = 0
    for inner in _subfolders(folder):
        beside = Beside(inner)
        number = sum(has_image_suffix(path) and not reason for path, reason in _candidates(beside))
        if number:
            counts[inner.relative_to(folder).as_posix()] = number
        listed += len(beside.files) + 1
        if listed > _MOST_LISTED:
            return counts, False
    return counts, True


def _is_image(path: Path) -> bool:
    try:
        read_header(path)
    except (UnreadableImage, OSError):
        return False
    return True
