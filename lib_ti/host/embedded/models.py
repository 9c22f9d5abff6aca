"""The model of a checkpoint file: loaded by diffusers, offline, and kept between sessions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

import torch

from lib_ti.errors import BadInput, Busy
from lib_ti.families.family import Family, Prediction
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.base import InitialVectors, SessionOptions
from lib_ti.host.clip.token_table import TokenTable
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.architecture import DEFAULT_SIZE, Architecture, architecture, image_size
from lib_ti.host.embedded.device import dtype_of, named_device
from lib_ti.host.embedded.files.checkpoint import read_checkpoint, read_outline, read_token_tables
from lib_ti.host.embedded.files.hashes import autoencoder_hash, file_hash, read_ahead
from lib_ti.host.embedded.files.vae_file import with_autoencoder, with_autoencoder_outline
from lib_ti.host.embedded.prediction import measured
from lib_ti.host.embedded.recognized import recognized
from lib_ti.host.embedded.release import drop_locals, empty_caches
from lib_ti.lazy import lazy
from lib_ti.signals import Event
from lib_ti.wording import quoted

if TYPE_CHECKING:
    from lib_ti.host.embedded import described, model, networks
    from lib_ti.host.embedded.model import EmbeddedModel
else:
    described = lazy("lib_ti.host.embedded.described")
    networks = lazy("lib_ti.host.embedded.networks")
    model = lazy("lib_ti.host.embedded.model")

AUTO = "auto"
_HASH_DIGITS = 10  # the WebUI's short hash


@dataclass(frozen=True)
class Variant:
    """What the WebUI's settings VAE and Clip skip make of a checkpoint's model.

    Parameters
    ----------
    autoencoder
        A VAE file to use instead of the checkpoint's autoencoder.
    clip_skip
        The layer from the end, 1 to 12, of each text encoder whose output counts, where that is before the encoder's
        own.
    from_own
        Keys of the families whose layers are counted from the encoder's own, as in Forge's SD 2.
    """

    autoencoder: Path | None = None
    clip_skip: int = 1
    from_own: frozenset[str] = frozenset()

    def layer_from_end(self, family: Family) -> int:
        """Return the clip skip that counts from the last layer."""
        own = max(encoder.layer_from_end for encoder in family.encoders)
        return self.clip_skip + (own - 1 if family.key in self.from_own else 0)


PLAIN = Variant()


class EmbeddedModels:
    """The model of one checkpoint file; see :class:`lib_ti.host.base.ModelHost`.

    The model is loaded again when a session wants another precision or a file has changed.

    Parameters
    ----------
    checkpoint
        A checkpoint of one file, ``.safetensors`` or ``.ckpt``. It is read when a session begins.
    device
        ``"auto"`` is CUDA where there is a device, else the CPU; or a name that torch knows, such as ``"cuda:1"``.
    prediction
        What its UNet predicts; ``"auto"`` for what the checkpoint says or shows.
    keeps
        Whether the model stays in memory between sessions. Otherwise a session gives all of it back when it ends.
    hash_of
        Returns the SHA-256 of the checkpoint file.

    Raises
    ------
    BadInput
        When there is no such device or prediction.
    """

    checks_by_trial = True
    without_effect: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        checkpoint: Path,
        device: str = "auto",
        prediction: str = AUTO,
        *,
        variant: Variant = PLAIN,
        keeps: bool = True,
        hash_of: Callable[[Path], str] = file_hash,
    ) -> None:
        self._checkpoint, self._autoencoder, self._variant = checkpoint, variant.autoencoder, variant
        self._keeps, self._hash_of = keeps, hash_of
        self._prediction = _prediction(prediction)
        self._requested_device = device
        self.device = named_device(device)
        self._in_use = threading.Lock()
        self._loaded: tuple[tuple[object, torch.dtype], EmbeddedModel, str] | None = None
        self._hash: tuple[object, str] | None = None
        self._size: tuple[object, int] | None = None
        self._made: tuple[object, Architecture] | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """Full paths, the device as it was requested, and the prediction and clip skip where they were chosen.

        Clip skip counts from the last layer, once the model is known.
        """
        clip_skip = self._variant.clip_skip
        if clip_skip > 1 and self._made:
            clip_skip = self._variant.layer_from_end(self._made[1].family)
        chosen = {
            "prediction": self._prediction,
            "vae": str(self._autoencoder.absolute()) if self._autoencoder else "",
            "clip_skip": str(clip_skip) if clip_skip > 1 else "",
        }
        given = {name: value for name, value in chosen.items() if value}
        return {"checkpoint": str(self._checkpoint.absolute()), "device": self._requested_device, **given}

    @property
    def size(self) -> int:
        """That of the loaded model; before, by what the file says, and 512 where it cannot be read."""
        version = self._version()
        if self._size is None or self._size[0] != version:
            try:
                self._size = (version, image_size(self._checkpoint, self._prediction))
            except BadInput:  # reported when the model is loaded
                return DEFAULT_SIZE
        return self._size[1]

    @property
    def known(self) -> ModelInfo | None:
        """That of the loaded model, while its file is the same."""
        loaded = self._loaded
        return loaded[1].info if loaded and loaded[0][0] == self._version() else None

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
        dtype = dtype_of(options.precision, self.device)
        if not self._in_use.acquire(blocking=False):
            raise Busy(f"The model {self._checkpoint.name} is in use: wait until that has ended, or stop it.")
        try:
            acquired, remark = self._load(dtype)
            if options.report:
                for sentence in (remark, *self._remarks(acquired)):
                    if sentence:
                        options.report(sentence)
            try:
                yield acquired
            except BaseException as error:
                if not self._keeps:
                    drop_locals(error)
                raise
            finally:
                if self._keeps:
                    acquired.optimize("off")
                    acquired.set_checkpointing("off")
                    acquired.offload_autoencoder(False)
                else:
                    self._loaded = None
                    acquired.release()
                    empty_caches(self.device)
        finally:
            self._in_use.release()

    def describe(self) -> described.DescribedModel:
        """Return the model without its networks, by the file's header and token tables; never waits.

        Raises
        ------
        BadInput
            When the checkpoint cannot be used.
        """
        version = self._version()
        if self._made is None or self._made[0] != version:
            outline = with_autoencoder_outline(read_outline(self._checkpoint), self._autoencoder)
            self._made = (version, architecture(outline, self._prediction))
        return described.DescribedModel(
            self._made[1],
            read_token_tables(self._checkpoint),
            name=self._checkpoint.stem,
            checkpoint_hash=self._short_hash(version),
            device=self.device,
        )

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """As the model's own, by the token tables alone: the networks are not built."""
        tokens = tokenize(text)
        vectors = {
            encoder: TokenTable(encoder, table).starting_vectors(text, tokens, count)
            for encoder, table in read_token_tables(self._checkpoint).items()
        }
        model_hash = self._short_hash(self._version())
        return InitialVectors(vectors, model_name=self._checkpoint.stem, model_hash=model_hash)

    def _remarks(self, acquired: EmbeddedModel) -> Iterator[str]:
        """Yield a sentence for each part of the variant that changes the model."""
        if acquired.skips_layers:
            yield f"Clip skip is {self._variant.clip_skip}, and the embedding is trained for it."
        if self._autoencoder:
            yield f"The VAE is {self._autoencoder.name}, not the checkpoint's own."

    def _version(self) -> tuple[object, ...]:
        """Return what changes when a file, or the ``.yaml`` beside the checkpoint, is replaced."""
        files = (self._checkpoint, self._checkpoint.with_suffix(".yaml"), self._autoencoder)
        return tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files if file and file.is_file())

    def _short_hash(self, version: object) -> str:
        """Return the file's hash in the WebUI's short form, computed once for each version of the file."""
        if self._hash is None or self._hash[0] != version:
            self._hash = (version, self._hash_of(self._checkpoint)[:_HASH_DIGITS])
        return self._hash[1]

    def _load(self, dtype: torch.dtype) -> tuple[EmbeddedModel, str]:
        """Return the model, and a sentence on what its file was taken for, empty where the user knows it."""
        version = self._version()
        if self._loaded is not None and self._loaded[0] == (version, dtype):
            return self._loaded[1:]
        # The old model's memory is free before the new one needs it.
        self._loaded = None
        checkpoint = with_autoencoder(read_checkpoint(self._checkpoint), self._autoencoder)
        made = architecture(checkpoint, self._prediction)
        with ThreadPoolExecutor(2) as threads:
            threads.submit(read_ahead, self._checkpoint)
            hashing = threads.submit(self._short_hash, version)
            built = networks.build(checkpoint, made, dtype)
            del checkpoint
            autoencoder = autoencoder_hash(self._autoencoder or self._checkpoint, built.autoencoder)
            checkpoint_hash = hashing.result()
        try:
            for network in built.all:
                network.to(self.device)
            if made.family.model.either_prediction and not made.known_prediction.certain:
                made = made.predicting(measured(built.unet))
        except BaseException:
            built.release()  # the error holds this function's variables
            raise
        loaded = model.EmbeddedModel(
            built,
            made,
            name=self._checkpoint.stem,
            checkpoint_hash=checkpoint_hash,
            autoencoder_hash=f"{autoencoder} x {made.scale_factor:g}",
            clip_skip=self._variant.layer_from_end(made.family),
        )
        said = f"{self._checkpoint.name} is recognized as {recognized(made)}"
        remark = "" if made.known_prediction.explicit else said
        self._loaded, self._size, self._made = ((version, dtype), loaded, remark), (version, made.size), (version, made)
        return loaded, remark


def _prediction(name: str) -> Prediction | None:
    if name == AUTO:
        return None
    for prediction in get_args(Prediction):
        if name == prediction:
            found: Prediction = prediction
            return found
    raise BadInput(f"Prediction {quoted(name)} is not known; use one of {', '.join((AUTO, *get_args(Prediction)))}.")
