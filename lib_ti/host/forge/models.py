"""The checkpoint that is selected in the fork, in a copy of our own while a session lasts."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from modules import devices, shared

from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.base import InitialVectors, SessionOptions
from lib_ti.host.embedded.architecture import DEFAULT_SIZE
from lib_ti.host.embedded.models import EmbeddedModels, Variant
from lib_ti.host.forge.fork import Fork, Selected, chosen
from lib_ti.host.model import Model
from lib_ti.host.webui.base import prompt_cache, turn
from lib_ti.host.webui.base.progress import Progress
from lib_ti.host.webui.base.random_state import preserved_random_state
from lib_ti.signals import Event

logger = logging.getLogger(__name__)


class ForkModels:
    """See :class:`lib_ti.host.base.ModelHost` for what its methods promise.

    Its methods may be called from any thread, but :meth:`session` never with the fork's queue lock held.
    """

    checks_by_trial = False
    without_effect: Mapping[str, str] = MappingProxyType({})

    def __init__(self, fork: Fork) -> None:
        self._fork, self._progress = fork, Progress()
        self._known: tuple[Selected, EmbeddedModels] | None = None
        self._described: tuple[EmbeddedModels, ModelInfo] | None = None

    @property
    def arguments(self) -> Mapping[str, str]:
        """Those of the command line's host for the same model."""
        try:
            return self._selected().arguments
        except BadInput:
            return {}

    @property
    def size(self) -> int:
        try:
            return self._selected().size
        except BadInput:  # reported when the model is acquired
            return DEFAULT_SIZE

    @property
    def known(self) -> ModelInfo | None:
        """That of the selected model, where it was acquired or described before."""
        try:
            models = self._selected()
        except BadInput:
            return None
        return self._described[1] if self._described and self._described[0] is models else None

    @contextmanager
    def session(self, options: SessionOptions) -> Iterator[Model]:
        """Load the selected checkpoint while nothing else in the fork uses the device.

        Raises
        ------
        BadInput
            When no checkpoint is selected, or it is not one that is trained here.
        """
        if options.describe_only:
            yield self._describe(self._selected())
            return
        with turn.turn(options.report, options.stop, wait=options.wait), preserved_random_state():
            models = self._selected()
            self._describe(models)  # refuses before the fork's model has to leave
            if options.report:
                for sentence in self._remarks():
                    options.report(sentence)
            self._fork.free()
            with models.session(options) as model:
                yield model

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """By the selected checkpoint's token tables alone, without waiting."""
        return self._selected().initial_vectors(text, count)

    def watch(self, event: Event) -> None:
        self._progress.watch(event)

    def interrupted(self) -> str:
        return self._progress.interrupted()

    def embedding_saved(self, path: Path) -> str:
        try:
            self._fork.refresh(path)
            prompt_cache.clear_prompt_cache()
        except Exception as error:
            logger.warning("%s did not load %s", self._fork.name, path, exc_info=True)
            return (
                f"{path.name} is saved, but {self._fork.name} did not load it ({type(error).__name__}: {error}): "
                "select the checkpoint again, or restart, before you use it in a prompt."
            )
        return ""

    def _describe(self, models: EmbeddedModels) -> Model:
        described = models.describe()
        self._described = models, described.info
        return described

    def _selected(self) -> EmbeddedModels:
        """Return the host of the selected model, the same one as long as nothing else is selected."""
        selected = self._fork.selected()
        if self._known is None or self._known[0] != selected:
            models = EmbeddedModels(
                selected.checkpoint,
                str(devices.device),
                variant=Variant(selected.autoencoder, selected.clip_skip, selected.from_own),
                keeps=False,
                hash_of=selected.sha256,
            )
            self._known = (selected, models)
        return self._known[1]

    def _remarks(self) -> Iterator[str]:
        """Yield sentences about the fork's settings that affect training, or do not."""
        if lora := chosen("sd_lora"):
            yield f"The LoRA {lora}, which the settings add to every image, is off during training."
        if getattr(shared.opts, "sd_noise_schedule", "Default") == "Zero Terminal SNR":
            yield (
                "The setting Zero Terminal SNR is on for images, and not used in training: only a checkpoint that says "
                "so itself is trained with that noise schedule."
            )
