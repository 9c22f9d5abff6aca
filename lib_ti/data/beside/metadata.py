"""Captions of a whole folder in one file, as Hugging Face's ``imagefolder`` and image-text downloaders write them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_ti.data.textfile import read_text

FILES = ("metadata.jsonl", "metadata.csv")
_FILE_NAME = "file_name"
CAPTION_KEYS = ("text", "caption")
"""Columns, or keys of a JSON object, that hold a caption; the first that is there counts."""


@dataclass(frozen=True)
class Metadata:
    """Captions by file name, relative to the folder of the file ``name``, with ``/`` between folders.

    ``problem`` is a sentence about the file, or empty.
    """

    name: str
    captions: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def read_metadata(folder: Path, names: Collection[str]) -> Iterator[Metadata]:
    """Yield the metadata files among the files of a folder, that of most weight first."""
    for known in FILES:
        for name in sorted(name for name in names if name.lower() == known):
            yield _read(folder / name)


def caption_in(values: Any) -> str | None:
    """Return the caption in a JSON object or a row of a table; None where there is none."""
    if not isinstance(values, Mapping):
        return None
    return next((values[key] for key in CAPTION_KEYS if isinstance(values.get(key), str)), None)


def _read(path: Path) -> Metadata:
    try:
        text, _ = read_text(path)
        rows = list(csv.DictReader(io.StringIO(text)) if path.suffix.lower() == ".csv" else _objects(text))
    except (OSError, ValueError, csv.Error) as error:
        return Metadata(path.name, problem=f"{path} was not used for captions: it cannot be read ({error}).")
    captions = {}
    for row in rows:
        caption, name = caption_in(row), row.get(_FILE_NAME)
        if caption is not None and isinstance(name, str):
            captions[name.replace("\\", "/").removeprefix("./")] = caption
    if captions or not rows:
        return Metadata(path.name, captions)
    columns = " or ".join(CAPTION_KEYS)
    return Metadata(path.name, problem=f"{path} was not used for captions: it needs {_FILE_NAME} and {columns}.")


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found = json.loads(line)
            if not isinstance(found, Mapping):
                raise ValueError(f"line {number} is no object")
            yield found
