"""Images that a run leaves at its end: the loss curve, and the best preview on the embedding's card."""

from __future__ import annotations

from lib_ti.errors import UserError
from lib_ti.signals import Listener, LogMessage
from lib_ti.training.callbacks.evaluator import Evaluator
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.images import plot
from lib_ti.training.published_embedding import PublishedEmbedding
from lib_ti.training.trainer import Callback, Trainer


class RunImages(Callback):
    """Plots the losses, and shows the preview nearest to the best step beside the embedding; the last callback."""

    def __init__(
        self, folder: RunFolder, published: PublishedEmbedding, evaluator: Evaluator, listen: Listener
    ) -> None:
        self._folder, self._published, self._evaluator, self._listen = folder, published, evaluator, listen

    def on_run_end(self, trainer: Trainer) -> None:
        try:
            plot.loss_plot(self._folder)
            verdict = self._evaluator.verdict
            image = self._folder.preview_near(verdict.best_step if verdict else trainer.step)
            if image:
                self._published.show(image)
        except (OSError, UserError) as error:
            self._listen(LogMessage(f"The loss curve or the card's image is missing: {error}", warning=True))
