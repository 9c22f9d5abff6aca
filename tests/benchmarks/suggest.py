"""Suggest on concepts whose word is known: hidden from the captions, missing from the list, or not existing.

Styles, shapes and colors of the pocket world in turn over three seeds, with 16 images each. Each concept that has a
word is searched twice: with the whole list, where its word should be first, and with a list from which the word and
what sounds like it were taken, where nothing should stand out; so should nothing for styles without a word.
"""

from __future__ import annotations

import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from lib_ti.data import latents
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.data.templates import find_template
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.pocket import CHECKPOINTS
from lib_ti.pocket.captions import caption
from lib_ti.pocket.world import (
    COLOURS,
    ELEMENTS,
    SHAPES,
    WORDED_STYLES,
    WORDLESS_STYLES,
    Spec,
    draw,
    random_spec,
)
from lib_ti.training.suggest.candidates import SHIPPED, Candidates, collect, read_words
from lib_ti.training.suggest.initial_text import rank_words
from lib_ti.training.suggest.ranking import Ranking
from lib_ti.training.suggest.suggestions import judge
from lib_ti.training.suggest.word_loss import WordLoss, WordSample
from tests.benchmarks.row import Row

SEEDS = 3
IMAGES = 16
STYLE, SUBJECT = "style_filewords", "subject_filewords"
CONCEPTS = (*ELEMENTS, *WORDLESS_STYLES, *SHAPES, *COLOURS)
RAW = "TI_BENCH_SUGGEST_RAW"
"""Environment variable: a folder for all rankings as JSON."""
EVERY = "TI_BENCH_SUGGEST_EVERY"
"""Environment variable: compare one word of so many of the list, and the hidden one, to take less time."""


@dataclass(frozen=True, eq=False)
class _Case:
    """A ranking, and the word that should be first; empty where nothing should stand out."""

    concept: str
    seed: int
    word: str
    ranking: Ranking
    tokens: tuple[int, ...]
    seconds: float


def measure() -> Iterator[Row]:
    cases: list[_Case] = []
    with tempfile.TemporaryDirectory() as folder:
        host = EmbeddedHost(CHECKPOINTS["sd1"], embeddings_folder=Path(folder), device="cpu")
        with host.models.session(SessionOptions()) as model:
            for place in range(len(CONCEPTS)):
                # A stride that is prime to their number mixes the kinds.
                concept, seed = CONCEPTS[place * 7 % len(CONCEPTS)], place % SEEDS
                cases += _cases(model, Path(folder) / concept, concept, seed)
                _keep(cases)
    yield from _rows(cases)


def _rows(cases: Sequence[_Case]) -> Iterator[Row]:
    worded, wordless = ([case for case in cases if bool(case.word) is has_word] for has_word in (True, False))
    found = [case for case in worded if _suggested(case)[:1] == [case.word]]
    yield _row("the hidden word first", worded, found, 0.95)
    yield _row(
        "“none helps” where there is no word", wordless, [case for case in wordless if not _suggested(case)], 0.8
    )
    if _every() > 1:
        return
    seconds = max(case.seconds for case in cases)
    yield Row("Suggest, the longest search, CPU time", f"{seconds:.0f} s", "60 s", seconds < 60)


def _row(what: str, cases: Sequence[_Case], right: Sequence[_Case], promised: float) -> Row:
    wrong = [f"{case.concept}: {(*_suggested(case), 'none')[0]}" for case in cases if case not in right]
    share = len(right) / len(cases)
    what = f"Suggest, {what} ({len(right)} of {len(cases)}{'; not ' if wrong else ''}{', '.join(wrong)})"
    return Row(what, f"{share:.0%}", f"{promised:.0%}", share >= promised)


def _every() -> int:
    return int(os.environ.get(EVERY, "1"))


def _suggested(case: _Case) -> list[str]:
    return [one.text for one in judge(case.ranking, case.tokens).words]


def _cases(model: EmbeddedModel, folder: Path, concept: str, seed: int) -> Iterator[_Case]:
    write_images(folder, concept, seed)
    template = find_template(template_of(concept), ())
    dataset, encoded = latents.encode(
        scan(folder, Rules(64, 64, validation_split=0.0)),
        model,
        cache_folder=None,
        batch_size=8,
        progress=lambda done, total: None,
        stop=lambda: False,
    )
    losses = _Remembered(WordLoss(model))
    captions = [item.caption for item in dataset.items]
    listed = read_words(SHIPPED)[seed % _every() :: _every()]
    hidden = () if concept in WORDLESS_STYLES else (concept,)
    words = collect((*hidden, *listed), captions, lambda text: model.count_tokens(text, [])).texts

    def case(name: str, word: str, texts: tuple[str, ...]) -> _Case:
        begun = time.thread_time()
        ranked = rank_words(losses, Candidates(texts), dataset, encoded, template, seed=seed)
        tokens = tuple(model.count_tokens(text, []) for text in ranked.words)
        return _Case(name, seed, word, ranked, tokens, time.thread_time() - begun)

    if concept in WORDLESS_STYLES:
        yield case(concept, "", words)
        return
    yield case(concept, concept, words)
    stem = concept[:5].rstrip("e")
    without = tuple(text for text in words if not any(part.startswith(stem) for part in text.split()))
    yield case(f"{concept} without its word", "", without)


def template_of(concept: str) -> str:
    """Return the name of the prompt template for images of a concept."""
    return STYLE if concept in (*ELEMENTS, *WORDLESS_STYLES) else SUBJECT


def write_images(folder: Path, concept: str, seed: int) -> None:
    """Write images that have a concept in common and nothing else, with captions that do not name it."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"suggest {concept} {seed}")
    for number in range(IMAGES):
        style = concept if concept in (*ELEMENTS, *WORDLESS_STYLES) else rng.choice(WORDED_STYLES)
        spec = replace(
            random_spec(rng, style),
            shape=concept if concept in SHAPES else SHAPES[number % len(SHAPES)],
            colour=concept if concept in COLOURS else tuple(COLOURS)[(number + number // 6) % len(COLOURS)],
        )
        draw(spec).save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text(_caption(spec, concept, rng))


def _caption(spec: Spec, concept: str, rng: random.Random) -> str:
    if concept == spec.style:
        return caption(spec, rng.randrange(2**30), complete=True, name_style=False)
    tags = [spec.size, spec.shape, spec.colour, f"{spec.background} background", spec.position, spec.style]
    tags.remove(concept)
    rng.shuffle(tags)
    return ", ".join(tags)


class _Remembered:
    """Losses of which each is computed once: the shortened list needs only those of the words that take its place."""

    def __init__(self, losses: WordLoss) -> None:
        self._losses = losses
        self._known: dict[tuple[int, int], dict[str, Tensor]] = {}

    def __call__(self, words: Sequence[str], samples: Sequence[WordSample]) -> Tensor:
        columns = []
        for sample in samples:
            known = self._known.setdefault(_identity(sample), {})
            missing = [word for word in words if word not in known]
            if missing:
                known.update(zip(missing, self._losses(missing, [sample])[:, 0], strict=True))
            columns.append(torch.stack([known[word] for word in words]))
        return torch.stack(columns, dim=1)


def _identity(sample: WordSample) -> tuple[int, int]:
    return hash(sample.prompt), hash(sample.draw.noise.numpy().tobytes())


def _keep(cases: Sequence[_Case]) -> None:
    if folder := os.environ.get(RAW):
        content = [
            {
                "concept": case.concept,
                "seed": case.seed,
                "word": case.word,
                "seconds": case.seconds,
                "tokens": case.tokens,
                "words": case.ranking.words,
                "losses": case.ranking.losses.tolist(),
                "no_word": case.ranking.no_word.tolist(),
                "no_prompt": case.ranking.no_prompt.tolist(),
                "field": case.ranking.field.tolist(),
            }
            for case in cases
        ]
        (Path(folder) / "suggest.json").write_text(json.dumps(content))
