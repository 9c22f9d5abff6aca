"""Whether an initialization text contradicts the images: the model predicts them worse with it than with no word.

Of all ways to start an embedding this is the one that was measured to keep a run from learning: “red” for a style
that the images show in all colors.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

from lib_ti.data import latents
from lib_ti.data.dataset import Dataset
from lib_ti.data.latents import Latents
from lib_ti.data.templates import Template
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.model import Model
from lib_ti.training.checks.findings import Finding
from lib_ti.training.suggest.ranking import gains
from lib_ti.training.suggest.word_loss import NO_WORD, WordLoss, WordSample, word_samples
from lib_ti.wording import printable

IMAGES, SAMPLES = 8, 16
ERRORS = 2.0
"""Standard errors by which a text must be worse than no word."""
WORSE = 0.03
"""Share of the loss by which it must be worse."""
LONGEST = 20.0
"""Seconds that the comparison may take."""


_MOST_REMEMBERED = 16
_remembered: dict[tuple[object, ...], tuple[Finding, ...]] = {}
"""What was found by what it depends on, so that a run does not compute again what its check has computed."""


def compare_initial_text(
    model: Model,
    embedding: Embedding,
    dataset: Dataset,
    template: Template,
    *,
    seed: int,
    encoded: Latents | None = None,
) -> tuple[Finding, ...]:
    """Warn when an untrained embedding starts from a text that fits the images worse than no word does.

    Parameters
    ----------
    encoded
        Latents of the images, where they are there already.
    """
    text = str(embedding.recipe.get("initialization_text") or "")
    if embedding.step or not any(map(str.isalpha, text)):
        return ()
    of_model = (model.info.hash, model.info.autoencoder)
    key = (*of_model, text, dataset.fingerprint, tuple(template.lines), seed)
    if key not in _remembered:
        samples = _samples(model, dataset, template, seed, encoded)
        found = _compare(model, text, samples) if samples else ()
        if any(finding.kind != "warning" for finding in found):  # it was not compared
            return found
        for oldest in list(_remembered)[: 1 - _MOST_REMEMBERED]:
            _remembered.pop(oldest, None)
        _remembered[key] = found
    return _remembered[key]


def _compare(model: Model, text: str, samples: list[WordSample]) -> tuple[Finding, ...]:
    losses = WordLoss(model)
    begun = time.monotonic()
    losses([NO_WORD, text], samples[:1])
    expected = (time.monotonic() - begun) * SAMPLES
    if expected > LONGEST:
        said = (
            f"Whether “{printable(text)}” fits the images was not checked: it would take about {expected:.0f} s here."
        )
        return (Finding("info", said),)
    without, with_text = losses([NO_WORD, text], samples)
    gain = gains(with_text[None], without)[0]
    worse = float(-gain.mean())
    if worse < max(WORSE, ERRORS * float(gain.std()) / math.sqrt(SAMPLES)) or with_text.mean() <= without.mean():
        return ()
    said = (
        f"Initialization text “{printable(text)}” fits these images worse than no word: loss "
        f"{float(with_text.mean()):.4f} against {float(without.mean()):.4f}. An embedding that starts from a word "
        "that contradicts its images may never learn them: create it from another text, such as one that "
        "Suggest finds."
    )
    return (Finding("warning", said),)


def _samples(
    model: Model, dataset: Dataset, template: Template, seed: int, encoded: Latents | None
) -> list[WordSample]:
    """Return samples of a few images; none where those cannot be read, which the run reports."""
    items = sorted(dataset.all_items, key=lambda item: item.digest)[:IMAGES]
    few = replace(dataset, items=tuple(items), validation=(), rules=replace(dataset.rules, validation_split=0.0))
    if encoded is None:
        stop, progress = (lambda: False), _ignore
        try:
            few, encoded = latents.encode(few, model, cache_folder=None, batch_size=1, progress=progress, stop=stop)
        except BadInput:
            return []
    return word_samples(few.items, few, encoded, template.lines, count=SAMPLES, seed=seed)


def _ignore(done: int, total: int) -> None:
    del done, total
