"""What the first vectors of an embedding are worth by themselves: the validation loss with each number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from lib_ti.embedding.embedding import Embedding
from lib_ti.training.validation.differences import is_above, standard_error
from lib_ti.training.validation.samples import without_keyword
from lib_ti.training.validation.validation_loss import Sample, ValidationLoss
from lib_ti.wording import counted

EACH_UP_TO = 8
"""Each number of vectors is measured up to here; above, those of :data:`FURTHER` and all."""
FURTHER = (10, 12, 16, 20, 24, 32, 48, 64)
LOSABLE = 0.03
"""Share of what the embedding gained that a cut may lose to be called as good."""
ERRORS = 2.0
"""Standard errors by which the loss must be below that without the keyword before shares of the gain are given."""

HEAD = ("Vectors", "Loss", "Above all", "Gain kept")


@dataclass(frozen=True)
class CountLoss:
    """The first ``count`` vectors of an embedding by themselves.

    ``loss`` is the mean of the samples, ``error`` the standard error of its difference from the loss with all vectors,
    and ``kept`` the share of the gain of all vectors that is left, at most about 1; None where they gained nothing.
    """

    count: int
    loss: float
    error: float
    kept: float | None


@dataclass(frozen=True)
class VectorLosses:
    """The losses by number of vectors, the fewest first and all of them last.

    ``no_keyword`` is the loss of the same samples with the embedding's name removed from the prompts; ``unseen`` says
    whether the samples are validation images, which were not trained on.
    """

    rows: tuple[CountLoss, ...]
    no_keyword: float
    unseen: bool

    @property
    def count(self) -> int:
        """Number of vectors of the whole embedding."""
        return self.rows[-1].count

    @property
    def enough(self) -> int | None:
        """Fewest vectors from which on no number loses more than :data:`LOSABLE`; None where nothing was gained."""
        found = None
        for row in reversed(self.rows):
            if row.kept is None or row.kept < 1 - LOSABLE:
                break
            found = row.count
        return found

    def conclusion(self) -> str:
        """Return a sentence on how many vectors are enough."""
        enough, share = self.enough, f"{LOSABLE:.0%}"
        if enough is None:
            return (
                "With all its vectors the loss is not clearly below that without the keyword, so that it says nothing "
                "about how many are enough."
            )
        if enough == self.count:
            return (
                f"Every cut that was measured loses more than {share} of what the {counted(self.count, 'vector')} "
                "gained: keep all, or train with Nested dropout of vectors."
            )
        kept = next(row.kept for row in self.rows if row.count == enough)
        if enough == 1:
            return f"The first vector keeps {_percent(kept)} of what all {self.count} gained."
        return (
            f"The first {enough} vectors keep {_percent(kept)} of what all {self.count} gained; fewer lose more than "
            f"{share}."
        )

    def describe(self) -> tuple[str, ...]:
        """Return a table for a terminal, and the conclusion."""
        cells = [HEAD, *self.cells()]
        widths = [max(len(row[place]) for row in cells) for place in range(len(HEAD))]
        lines = ("  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in cells)
        return (*lines, self.conclusion())

    def cells(self) -> list[tuple[str, str, str, str]]:
        """Return the texts below :data:`HEAD`: differences have their standard errors; without the keyword last."""
        whole = self.rows[-1]
        cells = [
            (
                str(row.count),
                f"{row.loss:.4f}",
                "" if row is whole else f"{row.loss - whole.loss:+.4f} ± {row.error:.4f}",
                "–" if row.kept is None else _percent(row.kept),
            )
            for row in self.rows
        ]
        return [*cells, ("none", f"{self.no_keyword:.4f}", "", "–" if whole.kept is None else _percent(0))]


def numbers_to_measure(count: int) -> list[int]:
    """Return the numbers of vectors to measure of an embedding that has ``count``, all of them last."""
    return [*(number for number in (*range(1, EACH_UP_TO + 1), *FURTHER) if number < count), count]


def measure_losses(
    loss: Callable[[Sequence[Sample]], ValidationLoss],
    embedding: Embedding,
    samples: Sequence[Sample],
    *,
    unseen: bool,
    progress: Callable[[int, int], None],
) -> VectorLosses:
    """Compute the validation loss with each number of vectors, and without the keyword.

    Parameters
    ----------
    loss
        Makes the loss of samples.
    progress
        Called with the losses computed so far, and of all; may raise to stop.
    """
    numbers = numbers_to_measure(embedding.count)
    losses = loss(samples)
    measured: list[Sequence[float]] = []
    for number in numbers:
        progress(len(measured), len(numbers) + 1)
        measured.append(losses(embedding.first(number)))
    progress(len(numbers), len(numbers) + 1)
    no_keyword = loss(without_keyword(samples, embedding.name))(embedding)
    progress(len(numbers) + 1, len(numbers) + 1)
    whole = measured[-1]
    gain = fmean(no_keyword) - fmean(whole) if is_above(no_keyword, whole, ERRORS) else None
    rows = (
        CountLoss(
            count=number,
            loss=fmean(one),
            error=standard_error(one, whole),
            kept=None if gain is None else (fmean(no_keyword) - fmean(one)) / gain,
        )
        for number, one in zip(numbers, measured, strict=True)
    )
    return VectorLosses(tuple(rows), fmean(no_keyword), unseen)


def _percent(share: float | None) -> str:
    return f"{share or 0:.0%}"
