"""The model of a checkpoint file: loaded by diffusers, offline, and kept between sessions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import torch

from lib_ti.errors import BadInput, Busy
from lib_ti.families.family import Prediction
from lib_ti.host.base import InitialVectors, Precision, SessionOptions
from lib_ti.host.clip.token_table import TokenTable
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.architecture import DEFAULT_SIZE, architecture, image_size
from lib_ti.host.embedded.files.checkpoint import file_hash, read_checkpoint, read_token_tables
from lib_ti.host.embedded.prediction import measured
from lib_ti.host.embedded.recognized import recognized
from lib_ti.host.weights_hash import network_hash
from lib_ti.lazy import lazy
from lib_ti.signals import Event
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.embedded import model, networks
    from lib_ti.host.embedded.model import EmbeddedModel
else:
    networks = lazy("lib_ti.host.embedded.networks")
    model = lazy("lib_ti.host.embedded.model")

AUTO = "auto"
_HASH_DIGITS = 10  # the WebUI's short hash
_DEVICES = ("cpu", "cuda")
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class EmbeddedModels:
    """The model of one checkpoint file; see :class:`lib_ti.host.base.ModelHost`.

    The model stays in memory between sessions, and is loaded again when a session wants another precision or the
    file has changed.

    Parameters
    ----------
    checkpoint
        A checkpoint of one file, ``.safetensors`` or ``.ckpt``. It is read when a session begins.
    device
        ``"auto"`` is CUDA where there is a device, else the CPU; or a name that torch knows, such as ``"cuda:1"``.
    prediction
        What its UNet predicts; ``"auto"`` for what the checkpoint says or shows.

    Raises
    ------
    BadInput
        When there is no such device or prediction.
    """

    def __init__(self, checkpoint: Path, device: str = "auto", prediction: str = AUTO) -> None:
        self._checkpoint = checkpoint
        self._prediction = _prediction(prediction)
        self._requested_device = device
        self.device = _device(device)
        self._in_use = threading.Lock()
        self._loaded: tuple[object, EmbeddedModel, str] | None = None
        self._hash: tuple[object, str] | None = None
        self._size: tuple[object, int] | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """The checkpoint's full path, the device as it was requested, and the prediction where it was chosen."""
        chosen = {"prediction": self._prediction} if self._prediction else {}
        return {"checkpoint": str(self._checkpoint.absolute()), "device": self._requested_device, **chosen}

    @property
    def size(self) -> int:
        """That of the loaded model; before, by what the file says, and 512 where it cannot be read."""
        version = _version(self._checkpoint)
        if self._size is None or self._size[0] != version:
            try:
                self._size = (version, image_size(self._checkpoint, self._prediction))
            except BadInput:  # reported when the model is loaded
                return DEFAULT_SIZE
        return self._size[1]

    def watch(self, event: Event) -> None:
        """Nothing to do: this host has no progress bar of its own."""

    def interrupted(self) -> str:
        """Nothing: this host has no Interrupt of its own."""
        return ""

    def embedding_saved(self, path: Path) -> str:  # noqa: ARG002
        """Nothing to do: embeddings are handed to the model at every call and never cached here."""
        return ""

    @contextmanager
    def session(self, options: SessionOptions) -> Iterator[EmbeddedModel]:
        """Acquire the model, one session at a time.

        Precision ``"auto"`` is float32 on the CPU, and on CUDA bfloat16 where the device computes in it (Ampere
        and later: no loss scaling, no overflow), else float16.

        Raises
        ------
        BadInput
            When the checkpoint cannot be used, or the device not in that precision.
        Busy
            When the model is already in use; this host never waits.
        """
        dtype = _dtype(options.precision, self.device)
        if not self._in_use.acquire(blocking=False):
            raise Busy(f"The model {self._checkpoint.name} is in use: wait until that has ended, or stop it.")
        try:
            acquired, remark = self._load(dtype)
            if remark and options.report:
                options.report(remark)
            try:
                yield acquired
            finally:
                acquired.optimize("off")
                acquired.set_checkpointing("off")
                acquired.offload_autoencoder(False)
        finally:
            self._in_use.release()

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """As the model's own, by the token tables alone: the networks are not built."""
        tokens = tokenize(text)
        vectors = {
            encoder: TokenTable(encoder, table).starting_vectors(text, tokens, count)
            for encoder, table in read_token_tables(self._checkpoint).items()
        }
        model_hash = self._short_hash(_version(self._checkpoint))
        return InitialVectors(vectors, model_name=self._checkpoint.stem, model_hash=model_hash)

    def _short_hash(self, version: object) -> str:
        """Return the file's hash in the WebUI's short form, computed once for each version of the file."""
        if self._hash is None or self._hash[0] != version:
            self._hash = (version, file_hash(self._checkpoint)[:_HASH_DIGITS])
        return self._hash[1]

    def _load(self, dtype: torch.dtype) -> tuple[EmbeddedModel, str]:
        """Return the model, and a sentence on what its file was taken for, empty where the user knows it."""
        version = _version(self._checkpoint)
        if self._loaded is not None and self._loaded[0] == (version, dtype):
            return self._loaded[1:]
        # The old model's memory is free before the new one needs it.
        self._loaded = None
        checkpoint = read_checkpoint(self._checkpoint)
        made = architecture(checkpoint, self._prediction)
        # Hashing reads the file from end to end, several times as fast as weights are read where they lie in it, and
        # leaves it in the system's cache.
        with ThreadPoolExecutor(1) as thread:
            hashing = thread.submit(self._short_hash, version)
            build = networks.build  # imported now, beside it
            checkpoint_hash = hashing.result()
        built = build(checkpoint, made, dtype)
        del checkpoint
        autoencoder = f"{network_hash(built.autoencoder)} x {made.scale_factor:g}"
        for network in built.all:
            network.to(self.device)
        if made.family.model.either_prediction and not made.known_prediction.certain:
            made = made.predicting(measured(built.unet))
        loaded = model.EmbeddedModel(
            built, made, name=self._checkpoint.stem, checkpoint_hash=checkpoint_hash, autoencoder_hash=autoencoder
        )
        said = f"{self._checkpoint.name} is recognized as {recognized(made)}"
        remark = "" if made.known_prediction.explicit else said
        self._loaded, self._size = ((version, dtype), loaded, remark), (version, made.size)
        return loaded, remark


def _prediction(name: str) -> Prediction | None:
    if name == AUTO:
        return None
    for prediction in get_args(Prediction):
        if name == prediction:
            found: Prediction = prediction
            return found
    raise BadInput(f"Prediction {quoted(name)} is not known; use one of {', '.join((AUTO, *get_args(Prediction)))}.")


def _version(path: Path) -> tuple[object, ...]:
    """Return what changes when a file, or the ``.yaml`` beside it, is replaced."""
    files = (path, path.with_suffix(".yaml"))
    return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.is_file())


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise BadInput(
            f"Device {quoted(name)} cannot be used here ({str(error).splitlines()[0]}); use 'cpu'."
        ) from error
    if device.type not in _DEVICES:
        raise BadInput(
            f"Device {quoted(name)} is not one that this program trains on; use one of {', '.join(_DEVICES)}."
        )
    return device


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if _computes_in_bfloat16(device) else torch.float16
    if precision not in _DTYPES:
        raise BadInput(f"Precision {quoted(precision)} is not known; use one of auto, {', '.join(_DTYPES)}.")
    if precision == "float16" and device.type == "cpu":
        raise BadInput("Precision float16 is not for the CPU; use float32, or bfloat16.")
    if precision == "bfloat16" and device.type == "cuda" and not _computes_in_bfloat16(device):
        raise BadInput(f"{torch.cuda.get_device_name(device)} does not compute in bfloat16; use float16, or auto.")
    return _DTYPES[precision]


def _computes_in_bfloat16(device: torch.device) -> bool:
    # is_bf16_supported() also says yes where bfloat16 is only emulated, and slow.
    return torch.cuda.get_device_capability(device) >= (8, 0)
