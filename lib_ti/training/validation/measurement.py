"""What a check of a run measures: validation images, training images, and once the same without the keyword."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Model
from lib_ti.training.validation.history import Check, new_check
from lib_ti.training.validation.samples import RunSamples, without_keyword
from lib_ti.training.validation.validation_loss import SAMPLES, ValidationLoss, norm_ratio


class Measurement:
    """Computes the checks of a run.

    Parameters
    ----------
    samples
        Those of training images show the end of a plateau more clearly than few validation images do.
    data
        Identifies all of it, see :class:`lib_ti.training.validation.history.Check`.
    count
        Losses of each kind.
    """

    def __init__(
        self, model: Model, samples: RunSamples, *, data: str, seed: int, batch_size: int, count: int = SAMPLES
    ) -> None:
        self._model, self._samples, self.data = model, samples, data
        self._new_loss = partial(ValidationLoss, model, seed=seed, batch_size=batch_size, count=count)
        self._main = self._new_loss(samples.main)
        self._training = self._new_loss(samples.training) if samples.training else None

    @property
    def forwards(self) -> int:
        """Images that a check passes through the model."""
        return self._main.count + (self._training.count if self._training else 0)

    def check(self, embedding: Embedding, no_keyword: float | None) -> Check:
        """Measure an embedding; ``no_keyword`` is known from a former check, else measured too."""
        return new_check(
            embedding.step,
            self._main(embedding),
            norm=norm_ratio(embedding, dict(self._model.info.word_norm)),
            data=self.data,
            unseen=self._samples.unseen,
            training=self._training(embedding) if self._training else (),
            no_keyword=self._without_keyword(embedding) if no_keyword is None else no_keyword,
        )

    def _without_keyword(self, embedding: Embedding) -> float:
        """Return the mean loss of prompts from which the embedding's name was removed."""
        return fmean(self._new_loss(without_keyword(self._samples.main, embedding.name))(embedding))


def measure_run(
    model: Model, samples: RunSamples, history: Sequence[Check], *, data: str, seed: int, batch_size: int
) -> Measurement:
    """Return the measurement of a run, which repeats that of its former checks on the same data.

    Versions before this one had 16 losses of few images, and none of training images beside validation images.
    """
    former = next((check for check in reversed(history) if check.data == data and check.samples), None)
    if former and not former.training:
        samples = replace(samples, training=())
    count = min(SAMPLES, len(former.samples)) if former else SAMPLES
    return Measurement(model, samples, data=data, seed=seed, batch_size=batch_size, count=count)
