"""Weights of a ``.safetensors`` file, mapped into memory: nothing of them is read until it is used.

``safetensors`` itself maps them too, but touches each of them, which reads half of the file in their names' order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
"""Types that are mapped, by their names in the file."""


def map_weights(path: Path, names: Iterable[str]) -> dict[str, torch.Tensor]:
    """Return weights by name, on the CPU.

    Parameters
    ----------
    path
        A file that ``safe_open`` has found whole.
    names
        Of weights in it of the types :data:`DTYPES`.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: Mapping[str, Any] = json.loads(file.read(length))
    content = torch.from_file(str(path), shared=False, size=path.stat().st_size, dtype=torch.uint8)
    return {name: _weight(content[8 + length :], header[name]) for name in names}


def _weight(data: torch.Tensor, described: Mapping[str, Any]) -> torch.Tensor:
    start, end = described["data_offsets"]
    values, dtype = data[start:end], DTYPES[described["dtype"]]
    # Most programs pad the header so that this is never the case.
    aligned = values.data_ptr() % dtype.itemsize == 0
    return (values if aligned else values.clone()).view(dtype).view(described["shape"])
