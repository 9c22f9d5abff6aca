"""Pickled files are read, or refused by name; nothing that they ask for is ever run."""

import collections
import contextlib
import functools
import io
import os
import pickle
import struct
import sys
import warnings
import zipfile

import numpy
import pytest
import torch

from lib_ti.embedding.formats.tensor_files import load_tensors
from lib_ti.embedding.formats.unpickle import Placeholder, load_arrays
from lib_ti.errors import BadInput, UnsafePickle

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


class Runs:
    """Pickles as a call of ``function(*arguments)``."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def as_zip(payload: bytes, **extra: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {"data.pkl": payload, "version": b"3\n", **extra}.items():
            archive.writestr(f"archive/{name}", data)
    return file.getvalue()


def as_legacy(payload: bytes) -> bytes:
    return b"".join(pickle.dumps(part, 2) for part in (MAGIC, PROTOCOL, SYSTEM)) + payload + pickle.dumps([], 2)


WRAPPINGS = {"zip": as_zip, "legacy": as_legacy, "bare": lambda payload: payload}


@pytest.mark.parametrize("legacy", [False, True])
def test_all_that_embeddings_and_checkpoints_hold_comes_back(tmp_path, legacy):
    shared = torch.arange(12.0).reshape(3, 4)
    kinds = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8]
    value = {
        "tensors": [torch.tensor([[1, 2], [3, 0]]).to(kind) for kind in [*kinds, torch.int16, torch.int8, torch.bool]],
        "views": (shared[1:], shared.T, shared[:, ::2]),
        "empty": torch.empty(0, 768),
        "scalar": torch.tensor(265),
        "parameter": torch.nn.Parameter(torch.ones(2, 3)),
        "dict": torch.nn.ParameterDict({"*": torch.nn.Parameter(torch.full((2, 768), 0.5))}),
        "state": torch.nn.Linear(2, 3).state_dict(),
        "plain": [None, True, 5, 2.5, "text", b"bytes", {1, 2}],
        "numpy": [numpy.float32(0.1), numpy.int64(7), numpy.arange(6.0).reshape(2, 3)],
        "types": [torch.float32, torch.Size([1, 2]), torch.device("cpu")],
    }
    path = tmp_path / "a.pt"
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)

    read = load_tensors(path)

    for wanted, got in zip(value["tensors"], read["tensors"], strict=True):
        assert got.dtype == wanted.dtype
        assert torch.equal(got, wanted)
    assert all(torch.equal(a, b) for a, b in zip(value["views"], read["views"], strict=True))
    assert read["empty"].shape == (0, 768)
    assert int(read["scalar"]) == 265
    assert type(read["parameter"]) is torch.Tensor
    assert not read["parameter"].requires_grad
    assert torch.equal(read["dict"]["*"], torch.full((2, 768), 0.5))
    assert type(read["state"]) is dict
    assert torch.equal(read["state"]["weight"], value["state"]["weight"])
    assert read["plain"] == value["plain"]
    assert read["numpy"][:2] == [pytest.approx(0.1), 7]
    assert read["numpy"][2].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read["types"] == [torch.float32, (1, 2), "cpu"]

    arrays = load_arrays(path)
    for wanted, got in zip((*value["tensors"], *value["views"]), (*arrays["tensors"], *arrays["views"]), strict=True):
        assert got.dtype == (numpy.float32 if wanted.is_floating_point() else wanted.numpy().dtype)
        assert got.tolist() == wanted.tolist()
    assert arrays["empty"].shape == (0, 768)
    assert int(arrays["scalar"]) == 265
    assert (arrays["dict"]["*"] == 0.5).all()
    assert arrays["plain"] == value["plain"]
    assert arrays["types"] == [Placeholder("torch.float32"), (1, 2), "cpu"]


def test_tensors_may_be_changed_without_changing_the_file(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.zeros(1000)}, path)
    before = path.read_bytes()
    load_tensors(path)["a"].add_(1)
    assert path.read_bytes() == before


def test_containers_that_hold_themselves_are_read(tmp_path):
    value: dict = {"list": []}
    value["list"].append(value)
    torch.save(value, tmp_path / "a.pt")
    read = load_tensors(tmp_path / "a.pt")
    assert read["list"][0] is read


HOSTILE = {
    "posix.system": lambda flag: pickle.dumps(Runs(os.system, f"echo > {flag}"), 2),
    "builtins.eval": lambda flag: pickle.dumps(Runs(eval, f"open({str(flag)!r}, 'w')"), 4),
    "__builtin__.exec": lambda flag: pickle.dumps(Runs(exec, f"open({str(flag)!r}, 'w')"), 2),
    "builtins.getattr": lambda flag: b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93.",
    "io.open": lambda flag: pickle.dumps(Runs(open, str(flag), "w"), 4),
    "torch.nn.os.system": lambda flag: b"\x80\x04\x8c\x08torch.nn\x8c\tos.system\x93\x8c\x04true\x85R.",
    "torch._utils._rebuild_tensor_v2.__globals__": lambda flag: (
        b"\x80\x04\x8c\x0ctorch._utils\x8c\x1e_rebuild_tensor_v2.__globals__\x93."
    ),
    "torch.hub.load": lambda flag: b"\x80\x02ctorch.hub\nload\nX\x04\x00\x00\x00evil\x85R.",
    "torch.jit.load": lambda flag: b"\x80\x02ctorch.jit\nload\nX\x04\x00\x00\x00evil\x85R.",
    "functools.partial": lambda flag: pickle.dumps(functools.partial(os.system, "true"), 2),
    "numpy.core.multiarray.fromfile": lambda flag: b"\x80\x02cnumpy.core.multiarray\nfromfile\n.",
    "collections.OrderedDict.fromkeys": lambda flag: b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.fromkeys\x93.",
}


@pytest.mark.parametrize("inert", [False, True])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("asked", HOSTILE)
def test_hostile_pickles_are_refused_by_name_and_not_run(tmp_path, asked, wrapping, inert):
    path = tmp_path / "evil.pt"
    flag = tmp_path / "was-run"
    path.write_bytes(WRAPPINGS[wrapping](HOSTILE[asked](flag)))
    with pytest.raises(UnsafePickle) as caught:
        load_tensors(path, inert=inert)
    assert str(path) in str(caught.value)
    assert asked.split(".", maxsplit=1)[1] in str(caught.value)
    assert not flag.exists()


def test_a_global_in_place_of_a_storage_is_refused(tmp_path):
    flag = tmp_path / "was-run"

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return ("storage", Runs(os.system, f"echo > {flag}"), "0", "cpu", 1) if obj == "here" else None

    file = io.BytesIO()
    Pickler(file, 2).dump({"a": "here"})
    for wrap in (as_zip, as_legacy):
        (tmp_path / "evil.pt").write_bytes(wrap(file.getvalue()))
        with pytest.raises(UnsafePickle, match="system"):
            load_tensors(tmp_path / "evil.pt")
    assert not flag.exists()


# Opcodes as they stand in the file, since Python's own pickler writes no such thing.
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
STATE = b"}X\x05\x00\x00\x00_callctorch._utils\n_rebuild_parameter\ns"


@pytest.mark.parametrize("inert", [False, True])
@pytest.mark.parametrize(
    "target",
    [REBUILD, b"ctorch\nFloatStorage\n", b"ccollections\nOrderedDict\n", b"cnumpy\nndarray\n", b"ctorch\nfloat32\n"],
)
def test_a_pickle_cannot_alter_what_it_is_given(tmp_path, target, inert):
    good, evil = tmp_path / "good.pt", tmp_path / "evil.pt"
    torch.save({"a": torch.ones(3), "b": collections.OrderedDict(c=1)}, good)
    # BUILD with attributes as the state, and with attributes as the second part of a state of two.
    for state in (STATE, b"N" + STATE + b"\x86"):
        evil.write_bytes(as_zip(b"\x80\x02" + target + state + b"b."))
        with pytest.raises(BadInput, match=r"evil\.pt is damaged"):
            load_tensors(evil, inert=inert)
    assert load_tensors(good)["a"].tolist() == [1, 1, 1]
    assert load_tensors(good)["b"] == {"c": 1}


def test_other_classes_are_refused_or_inert(tmp_path):
    path = tmp_path / "a.ckpt"
    torch.save({"state_dict": {"w": torch.ones(2)}, "x": numpy.random.RandomState}, path)
    with pytest.raises(UnsafePickle, match=r"numpy\.random\.\w+\.RandomState"):
        load_tensors(path)
    read = load_tensors(path, inert=True)
    assert read["state_dict"]["w"].tolist() == [1, 1]
    assert isinstance(read["x"], Placeholder)
    assert read["x"].asked.endswith("RandomState")


def test_a_trainers_callbacks_stay_inert(tmp_path):
    """The globals of the original Stable Diffusion checkpoints: a class as key, with objects and state below it."""
    callback = b"cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n"
    thing = callback + b")\x81}X\x01\x00\x00\x00aK\x01sb"
    payload = (
        b"\x80\x02}(X\x09\x00\x00\x00callbacks}"
        + callback
        + b"}X\x01\x00\x00\x00nK\x07ssX\x01\x00\x00\x00o"
        + thing
        + b"u."
    )
    path = tmp_path / "a.ckpt"
    path.write_bytes(as_zip(payload))
    with pytest.raises(UnsafePickle, match="ModelCheckpoint"):
        load_tensors(path)
    read = load_tensors(path, inert=True)
    placeholder = Placeholder("pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint")
    assert read == {"callbacks": {placeholder: {"n": 7}}, "o": placeholder}
    assert "pytorch_lightning" not in sys.modules


def test_torchscript_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(UnsafePickle, match="TorchScript"):
        load_tensors(path)
    path.write_bytes(as_zip(pickle.dumps({}), **{"code/__torch__.py": b"", "constants.pkl": b""}))
    with pytest.raises(UnsafePickle, match="TorchScript"):
        load_tensors(path, inert=True)


def test_archives_that_torch_did_not_write_are_refused(tmp_path):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}))
        archive.writestr("b/data.pkl", pickle.dumps({}))
    with pytest.raises(BadInput, match=r"torch\.save did not write"):
        load_tensors(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_truncated_files_are_bad_input(tmp_path, legacy):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.randn(50, 8), "b": [1, 2]}, path, _use_new_zipfile_serialization=not legacy)
    whole = path.read_bytes()
    for length in [0, 1, 3, 4, 50, *range(100, len(whole), 97)]:
        path.write_bytes(whole[:length])
        with pytest.raises(BadInput, match=r"a\.pt"):
            load_tensors(path)


@pytest.mark.parametrize("legacy", [False, True])
def test_files_with_any_byte_changed_are_read_or_bad_input(tmp_path, legacy):
    path = tmp_path / "a.pt"
    torch.save({"a": torch.randn(2, 4), "b": [1, "x"]}, path, _use_new_zipfile_serialization=not legacy)
    whole = path.read_bytes()
    random = numpy.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(whole)
        broken[random.integers(len(whole))] = random.integers(256)
        path.write_bytes(broken)
        with contextlib.suppress(BadInput):
            load_tensors(path, inert=bool(random.integers(2)))


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"\x00" * 600, b"hello world", b"\x80\x02K\x01.", b"\x80\x02}."])
def test_other_files_are_bad_input(tmp_path, content):
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.pt"):
        load_tensors(path)


def test_a_missing_file_and_a_folder_are_bad_input(tmp_path):
    for path in (tmp_path / "missing.pt", tmp_path):
        with pytest.raises(BadInput, match="cannot be read"):
            load_tensors(path)


@pytest.mark.parametrize(
    ("count", "offset", "size", "stride"),
    [
        (4, 0, (5,), (1,)),
        (4, 3, (2,), (1,)),
        (4, -1, (2,), (1,)),
        (4, 0, (2, 2), (1,)),
        (4, 0, (-2,), (1,)),
        (-4, 0, (2,), (1,)),
    ],
)
def test_tensors_that_reach_beyond_their_storage_are_refused(tmp_path, count, offset, size, stride):
    storage = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    view = b"".join(pickle.dumps(part, 2)[2:-1] for part in (offset, size, stride, False, {}))
    persistent = storage + pickle.dumps(count, 2)[2:-1] + b"tQ"
    payload = b"\x80\x02" + REBUILD + b"(" + persistent + view + b"tR."
    path = tmp_path / "a.pt"
    path.write_bytes(as_zip(payload, **{"data/0": struct.pack("<4f", 1, 2, 3, 4)}))
    with pytest.raises(BadInput, match=r"a\.pt is damaged"):
        load_tensors(path)
