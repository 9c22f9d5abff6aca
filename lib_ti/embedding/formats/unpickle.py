"""Reads arrays and plain data from pickled files (.pt, .bin, .ckpt) without running any code that the file names.

``torch.load`` is not used: its weights-only mode executes code from hostile files in torch before 2.6
(CVE-2025-32434), refuses what old embeddings hold, and inside the WebUI the function is replaced. The two formats of
``torch.save`` are a zip of one pickle and raw storages, and, before torch 1.6 and on demand, five pickles followed
by raw storages.

A pickle gets hold of nothing but the objects of :mod:`lib_ti.embedding.formats.pickle_parts`. What it builds of them
is then turned into arrays and fresh plain containers, the only things that leave this module; torch is not needed for
it. :mod:`lib_ti.embedding.formats.tensor_files` makes tensors of the same parts.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from lib_ti.embedding.formats.pickle_parts import (
    ADMITTED,
    ArrayPart,
    Inert,
    NumberType,
    ParameterDictPart,
    Placeholder,
    Sealed,
    StoragePart,
    StorageTypePart,
    TensorPart,
    is_harmless_class,
)
from lib_ti.errors import BadInput, UnsafePickle

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    NotImplementedError,
    struct.error,
    zipfile.BadZipFile,
)
"""Errors of Python and torch on corrupt bytes."""

Regions = dict[str, tuple[int, int]]
"""First byte and number of bytes of each storage in the file."""


def load_arrays(path: Path) -> Any:
    """Read what ``torch.save`` wrote: numpy arrays within dicts, lists, tuples, sets, texts and numbers.

    Floating-point numbers of any size become float32. Arrays are views that may repeat the file's numbers.

    Raises
    ------
    UnsafePickle, BadInput
        As :func:`load`.
    """
    return load(path, Builder)


def load(path: Path, builder: Callable[[Path, int, Regions], Builder], *, inert: bool = False) -> Any:
    """Read what ``torch.save`` wrote; ``builder`` makes its tensors.

    Parameters
    ----------
    inert
        Put a :class:`Placeholder` where the file holds objects of other classes, instead of refusing it. For
        checkpoints, which carry their trainer's callbacks beside the weights. Functions are refused all the same.

    Raises
    ------
    UnsafePickle
        The file asks for something else; names it. Nothing of it was run.
    BadInput
        The file cannot be read, is truncated, or was not written by ``torch.save``.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            read = _read_zip if file.read(4) == b"PK\x03\x04" else _read_legacy
            file.seek(0)
            value, regions = read(file, path, inert)
        return builder(path, size, regions).plain(value)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}.") from error
    except _BROKEN as error:
        raise BadInput(f"{path} is damaged, or no file of tensors: {_short(error)}. Get the file again.") from error


class _Unpickler(pickle.Unpickler):
    """Reads one pickle, which may name only what is admitted; storages are recorded, not read."""

    def __init__(self, file: IO[bytes], path: Path, inert: bool) -> None:
        super().__init__(file, encoding="utf-8")
        self._path = path
        self._inert = inert
        self.storages: dict[str, StoragePart] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) in ADMITTED:
            return ADMITTED[module, name]
        if (module, name) == ("torch.nn.modules.container", "ParameterDict"):
            return type("ParameterDict", (ParameterDictPart,), {"asked": f"{module}.{name}"})
        if self._inert and is_harmless_class(module, name):
            return type("Inert", (Inert,), {"asked": f"{module}.{name}"})
        raise UnsafePickle(
            f"{self._path} names {module}.{name}, which is neither a tensor nor plain data, so the file was not "
            "loaded and nothing in it was run. Ask its author for a .safetensors file."
        )

    def persistent_load(self, pid: Any, /) -> Any:
        if pid[0] == "module" and isinstance(pid[1], type):
            return pid[1]
        kind, storage_type, key, _, count, *view = pid
        if kind != "storage" or not isinstance(storage_type, StorageTypePart) or any(view):
            raise pickle.UnpicklingError(f"an unknown kind of storage, {kind!r}")
        if type(count) is not int or count < 0:
            raise pickle.UnpicklingError(f"a storage of {count!r} numbers")
        return self.storages.setdefault(str(key), StoragePart(str(key), storage_type.dtype, count))


def _read_zip(file: IO[bytes], path: Path, inert: bool) -> tuple[Any, Regions]:
    with zipfile.ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        roots = [name[: -len("data.pkl")] for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(roots) != 1 or len(members) != len(archive.infolist()):
            raise BadInput(f"{path} is an archive that torch.save did not write. Give a .pt, .bin or .ckpt file.")
        if any(name.startswith((f"{roots[0]}code/", f"{roots[0]}constants.pkl")) for name in members):
            raise UnsafePickle(f"{path} holds a TorchScript program, not tensors; nothing of it was run.")
        if f"{roots[0]}byteorder" in members and archive.read(f"{roots[0]}byteorder") != b"little":
            raise pickle.UnpicklingError("numbers in the byte order of other machines")
        unpickler = _Unpickler(io.BytesIO(archive.read(members[f"{roots[0]}data.pkl"])), path, inert)
        value = unpickler.load()
        wanted = {key: members[f"{roots[0]}data/{key}"] for key in unpickler.storages}
    return value, {key: _region(file, info) for key, info in wanted.items()}


def _region(file: IO[bytes], info: zipfile.ZipInfo) -> tuple[int, int]:
    if info.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile(f"{info.filename} was compressed afterwards")
    file.seek(info.header_offset)
    signature, name_length, extra_length = struct.unpack("<4s22xHH", file.read(30))
    if signature != b"PK\x03\x04":
        raise zipfile.BadZipFile(f"{info.filename} is not where the archive says")
    return info.header_offset + 30 + name_length + extra_length, info.file_size


def _read_legacy(file: IO[bytes], path: Path, inert: bool) -> tuple[Any, Regions]:
    if file.read(262)[257:] == b"ustar":
        raise BadInput(
            f"{path} is a .tar file of torch before 0.1.10, which is not read. Save it again with torch.save."
        )
    file.seek(0)
    # The first three pickles are a number, a number and a dict of numbers.
    magic = _Unpickler(file, path, inert=False).load()
    if magic != _MAGIC:
        raise BadInput(f"{path} is a pickle that torch.save did not write. Give a .pt, .bin or .ckpt file.")
    protocol, system = _Unpickler(file, path, inert=False).load(), _Unpickler(file, path, inert=False).load()
    if protocol != _PROTOCOL or not system["little_endian"]:
        raise pickle.UnpicklingError("numbers in the byte order of other machines")
    unpickler = _Unpickler(file, path, inert)
    value = unpickler.load()
    regions: Regions = {}
    for key in _Unpickler(file, path, inert=False).load():
        (count,) = struct.unpack("<q", file.read(8))
        length = count * unpickler.storages[str(key)].dtype.itemsize
        regions[str(key)] = file.tell(), length
        file.seek(length, io.SEEK_CUR)
    return value, regions


class Builder:
    """Converts what the pickle built to arrays and plain containers that share nothing with it."""

    def __init__(self, path: Path, size: int, regions: Regions) -> None:
        self.path, self.size = path, size
        self._regions = regions
        self._storages: dict[str, Any] = {}
        # By id, so that shared objects stay shared and are converted once.
        self._done: dict[int, Any] = {}

    def plain(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str, bytes):
            return value
        if id(value) not in self._done:
            self._done[id(value)] = self._container(value) if isinstance(value, dict | list) else self._leaf(value)
        return self._done[id(value)]

    def _container(self, value: dict[Any, Any] | list[Any]) -> Any:
        new: Any = [] if isinstance(value, list) else {}
        self._done[id(value)] = new
        if isinstance(value, list):
            new.extend(self.plain(item) for item in value)
        else:
            new.update((self.plain(key), self.plain(item)) for key, item in value.items())
        return new

    def _leaf(self, value: Any) -> Any:
        if isinstance(value, TensorPart):
            return self._checked_tensor(value)
        if isinstance(value, ParameterDictPart):
            return self.plain(value.parameters())
        if isinstance(value, ArrayPart):
            return self.of_array(value.array())
        if isinstance(value, NumberType):
            return self.number_type(value)
        if isinstance(value, tuple | set | frozenset):
            return type(value)(self.plain(item) for item in value)
        if isinstance(value, Inert) or (isinstance(value, type) and issubclass(value, Inert)):
            return Placeholder(value.asked)
        if isinstance(value, Sealed):
            return Placeholder(type(value).__name__)
        raise pickle.UnpicklingError(f"an object of type {type(value).__name__}")

    def _checked_tensor(self, part: TensorPart) -> Any:
        numbers = (part.offset, *part.size, *part.stride)
        if any(type(number) is not int or number < 0 for number in numbers) or len(part.size) != len(part.stride):
            raise pickle.UnpicklingError(f"a tensor of size {part.size}")
        if not all(part.size):
            return self.empty(part)
        reach = part.offset + sum((n - 1) * stride for n, stride in zip(part.size, part.stride, strict=True)) + 1
        if reach * part.dtype.itemsize > part.storage.count * part.storage.dtype.itemsize:
            raise pickle.UnpicklingError(f"a tensor of size {part.size} in a storage of {part.storage.count}")
        return self.tensor(part, self._storage(part.storage))

    def _storage(self, part: StoragePart) -> Any:
        if part.key not in self._storages:
            first, length = self._regions[part.key]
            needed = part.count * part.dtype.itemsize
            if not 0 <= first <= first + needed <= self.size or length < needed:
                raise EOFError(f"it ends before storage {part.key} does")
            self._storages[part.key] = self.storage(first, needed)
        return self._storages[part.key]

    def storage(self, first: int, length: int) -> Any:
        """Return the bytes of a storage."""
        with self.path.open("rb") as file:
            file.seek(first)
            return file.read(length)

    def tensor(self, part: TensorPart, storage: Any) -> Any:
        """Return a tensor of a storage that is known to hold it."""
        if part.dtype.name == "bfloat16":  # the upper half of a float32
            numbers = (np.frombuffer(storage, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            numbers = self.of_array(np.frombuffer(storage, np.dtype(part.dtype.name)))
        strides = [stride * numbers.itemsize for stride in part.stride]
        return np.lib.stride_tricks.as_strided(numbers[part.offset :], part.size, strides, writeable=False)

    def empty(self, part: TensorPart) -> Any:
        """Return a tensor without elements."""
        return np.empty(part.size, np.float32)

    def of_array(self, array: np.ndarray[Any, Any]) -> Any:
        """Convert a numpy array of the file."""
        return array.astype(np.float32) if array.dtype.kind == "f" else array

    def number_type(self, part: NumberType) -> Any:
        """Convert a ``torch.dtype`` of the file."""
        return Placeholder(f"torch.{part.name}")


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")[:160]
