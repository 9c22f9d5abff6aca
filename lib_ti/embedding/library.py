"""The embeddings folder: which names are in it, as the WebUI reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import ModelInfo
from lib_ti.wording import quoted

TRAINABLE = (".safetensors", ".pt")
"""Formats that training goes on in; the others are for sharing."""


def list_names(folder: Path) -> list[str]:
    """Names of all embeddings, in alphabetical order."""
    return sorted({path.stem for path in _embedding_files(folder)}, key=str.lower)


def find_all(folder: Path, name: str) -> list[Path]:
    """Every file that the WebUI would list under ``name``, in subfolders too, in any letter case."""
    return [path for path in _embedding_files(folder) if path.stem.lower() == name.lower()]


def find(folder: Path, name: str) -> Path:
    """The one file of an embedding that can be trained.

    Raises
    ------
    BadInput
        When there is none (close names are offered), more than one, or one in a format that only serves sharing.
    """
    found = find_all(folder, name)
    if not found:
        there = sorted({path.stem for path in _embedding_files(folder)})
        known = f"There are {', '.join(there[:12])}{' …' if len(there) > 12 else ''}" if there else "There are none yet"
        raise BadInput(f"There is no embedding {quoted(name)} in {folder}. {known}; create one first.")
    if len(found) > 1:
        raise BadInput(
            f"There are {len(found)} embeddings called {quoted(name)}: {', '.join(map(str, found))}. Only one of "
            "them would be used in prompts; move the others away."
        )
    path = found[0]
    if path.suffix.lower() not in TRAINABLE:
        raise BadInput(
            f"Embedding {quoted(name)} is a {path.suffix} file, which cannot be trained in place: convert it first "
            f"with “convert {path.name} {path.stem}.safetensors”, and move {path.name} away."
        )
    return path


def load_folder(folder: Path, info: ModelInfo) -> tuple[list[Embedding], list[str]]:
    """All embeddings that fit the model, and one sentence for each file that cannot be used and why."""
    loaded: list[Embedding] = []
    reasons: list[str] = []
    for path in _embedding_files(folder):
        try:
            embedding = files.load(path)
            files.check_fits(embedding, info)
        except BadInput as error:
            reasons.append(f"{path.name} is not used: {error}")
        else:
            loaded.append(embedding)
    return loaded, reasons


def _embedding_files(folder: Path) -> Iterator[Path]:
    """Files by suffix; previews of the WebUI's cards (``name.preview.png``) are pictures and nothing else."""
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        hidden = path.name.startswith(".") or path.stem.lower().endswith(".preview")
        if path.suffix.lower() in files.SUFFIXES and not hidden and path.is_file():
            yield path
