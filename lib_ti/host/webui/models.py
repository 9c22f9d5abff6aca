"""The model that the WebUI has loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from modules import sd_models, sd_vae, shared

from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.base import InitialVectors, SessionOptions
from lib_ti.host.model import Model
from lib_ti.host.webui.base import forks, turn
from lib_ti.host.webui.base.progress import Progress
from lib_ti.host.webui.file_hints import expected_size, weight_names
from lib_ti.host.webui.loaded.kind import image_size
from lib_ti.lazy import lazy
from lib_ti.signals import Event

if TYPE_CHECKING:
    from lib_ti.host.webui import embeddings, session
else:
    embeddings = lazy("lib_ti.host.webui.embeddings")
    session = lazy("lib_ti.host.webui.session")

OPTIMIZATION_REFUSED = (
    "Without effect in the WebUI, which replaces parts of the UNet while it runs: a compiled one would not see them."
)


class WebUIModels:
    """See :class:`lib_ti.host.base.ModelHost` for what its methods promise.

    Its methods may be called from any thread, but :meth:`session` never with the WebUI's queue lock held.
    """

    checks_by_trial = True
    without_effect: Mapping[str, str] = MappingProxyType({"optimization": OPTIMIZATION_REFUSED})

    def __init__(self) -> None:
        self._progress = Progress()
        self._described: tuple[object, ModelInfo] | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """The loaded checkpoint by its title in the WebUI's list, and VAE and clip skip where they were chosen."""
        checkpoint = getattr(sd_models.model_data.sd_model, "sd_checkpoint_info", None)
        title = str(checkpoint.title if checkpoint else shared.opts.data.get("sd_model_checkpoint") or "")
        clip_skip = int(shared.opts.CLIP_stop_at_last_layers)
        chosen = {"vae": str(sd_vae.loaded_vae_file or ""), "clip_skip": str(clip_skip) if clip_skip > 1 else ""}
        return {"checkpoint": title, **{name: value for name, value in chosen.items() if value}}

    @property
    def size(self) -> int:
        """That of the loaded model; until there is one, what the selected checkpoint's file says."""
        if sd_models.model_data.sd_model is not None:
            return image_size(sd_models.model_data.sd_model)
        selected = sd_models.checkpoint_aliases.get(shared.opts.data.get("sd_model_checkpoint"))
        selected = selected or next(iter(sd_models.checkpoints_list.values()), None)
        names = weight_names(Path(selected.filename)) if selected else ()
        return expected_size(names, getattr(selected, "metadata", None) or {})

    @property
    def known(self) -> ModelInfo | None:
        """That of the last session, while the WebUI has the same model loaded."""
        described = self._described
        return described[1] if described and described[0] == _version() else None

    @contextmanager
    def session(self, options: SessionOptions) -> Iterator[Model]:
        """Acquire the loaded model while nothing else in the WebUI uses it.

        Raises
        ------
        BadInput
            When the WebUI is too old, or its model cannot be trained on.
        """
        if forks.is_old():
            raise BadInput("This WebUI is older than 1.9; update it, then train.")
        with turn.turn(options.report, options.stop, wait=options.wait), session.acquire_model(options) as model:
            self._described = _version(), model.info
            yield model

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """By the loaded model, without waiting for it."""
        with self.session(SessionOptions(wait=False)) as model:
            return InitialVectors(model.initial_vectors(text, count), model.info.name, model.info.hash)

    def watch(self, event: Event) -> None:
        self._progress.watch(event)

    def interrupted(self) -> str:
        return self._progress.interrupted()

    def embedding_saved(self, path: Path) -> str:
        return embeddings.load(path)


def _version() -> object:
    """Return what changes when the WebUI loads another model."""
    model = sd_models.model_data.sd_model
    return id(model), getattr(model, "sd_model_checkpoint", None), getattr(model, "sd_model_hash", None)
