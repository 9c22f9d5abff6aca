"""Stand-ins for the torch and numpy constructors that a pickle may name; they record their arguments.

None of them can be altered by the pickle that uses them: a pickle calls ``__setstate__`` of an object where there is
one and sets attributes where there is none, so each of these has a ``__setstate__`` that refuses or records.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy


class Sealed:
    """A part that a pickle cannot alter once it is made."""

    def __setstate__(self, state: Any) -> NoReturn:
        raise pickle.UnpicklingError(f"it changes a {type(self).__name__}")


class Admitted(Sealed):
    """A function that a pickle may call."""

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


@dataclass(frozen=True, eq=False)
class NumberType(Sealed):
    """A ``torch.dtype`` by its name in torch, such as ``float16``, and its bytes a number."""

    name: str
    itemsize: int


@dataclass(frozen=True, eq=False)
class StorageTypePart(Sealed):
    """``torch.FloatStorage`` and its kin."""

    dtype: NumberType


@dataclass(frozen=True, eq=False)
class StoragePart(Sealed):
    """``count`` numbers that lie in the file under ``key``."""

    key: str
    dtype: NumberType
    count: int


@dataclass(frozen=True, eq=False)
class TensorPart(Sealed):
    """A tensor: a view of a storage, in elements of ``dtype``. Values come from the file and are not yet checked."""

    storage: StoragePart
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: NumberType


@dataclass(frozen=True)
class Placeholder:
    """Replaces an object that was not loaded; ``asked`` is the class that the file named."""

    asked: str


class Inert:
    """An object of any class, reduced to the name of its class. Accepts everything and does nothing."""

    asked = ""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        pass

    def extend(self, items: Any) -> None:
        pass


class ParameterDictPart(Inert):
    """``torch.nn.ParameterDict``, in which original Textual Inversion files hold their vectors."""

    _state: Any = None

    def __setstate__(self, state: Any) -> None:
        self._state = state

    def parameters(self) -> dict[Any, Any]:
        found = self._state["_parameters"]
        if not isinstance(found, dict):
            raise pickle.UnpicklingError("a ParameterDict without parameters")
        return found


class OrderedDictPart(OrderedDict[Any, Any]):
    """``collections.OrderedDict`` without the attributes that state dicts carry (``_metadata``)."""

    def __setstate__(self, state: Any) -> None:
        pass


class DtypePart(Sealed):
    """``numpy.dtype`` of plain numbers."""

    def __init__(self, code: str, *_: Any) -> None:
        if code not in _NUMPY_CODES:
            raise pickle.UnpicklingError(f"numpy values of type {code!r}")
        self.dtype = numpy.dtype(code)

    def __setstate__(self, state: Any) -> None:  # type: ignore[override]
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class ArrayPart(Sealed):
    """``numpy.ndarray``; torch saves tensors of some devices (DirectML, XLA) as one."""

    _state: tuple[Any, ...] = ()

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:  # type: ignore[override]
        self._state = tuple(state)

    def array(self) -> numpy.ndarray[Any, Any]:
        _, shape, dtype, fortran, raw = self._state
        array = numpy.frombuffer(raw, dtype=dtype.dtype).reshape(shape, order="F" if fortran else "C")
        return array.astype(dtype.dtype.newbyteorder("="), order="C")


def is_harmless_class(module: str, name: str) -> bool:
    """Return True for what looks like the name of a class: a capital first letter, or a known plain type."""
    return (name.lstrip("_")[:1].isupper() and name.isidentifier()) or (module, name) in _PLAIN_CLASSES


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> TensorPart:
    return TensorPart(_checked(storage), offset, tuple(size), tuple(stride), storage.dtype)


def _tensor_of_dtype(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> TensorPart:
    # _rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, …): storages without a type.
    if not isinstance(rest[2], NumberType):
        raise pickle.UnpicklingError(f"a tensor of type {rest[2]!r}")
    return TensorPart(_checked(storage), offset, tuple(size), tuple(stride), rest[2])


def _checked(storage: Any) -> StoragePart:
    if not isinstance(storage, StoragePart):
        raise pickle.UnpicklingError("a tensor without a storage")
    return storage


def _first(value: Any, *_: Any) -> Any:
    return value


def _typed(function: Any, _: Any, arguments: Any, *__: Any) -> Any:
    if not isinstance(function, Admitted):
        raise pickle.UnpicklingError("a tensor of an unknown class")
    return function(*arguments)


def _scalar(dtype: Any, raw: Any) -> Any:
    return numpy.frombuffer(raw, dtype=dtype.dtype, count=1)[0].item()


def _encoded(text: Any, encoding: Any) -> bytes:
    # How pickles of protocol 2 hold bytes; nothing else of the codecs is needed.
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


_NUMPY_CODES = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}
_PLAIN_CLASSES = {
    *((module, name) for module in ("builtins", "__builtin__") for name in ("int", "float", "str", "list", "dict")),
    *((module, name) for module in ("builtins", "__builtin__") for name in ("tuple", "object", "bool", "bytes")),
    ("collections", "defaultdict"),
}
_NUMBERS = {
    name: NumberType(name, itemsize)
    for name, itemsize in {
        "float32": 4,
        "float64": 8,
        "float16": 2,
        "bfloat16": 2,
        "int64": 8,
        "int32": 4,
        "int16": 2,
        "int8": 1,
        "uint8": 1,
        "bool": 1,
    }.items()
}
_STORAGES = {
    "Float": "float32",
    "Double": "float64",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
}

ADMITTED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDictPart,
    ("torch._utils", "_rebuild_tensor"): Admitted(_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): Admitted(_tensor),
    ("torch._utils", "_rebuild_tensor_v3"): Admitted(_tensor_of_dtype),
    ("torch._utils", "_rebuild_parameter"): Admitted(_first),
    ("torch._utils", "_rebuild_parameter_with_state"): Admitted(_first),
    ("torch._utils", "_rebuild_device_tensor_from_numpy"): Admitted(_first),
    ("torch._tensor", "_rebuild_from_type_v2"): Admitted(_typed),
    ("torch", "Tensor"): Sealed(),
    ("torch.nn.parameter", "Parameter"): Sealed(),
    ("torch", "Size"): Admitted(tuple),
    ("torch", "device"): Admitted(_first),
    ("torch.storage", "UntypedStorage"): StorageTypePart(_NUMBERS["uint8"]),
    **{("torch", f"{name}Storage"): StorageTypePart(_NUMBERS[number]) for name, number in _STORAGES.items()},
    **{("torch", name): number for name, number in _NUMBERS.items()},
    ("numpy", "dtype"): Admitted(DtypePart),
    ("numpy", "ndarray"): Sealed(),
    **{(f"numpy.{core}.multiarray", "scalar"): Admitted(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Admitted(ArrayPart) for core in ("core", "_core")},
    ("_codecs", "encode"): Admitted(_encoded),
    ("__builtin__", "set"): Admitted(set),
    ("builtins", "set"): Admitted(set),
}
"""Everything that a pickle may name, by module and name, with its stand-in."""
