"""Compare the numbers of vectors of an embedding: by the validation loss of its run, and by an image with each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped
from lib_ti.host.base import Host, Precision, SessionOptions
from lib_ti.host.model import Model
from lib_ti.signals import Control, Listener, LogMessage, Progress
from lib_ti.training.cut.losses import VectorLosses, measure_losses, numbers_to_measure
from lib_ti.training.cut.run_samples import FormerRun
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.images.contact_sheet import compare_counts
from lib_ti.training.stopping import stop_requested
from lib_ti.training.validation.validation_loss import ValidationLoss
from lib_ti.wording import quoted

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class VectorComparison:
    """The losses and images by number of vectors of an embedding after ``step`` steps.

    ``sheet`` is the image file, in the run's folder, None without a prompt; ``notes`` are sentences on what the losses
    rest on.
    """

    name: str
    step: int
    run: Path
    losses: VectorLosses
    sheet: Path | None
    notes: tuple[str, ...]

    def describe(self) -> tuple[str, ...]:
        """Return lines for a terminal: the table, the conclusion, where the images are, and the notes."""
        images = (f"The images are in {self.sheet}.",) if self.sheet else ()
        return (*self.losses.describe(), *images, *self.notes)


def compare(
    host: Host, folder: RunFolder, embedding: Embedding, prompt: str, listen: Listener, control: Control
) -> VectorComparison:
    """Compute the losses on the run's validation samples, and generate an image with each number of vectors.

    Parameters
    ----------
    embedding
        A checkpoint of the run, under the run's name.
    prompt
        Of the images, with ``[name]``; empty for no images.

    Raises
    ------
    BadInput
        When the embedding has one vector only, is not for the model, or the run's images cannot be read.
    Stopped
        When ``control`` or the host's own Interrupt asks for it; no file was written.
    """
    if embedding.count == 1:
        raise BadInput(f"Embedding {quoted(embedding.name)} has 1 vector: there is nothing to cut.")
    former = FormerRun.of(folder)
    stop = partial(stop_requested, host.models, control)

    def progress(stage: str, done: int, total: int) -> None:
        listen(Progress(stage, done, total))
        if stop():
            raise Stopped("Comparing the numbers of vectors was stopped; no file was written.")

    options = SessionOptions(
        cast("Precision", former.config.precision), report=lambda text: listen(LogMessage(text)), stop=stop
    )
    with host.models.session(options) as model:
        files.check_fits(embedding, model.info)
        samples, notes = former.samples(model, progress, stop)
        if not samples.unseen:
            notes = (*notes, "The run had no validation images: the losses are of images that it was trained on.")
        config = former.config
        losses = measure_losses(
            lambda chosen: ValidationLoss(model, chosen, seed=config.seed, batch_size=config.batch_size),
            embedding,
            samples.samples,
            unseen=samples.unseen,
            progress=partial(progress, "Computing losses"),
        )
        sheet = _images(model, former, embedding, prompt, progress, stop) if prompt.strip() else None
    return VectorComparison(embedding.name, embedding.step, folder.path, losses, sheet, notes)


def _images(
    model: Model, former: FormerRun, embedding: Embedding, prompt: str, progress: Step, stop: Callable[[], bool]
) -> Path:
    shown = [embedding.first(count) for count in numbers_to_measure(embedding.count)]
    path = former.folder.new_image("vectors")
    seed = max(0, former.config.preview_seed) % 2**31
    return compare_counts(
        model, shown, prompt, path, seed=seed, progress=partial(progress, "Generating images"), stop=stop
    )
