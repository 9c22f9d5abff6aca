"""What the vectors of a new embedding start from, besides the words of its initialization text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from lib_ti.config import CreateConfig
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.initial import describe, spread
from lib_ti.errors import BadInput
from lib_ti.host.base import InitialVectors, ModelHost
from lib_ti.host.tools import Tools
from lib_ti.wording import counted, quoted

REPEAT_NOISE = 0.3
"""Noise on vectors that start equal, in units of the RMS of their coordinates, as for words: equal vectors get equal
gradients and would hardly diverge."""
ZERO_NOISE = 1e-3
"""Noise around zero, in units of the RMS of a word's coordinates."""


@dataclass(frozen=True)
class Initialization:
    """The vectors of a new embedding, how its recipe records them, and a sentence for the user, which may be empty."""

    start: InitialVectors
    recipe: Mapping[str, str]
    remark: str


def initialize(models: ModelHost, tools: Tools, folder: Path, config: CreateConfig) -> Initialization:
    """Return what an embedding with these settings starts from.

    Parameters
    ----------
    folder
        Of the embeddings, for ``config.init_from``.

    Raises
    ------
    BadInput
        Where the text has no token, or the other embedding cannot be used with this model.
    Busy
        As :meth:`lib_ti.host.base.ModelHost.initial_vectors`.
    """
    if config.init_from:
        return _from_embedding(models, folder, config)
    if config.initialization == "mean":
        return _from_mean(models, tools, config)
    if config.initialization == "zeros":
        return _from_zeros(models, config)
    start = models.initial_vectors(config.text, config.vectors)
    remark = describe(config.text, tools.token_spans(config.text), config.vectors)
    return Initialization(start, {"initialization_text": config.text}, remark)


def _from_mean(models: ModelHost, tools: Tools, config: CreateConfig) -> Initialization:
    """Start all vectors from the mean of the words, as long as the words are on average."""
    tokens = max(1, len(tools.token_spans(config.text)))
    words = models.initial_vectors(config.text, tokens)
    vectors = {}
    for key, of_words in words.vectors.items():
        mean = of_words.mean(dim=0, keepdim=True)
        mean = mean * (of_words.norm(dim=1).mean() / mean.norm().clamp(min=1e-12))
        vectors[key] = _repeated(mean, [0] * config.vectors, f"mean {config.text}")
    noise = "" if config.vectors == 1 else ", with a little noise so that they can diverge"
    remark = f"Each vector starts from the mean of {counted(tokens, 'token')}{noise}."
    recorded = {"initialization": f"mean of {quoted(config.text)}"}
    return Initialization(replace(words, vectors=vectors), recorded, remark)


def _from_zeros(models: ModelHost, config: CreateConfig) -> Initialization:
    words = models.initial_vectors("*", config.vectors)
    vectors = {
        key: ZERO_NOISE * _rms(of_words) * _noise(of_words.shape, "zeros") for key, of_words in words.vectors.items()
    }
    remark = "The vectors start near zero, and the Initialization text is not used."
    return Initialization(replace(words, vectors=vectors), {"initialization": "zeros"}, remark)


def _from_embedding(models: ModelHost, folder: Path, config: CreateConfig) -> Initialization:
    """Start from the vectors of another embedding, spread as words are where there are fewer or more."""
    other, start = _other(folder, config.init_from), models.initial_vectors("*", config.vectors)
    widths = {key: int(tensor.shape[1]) for key, tensor in start.vectors.items()}
    if other.widths != widths:
        theirs, ours = (", ".join(f"{key} {width}" for key, width in of.items()) for of in (other.widths, widths))
        raise BadInput(
            f"Embedding {quoted(config.init_from)} is for another kind of model: its vectors are {theirs} wide, and "
            f"{start.model_name} takes {ours}. Choose a model of that kind, or another embedding to start from."
        )
    rows = spread(other.count, config.vectors)
    vectors = {key: _repeated(tensor, rows, config.init_from) for key, tensor in other.vectors.items()}
    used = f"the first {config.vectors} of " if config.vectors < other.count else ""
    noise = " Repeats get a little noise so that they can diverge." if config.vectors > other.count else ""
    remark = (
        f"The vectors start from {used}the {counted(other.count, 'vector')} of {config.init_from} after "
        f"{counted(other.step, 'step')}, and the Initialization text is not used.{noise}"
    )
    recorded = {"initialization": f"{config.init_from} after {counted(other.step, 'step')}"}
    return Initialization(replace(start, vectors=vectors), recorded, remark)


def _other(folder: Path, name: str) -> Embedding:
    """Return the embedding to start from, of which there must be one."""
    found = library.find_all(folder, name)
    if len(found) != 1:
        return files.load(library.find(folder, name))  # raises
    return files.load(found[0])


def _repeated(vectors: Tensor, rows: list[int], seed: str) -> Tensor:
    """Return rows of (count, width) float32 vectors, with noise on those that occurred before."""
    repeats = torch.tensor([row in rows[:place] for place, row in enumerate(rows)])
    chosen = vectors.float()[torch.tensor(rows)]
    return chosen + _noise(chosen.shape, seed) * (repeats[:, None] * REPEAT_NOISE * _rms(vectors))


def _noise(shape: torch.Size, seed: str) -> Tensor:
    """Return normally distributed noise, always the same for a text and a shape."""
    number = int.from_bytes(hashlib.sha256(f"{seed}\0{tuple(shape)}".encode()).digest()[:8], "big") >> 1
    return torch.randn(shape, generator=torch.Generator().manual_seed(number))


def _rms(vectors: Tensor) -> Tensor:
    return vectors.float().square().mean().sqrt()
