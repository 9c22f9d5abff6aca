"""The previews of a run as it goes: generated, written, and never a reason to end the run."""

from __future__ import annotations

from lib_ti.config import TrainConfig
from lib_ti.embedding import card
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import Stopped, UserError, said_when_memory_is_full
from lib_ti.families.model_info import ModelInfo
from lib_ti.signals import Control, Listener, Note, PreviewFailed, PreviewMade, PreviewStarted
from lib_ti.training.preview import Previews, infotext, save_preview
from lib_ti.training.rundir import RunFolder

FULL_MEMORY = "There was not enough graphics memory for the preview: make it smaller, or choose fewer or none."


class Previewer:
    """Writes previews into the run folder and reports them; a request to stop the run interrupts the preview too."""

    def __init__(
        self,
        previews: Previews,
        info: ModelInfo,
        config: TrainConfig,
        folder: RunFolder,
        *,
        listen: Listener,
        control: Control,
    ) -> None:
        self._previews, self._info, self._config, self._folder = previews, info, config, folder
        self._listen, self._control = listen, control
        self.step: int | None = None
        """Step of the last preview."""

    def make(self, embedding: Embedding) -> None:
        """Generate and write the preview of the embedding's step."""
        step = self.step = embedding.step
        self._listen(PreviewStarted(step))
        try:
            with said_when_memory_is_full(FULL_MEMORY):
                picture, request = self._previews.draw(embedding, lambda: self._control.stop_requested)
            path = self._folder.preview(step)
            save_preview(path, picture, infotext(request, self._info))
            if self._config.png_chunks:
                card.save_card(self._folder.card(step), picture, embedding)
        except Stopped:
            self._listen(Note(f"The preview at step {step} was interrupted."))
        except Exception as error:  # noqa: BLE001 - a preview may fail in any way, memory included
            reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            self._listen(PreviewFailed(step, reason))
        else:
            self._listen(PreviewMade(step, path, request.prompt, request.seed))
