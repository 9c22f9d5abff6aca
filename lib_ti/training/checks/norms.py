"""What the setting Vector norm does to the vectors at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.families.model_info import ModelInfo
from lib_ti.schedule import parse_learning_rates
from lib_ti.training.checks.findings import Finding
from lib_ti.training.step.norms import near_zero, norm_range, norms_of, recorded_norms, target_norms
from lib_ti.training.step.optimizers import DIRECTION, FREE, angle_of
from lib_ti.wording import counted, number, some

ABRUPT = 1.2
"""Factor between present and target norms from which setting them back is worth a warning."""

FAR_LONGER = 2.0
"""Norm to keep, in units of an ordinary word's, from which learning is noticeably slower."""


def check_norms(
    config: TrainConfig, embedding: Embedding, initial: Mapping[str, Tensor], info: ModelInfo
) -> Iterator[Finding]:
    """Yield at which norms the vectors are kept, and what this changes at once; nothing where they are free.

    Parameters
    ----------
    embedding
        As the run begins with it.
    initial
        (count,) by encoder: the norms that its training started from.
    """
    if config.vector_norm == FREE:
        return
    targets, present = target_norms(initial, info), norms_of(embedding.vectors)
    yield Finding("info", f"Vector norm is {config.vector_norm}: {_kept(config, targets, info)}.")
    if zeros := sum(int(missing.sum()) for missing in near_zero(initial, info).values()):
        start = "1 vector starts" if zeros == 1 else f"{zeros} vectors start"
        yield Finding("info", f"{start} near zero, where there is no norm to keep, and will have an ordinary word's.")
    if embedding.step and recorded_norms(embedding) is None:
        steps = counted(embedding.step, "step")
        text = (
            f"The file of {embedding.name} does not say with which norms its {steps} began: the present ones are kept."
        )
        yield Finding("info", text)
    high = max(float(targets[key].median()) / info.word_norm[key] for key in targets)
    if high > FAR_LONGER:
        yield Finding(
            "warning",
            f"The vectors are kept at {high:.1f} times the norm of an ordinary word, where each step turns them less: "
            "create the embedding from words, or raise the learning rate as much.",
        )
    grown = max(float((present[key] / targets[key]).median()) for key in targets)
    if embedding.step and grown > ABRUPT:
        yield Finding(
            "warning",
            f"The vectors have grown to {grown:.1f} times their initial norms. The first step sets them back, and what "
            "they show may have to be learned again: for a gentle continuation, set Vector norm to free.",
        )


def _kept(config: TrainConfig, targets: Mapping[str, Tensor], info: ModelInfo) -> str:
    """Return the kept norms, and how far a step turns the vectors where that is what the learning rate says."""
    parts = []
    for key, norms in targets.items():
        of_encoder = f" for {key}" if len(targets) > 1 else ""
        parts.append(f"{norm_range(norms.tolist())}{of_encoder} (an ordinary word has {info.word_norm[key]:.2g})")
    kept = f"each vector keeps its initial norm, {some(parts)}"
    if config.vector_norm != DIRECTION:
        return kept
    rate = parse_learning_rates(config.learning_rate, word_rms=info.first_word_rms)[0][0]
    scales = info.encoder_scales if config.scale_per_encoder else dict.fromkeys(targets, 1.0)
    turns = [angle_of(rate * scales[key], info.widths[key], norms) for key, norms in targets.items()]
    angles = torch.cat(turns).tolist()
    return f"{kept}, and the learning rate {number(rate)} turns it by {norm_range(angles)} rad a step"
