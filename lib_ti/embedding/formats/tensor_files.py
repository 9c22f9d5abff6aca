"""Reads the tensors of pickled files, such as checkpoints; see :mod:`lib_ti.embedding.formats.unpickle` for how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from lib_ti.embedding.formats.pickle_parts import NumberType, TensorPart
from lib_ti.embedding.formats.unpickle import Builder, load

_ALIGNMENT = 16


def load_tensors(path: Path, *, inert: bool = False) -> Any:
    """Read what ``torch.save`` wrote: tensors on the CPU within dicts, lists, tuples, sets, texts and numbers.

    Tensors lie in the file, mapped into memory, until they are used. ``inert`` and errors are those of
    :func:`lib_ti.embedding.formats.unpickle.load`.
    """
    return load(path, _TensorBuilder, inert=inert)


def load_shapes(path: Path, *, inert: bool = False) -> Any:
    """Read the same as :func:`load_tensors`, its tensors on the meta device: with shapes and types, and no values."""
    return load(path, _ShapeBuilder, inert=inert)


class _TensorBuilder(Builder):
    _file: Any = None

    def storage(self, first: int, length: int) -> torch.UntypedStorage:
        if self._file is None:
            # Positional, since the names of the arguments changed between versions of torch.
            self._file = torch.UntypedStorage.from_file(str(self.path), False, self.size)
        piece: torch.UntypedStorage = self._file[first : first + length]
        return piece if first % _ALIGNMENT == 0 else piece.clone()

    def tensor(self, part: TensorPart, storage: Any) -> torch.Tensor:
        return torch.empty(0, dtype=self.number_type(part.dtype)).set_(storage, part.offset, part.size, part.stride)

    def empty(self, part: TensorPart) -> torch.Tensor:
        return torch.empty(part.size, dtype=self.number_type(part.dtype))

    def of_array(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array)

    def number_type(self, part: NumberType) -> torch.dtype:
        found: torch.dtype = getattr(torch, part.name)
        return found


class _ShapeBuilder(_TensorBuilder):
    def storage(self, first: int, length: int) -> Any:  # noqa: ARG002
        return None

    def tensor(self, part: TensorPart, storage: Any) -> torch.Tensor:  # noqa: ARG002
        return torch.empty(part.size, dtype=self.number_type(part.dtype), device="meta")
