"""Previews during a run: generated, written, and never a reason to end the run."""

from __future__ import annotations

from collections.abc import Callable

from lib_ti.config import TrainConfig
from lib_ti.embedding import card
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import Stopped, UserError, said_when_memory_is_full
from lib_ti.host.model import ImageRequest
from lib_ti.signals import Control, Listener, LogMessage, PreviewFailed, PreviewMade, PreviewStarted
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.images.previews import Previews, infotext, save_preview
from lib_ti.training.intervals import is_due
from lib_ti.training.trainer import Callback, Trainer

FULL_MEMORY = "There was not enough graphics memory for the preview: make it smaller, or choose fewer or none."


class Previewer(Callback):
    """Writes previews into the run folder and reports them; a request to stop the run interrupts them too.

    Parameters
    ----------
    control
        Asks for previews that are not due.
    should_stop
        Whether the run is asked to stop, be it through ``control`` or by the host.
    """

    def __init__(
        self,
        previews: Previews,
        config: TrainConfig,
        folder: RunFolder,
        *,
        listen: Listener,
        control: Control,
        should_stop: Callable[[], bool],
    ) -> None:
        self._previews, self._config, self._folder = previews, config, folder
        self._listen, self._control, self._should_stop = listen, control, should_stop
        self._step: int | None = None
        """Step of the last preview."""

    def on_run_start(self, trainer: Trainer) -> None:
        """Generate a preview before the first step, to compare the later ones with."""
        if self._config.save_image_every and not trainer.resumed:
            self._generate(trainer)

    def on_step_end(self, trainer: Trainer) -> None:
        if self._control.take_preview() or is_due(trainer.step, self._config.save_image_every):
            self._should_stop()
            self._generate(trainer)

    def on_run_end(self, trainer: Trainer) -> None:
        """Generate a last preview, for which a stopped run does not wait."""
        if self._config.save_image_every and self._step != trainer.step and trainer.finished:
            self._generate(trainer)

    def _generate(self, trainer: Trainer) -> None:
        trainer.flush_pending()
        self._step = trainer.step
        embedding = trainer.live.snapshot()
        requests = self._previews.requests(embedding.name, embedding.step)
        for number, request in enumerate(requests, start=1):
            self._listen(PreviewStarted(trainer.step, number, len(requests)))
            try:
                made = self._write(embedding, request, number)
            except Stopped:
                self._listen(LogMessage(f"The preview at step {trainer.step} was interrupted."))
                return
            except Exception as error:  # noqa: BLE001 - a preview may fail in any way, memory included
                reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
                self._listen(PreviewFailed(trainer.step, reason, number, len(requests)))
            else:
                self._listen(made)

    def _write(self, embedding: Embedding, request: ImageRequest, number: int) -> PreviewMade:
        """Generate and write a preview; the image that holds the embedding is that of the first prompt."""
        with said_when_memory_is_full(FULL_MEMORY):
            image = self._previews.generate(request, embedding, lambda: self._control.stop_requested)
        path = self._folder.preview(embedding.step, number)
        save_preview(path, image, infotext(request, self._previews.model_info))
        if self._config.png_chunks and number == 1:
            card.save_card(self._folder.card(embedding.step), image, embedding)
        return PreviewMade(embedding.step, path, request.prompt, request.seed, number)
