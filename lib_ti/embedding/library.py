"""The embeddings folder, as the WebUI reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats.reading import SUFFIXES, is_preview
from lib_ti.embedding.names import words_of
from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.storage.in_use import Target
from lib_ti.wording import printable, quoted, some

TRAINABLE = (".safetensors", ".pt")
"""Formats that can be trained; the others are for sharing."""


def list_names(folder: Path) -> list[str]:
    """Return the names of all embeddings, in alphabetical order."""
    return sorted({path.stem for path in _embedding_files(folder)}, key=str.lower)


def find_all(folder: Path, name: str) -> list[Path]:
    """Return every file whose name a prompt cannot tell from ``name``, in subfolders too, in alphabetical order."""
    return sorted(_alike(folder, name))


def shown_path(folder: Path, path: Path) -> str:
    """Return an embedding's path from the embeddings folder, with ``/``; for a file directly in it its name."""
    return printable(path.relative_to(folder).as_posix())


def read_alike(path: Path) -> list[Path]:
    """Return the embeddings beside ``path`` with another name that prompts cannot tell from its own."""
    beside = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    words = words_of(path.stem)
    return [
        other
        for other in beside
        if other.suffix.lower() in SUFFIXES and other.stem != path.stem and words_of(other.stem) == words
    ]


def target(path: Path) -> Target:
    """Return what to lock while the embedding at ``path`` is trained or written, in any format."""
    return Target(path.with_name(f".{path.stem.lower()}.lock"), f"Embedding {quoted(path.stem)}")


def find(folder: Path, name: str) -> Path:
    """Return the one file of an embedding that can be trained.

    Raises
    ------
    BadInput
        When there is none, more than one, or one in a format that is only for sharing.
    """
    found = find_all(folder, name)
    if not found:
        there = sorted({path.stem for path in _embedding_files(folder)})
        known = f"It has {some(there, 12)}: choose one of these, or create" if there else "It has none yet: create"
        raise BadInput(f"There is no embedding {quoted(name)} in {folder}. {known} {quoted(name)} first.")
    if len(found) > 1:
        raise BadInput(_several(folder, name))
    path = found[0]
    if path.suffix.lower() not in TRAINABLE:
        raise BadInput(
            f"Embedding {quoted(name)} is a {path.suffix} file, which cannot be trained in place: convert it first "
            f"with “convert {path.name} {path.stem}.safetensors”, and move {path.name} away."
        )
    return path


def _several(folder: Path, name: str) -> str:
    found = _alike(folder, name)
    used = _used_in_prompts([path for path in found if path.stat().st_size] or found)
    others = ", ".join(str(path) for path in sorted(found) if path != used)
    alike = "" if len({path.stem for path in found}) == 1 else ", by names that prompts cannot tell apart"
    return (
        f"There are {len(found)} embeddings called {quoted(name)}{alike}: the WebUI uses {used} in prompts, and not "
        f"{others}. Move all but one out of the embeddings folder, or rename them."
    )


def _used_in_prompts(alike: Sequence[Path]) -> Path:
    """Return the one that the WebUI uses of several files whose names read alike, in the order in which it reads them.

    Of files with the same stem it keeps the one that it reads last; of stems that differ, its prompts find the one
    that was registered first (``register_embedding_by_name`` in its textual_inversion.py).
    """
    by_stem: dict[str, Path] = {}
    for path in alike:
        by_stem.pop(path.stem, None)  # what is registered again comes last
        by_stem[path.stem] = path
    return next(iter(by_stem.values()))


def load_folder(folder: Path, info: ModelInfo) -> tuple[list[Embedding], list[str]]:
    """Return all embeddings that fit the model, and one sentence for each other file with the reason."""
    loaded: dict[Path, Embedding] = {}
    reasons: list[str] = []
    for path in _embedding_files(folder):
        try:
            embedding = files.load(path)
            files.check_fits(embedding, info)
        except BadInput as error:
            reasons.append(f"{path.name} is not used: {error}")
        else:
            loaded[path] = embedding
    alike: dict[tuple[str, ...], list[Path]] = {}
    for path in loaded:
        alike.setdefault(words_of(path.stem), []).append(path)
    for paths in alike.values():
        used = _used_in_prompts(paths)
        for path in set(paths) - {used}:
            reasons.append(f"{path} is not used: {used} has the same name in prompts.")
            del loaded[path]
    return list(loaded.values()), reasons


def _alike(folder: Path, name: str) -> list[Path]:
    """Return the files whose names read like ``name``, in the order in which the WebUI reads them."""
    words = words_of(name)
    return [path for path in _embedding_files(folder) if words_of(path.stem) == words]


def _embedding_files(folder: Path) -> Iterator[Path]:
    """Find files by their suffixes, in the order in which the WebUI reads them, through links to folders as well.

    Previews of the WebUI's cards (``name.preview.png``) are images and nothing else.
    """
    seen: set[str] = set()
    for root, folders, names in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(root))
        # Circular links would be followed until the paths are too long.
        folders[:] = [name for name in folders if os.path.realpath(os.path.join(root, name)) not in seen]
        for path in map(Path(root).joinpath, names):
            hidden = path.name.startswith(".") or is_preview(path)
            if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
                yield path
