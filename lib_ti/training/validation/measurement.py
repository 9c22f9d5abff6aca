"""What a check of a run measures: the losses of its samples, and once the same without the keyword."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import fmean

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Model
from lib_ti.training.validation.history import Check, new_check
from lib_ti.training.validation.samples import RunSamples, sample_count, without_keyword
from lib_ti.training.validation.validation_loss import SAMPLES, ValidationLoss, norm_ratio


class Measurement:
    """Computes the checks of a run.

    Parameters
    ----------
    data
        Identifies all of it, see :class:`lib_ti.training.validation.history.Check`.
    count
        Losses of a check. If there are more images, some are not used.
    """

    def __init__(
        self, model: Model, samples: RunSamples, *, data: str, seed: int, batch_size: int, count: int = SAMPLES
    ) -> None:
        self._model, self._unseen, self.data = model, samples.unseen, data
        self._samples = samples.samples[:count]
        self._new_loss = partial(ValidationLoss, model, seed=seed, batch_size=batch_size, count=count)
        self._loss = self._new_loss(self._samples)

    @property
    def count(self) -> int:
        """Images that a check passes through the model."""
        return self._loss.count

    def check(self, embedding: Embedding, no_keyword: float | None) -> Check:
        """Measure an embedding; ``no_keyword`` is known from a former check, else measured too."""
        return new_check(
            embedding.step,
            self._loss(embedding),
            norm=norm_ratio(embedding, dict(self._model.info.word_norm)),
            data=self.data,
            unseen=self._unseen,
            no_keyword=self._without_keyword(embedding) if no_keyword is None else no_keyword,
        )

    def _without_keyword(self, embedding: Embedding) -> float:
        """Return the mean loss of prompts from which the embedding's name was removed."""
        return fmean(self._new_loss(without_keyword(self._samples, embedding.name))(embedding))


def measure_run(
    model: Model, samples: RunSamples, history: Sequence[Check], *, data: str, seed: int, batch_size: int, images: int
) -> Measurement:
    """Return the measurement of a run on so many images, which repeats that of its former checks on the same data."""
    former = next((check for check in reversed(history) if check.data == data and check.samples), None)
    count = len(former.samples) if former else sample_count(images)
    return Measurement(model, samples, data=data, seed=seed, batch_size=batch_size, count=count)
