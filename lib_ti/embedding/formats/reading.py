"""Reads embedding files of every format in use, without torch."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from lib_ti.embedding.formats import card_reading
from lib_ti.embedding.formats.contents import Array, Contents, contents_from, describe
from lib_ti.embedding.formats.unpickle import load_arrays
from lib_ti.errors import BadInput
from lib_ti.wording import quoted

SUFFIXES = (".safetensors", ".pt", ".bin", *card_reading.SUFFIXES)
"""Suffixes of files that are read and written, the default first."""

_MOST_TENSORS = 16
_MOST_HEADER = 100_000_000
"""Bytes of a header at most, by the format's specification."""
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "U8": "u1",
}


def read(path: Path) -> Contents:
    """Read an embedding of any program; see :mod:`lib_ti.embedding.formats.contents` for which.

    Its name is the file's stem, as in the WebUI, and for cards the name in the card. Vectors are float32 with
    memory of their own, so that the file may be replaced or removed.

    Raises
    ------
    UnsafePickle
        A pickle that asks for more than tensors and plain data; nothing of it was run.
    BadInput
        Missing, damaged, no embedding, several of them, or vectors that cannot be used; says what was found.
    """
    suffix = check_suffix(path)
    if not path.is_file():
        raise BadInput(f"{path} {'is a folder' if path.is_dir() else 'does not exist'}. Give an embedding file.")
    if path.stat().st_size == 0:
        raise BadInput(f"{path} is empty. Use another copy of it.")
    return read_as(path, suffix)


def read_as(path: Path, suffix: str) -> Contents:
    """Read the embedding in a file in the format of ``suffix``, whatever the file is called."""
    if suffix in card_reading.SUFFIXES:
        return card_reading.read_card(path)
    if suffix == ".safetensors":
        tensors, details = _read_safetensors(path)
        return contents_from(tensors, name=path.stem, source=path, details=details)
    return contents_from(load_arrays(path), name=path.stem, source=path)


def is_preview(path: Path) -> bool:
    """Return whether a file is the WebUI's thumbnail of an embedding, by its name ``<name>.preview.png``."""
    return path.stem.lower().endswith(".preview")


def check_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"{path} has the suffix {quoted(suffix)}, and embeddings have one of {', '.join(SUFFIXES)}.")
    return suffix


def _read_safetensors(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return tensors and metadata. The package ``safetensors`` reads no bfloat16 without torch."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _MOST_HEADER:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(file.read(length))
            details = header.pop("__metadata__", {})
            if len(header) > _MOST_TENSORS:
                raise BadInput(f"{path} is no embedding but a model: it holds {describe(dict.fromkeys(header))}.")
            data = file.read()
        return {name: _tensor(item, data) for name, item in header.items()}, dict(details)
    except (OSError, ValueError, TypeError, LookupError, AttributeError, struct.error) as error:
        raise BadInput(f"{path} is damaged, or no .safetensors file: {error}. Get the file again.") from error


def _tensor(item: dict[str, Any], data: bytes) -> Array:
    kind, shape, (first, after) = item["dtype"], tuple(item["shape"]), item["data_offsets"]
    if kind not in _DTYPES:
        raise ValueError(f"numbers of type {kind}")
    dtype = np.dtype(_DTYPES[kind])
    if not 0 <= first <= after <= len(data) or after - first != math.prod(shape) * dtype.itemsize:
        raise ValueError("a tensor beyond the end of the file")
    numbers = np.frombuffer(data[first:after], dtype).reshape(shape)
    # A bfloat16 is the upper half of a float32.
    return (numbers.astype(np.uint32) << 16).view(np.float32) if kind == "BF16" else numbers
