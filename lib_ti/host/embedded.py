"""The host of a machine without a WebUI: one Stable Diffusion 1 checkpoint file, run by diffusers, offline."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_ti.errors import BadInput, Busy
from lib_ti.host import embedded_tools, upscaling
from lib_ti.host.architecture import DEFAULT_SIZE, architecture, image_size
from lib_ti.host.base import InitialVectors, Precision, SessionOptions
from lib_ti.host.checkpoint import file_hash, read_checkpoint, read_token_table
from lib_ti.host.text import token_spans, tokenize
from lib_ti.host.token_table import ENCODER, TokenTable
from lib_ti.host.tools import Captioner, Inpainter, Report, Upscaler
from lib_ti.host.weights_hash import network_hash
from lib_ti.signals import Event

if TYPE_CHECKING:
    from lib_ti.host.embedded_model import EmbeddedModel
from lib_ti.wording import quoted

_HASH_DIGITS = 10  # the WebUI's short hash
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


class EmbeddedHost:
    """A host made of one checkpoint file and some folders.

    Parameters
    ----------
    checkpoint
        An SD1.x checkpoint in the ldm format, ``.safetensors`` or ``.ckpt``. It is read when a session begins.
    embeddings_folder, template_folders
        Where finished embeddings go, and where prompt templates are besides the shipped ones.
    allowed_folders
        Folders that users of a page may name; None for all.
    device
        ``"auto"`` is CUDA where there is a device, else the CPU; or a name that torch knows, such as ``"cuda:1"``.
    captioner_folder, upscalers_folder
        Where the captioner's model is, in the format of ``transformers``, and upscalers' model files.

    Raises
    ------
    BadInput
        When there is no such device.
    """

    def __init__(
        self,
        checkpoint: Path,
        *,
        embeddings_folder: Path,
        template_folders: Sequence[Path] = (),
        allowed_folders: Sequence[Path] | None = None,
        device: str = "auto",
        captioner_folder: Path = Path("models/BLIP"),
        upscalers_folder: Path = Path("models/ESRGAN"),
    ) -> None:
        self.models = EmbeddedModels(checkpoint, device)
        self.tools = EmbeddedTools(self.models, captioner_folder, upscalers_folder)
        self.folders = GivenFolders(embeddings_folder, tuple(template_folders), allowed_folders)


@dataclass(frozen=True)
class GivenFolders:
    """Folders as they were given; see :class:`lib_ti.host.base.Folders`."""

    embeddings: Path
    templates: tuple[Path, ...] = ()
    allowed: Sequence[Path] | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """Full paths."""
        templates = os.pathsep.join(str(folder.absolute()) for folder in self.templates)
        return {
            "embeddings_dir": str(self.embeddings.absolute()),
            **({"templates_dir": templates} if templates else {}),
        }


class EmbeddedTools:
    """Tools from local folders, and inpainting by the host's own model; see :class:`lib_ti.host.tools.Tools`."""

    can_inpaint = True

    def __init__(self, models: EmbeddedModels, captioner_folder: Path, upscalers_folder: Path) -> None:
        self._models = models
        self._captioner_folder, self._upscalers_folder = captioner_folder, upscalers_folder

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        return token_spans(text)

    @property
    def captioners(self) -> Sequence[str]:
        return (embedded_tools.CAPTIONER,)

    def captioner(self, name: str, report: Report) -> AbstractContextManager[Captioner]:
        return embedded_tools.captioner(name, self._captioner_folder, self._models.device, report)

    @property
    def upscalers(self) -> Sequence[str]:
        return tuple(upscaling.model_files(self._upscalers_folder))

    def upscaler(self, name: str, report: Report) -> AbstractContextManager[Upscaler]:
        return embedded_tools.upscaler(name, self._upscalers_folder, self._models.device, report)

    def inpainter(self, report: Report) -> AbstractContextManager[Inpainter]:
        return embedded_tools.inpainter(self._models.session(SessionOptions(report=report)), report)


class EmbeddedModels:
    """The model of one checkpoint file; see :class:`lib_ti.host.base.ModelHost`.

    The model stays in memory between sessions, and is loaded again when a session wants another precision or the
    file has changed. For the parameters see :class:`EmbeddedHost`.
    """

    def __init__(self, checkpoint: Path, device: str = "auto") -> None:
        self._checkpoint = checkpoint
        self._requested_device = device
        self.device = _device(device)
        self._in_use = threading.Lock()
        self._loaded: tuple[object, EmbeddedModel] | None = None
        self._hash: tuple[object, str] | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """The checkpoint's full path, and the device as it was requested."""
        return {"checkpoint": str(self._checkpoint.absolute()), "device": self._requested_device}

    @property
    def size(self) -> int:
        """By the ``.yaml`` beside the checkpoint; that of Stable Diffusion 1 where it cannot be read."""
        try:
            return image_size(self._checkpoint)
        except BadInput:  # reported when the model is loaded
            return DEFAULT_SIZE

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
            model = self._load(dtype)
            with model.checkpointing(options.gradient_checkpointing):
                yield model
        finally:
            self._in_use.release()

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """As the model's own, by the token table alone: the networks are not built."""
        table = TokenTable(ENCODER, read_token_table(self._checkpoint))
        vectors = table.starting_vectors(text, tokenize(text), count)
        model_hash = self._short_hash(_version(self._checkpoint))
        return InitialVectors({ENCODER: vectors}, model_name=self._checkpoint.stem, model_hash=model_hash)

    def _short_hash(self, version: object) -> str:
        """The file's hash in the WebUI's short form, computed once for each version of the file."""
        if self._hash is None or self._hash[0] != version:
            self._hash = (version, file_hash(self._checkpoint)[:_HASH_DIGITS])
        return self._hash[1]

    def _load(self, dtype: torch.dtype) -> EmbeddedModel:
        from lib_ti.host.embedded_model import EmbeddedModel
        from lib_ti.host.networks import build

        version = _version(self._checkpoint)
        if self._loaded is not None and self._loaded[0] == (version, dtype):
            return self._loaded[1]
        # The old model's memory is free before the new one needs it.
        self._loaded = None
        weights = read_checkpoint(self._checkpoint)
        made = architecture(weights, self._checkpoint)
        networks = build(weights, made, self._checkpoint, dtype)
        del weights
        checkpoint_hash = self._short_hash(version)
        autoencoder = f"{network_hash(networks.autoencoder)} x {made.scale_factor:g}"
        for network in (networks.unet, networks.autoencoder, networks.text_encoder):
            network.to(self.device)
        model = EmbeddedModel(
            networks, made, name=self._checkpoint.stem, checkpoint_hash=checkpoint_hash, autoencoder_hash=autoencoder
        )
        self._loaded = ((version, dtype), model)
        return model


def _version(path: Path) -> tuple[object, ...]:
    """What changes when a file, or the ``.yaml`` beside it, is replaced."""
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
    return device


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision == "auto":
        if device.type != "cuda":
            return torch.float32
        # is_bf16_supported() also says yes where bfloat16 is only emulated, and slow.
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if precision not in _DTYPES:
        raise BadInput(f"Precision {quoted(precision)} is not known; take one of auto, {', '.join(_DTYPES)}.")
    if precision == "float16" and device.type == "cpu":
        raise BadInput("Precision float16 is not for the CPU; take float32, or bfloat16.")
    return _DTYPES[precision]
