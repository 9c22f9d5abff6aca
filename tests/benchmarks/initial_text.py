"""Check's warning of an initialization text: given for words that contradict the images, and for no neutral one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.data.templates import find_template
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.pocket import CHECKPOINTS
from lib_ti.pocket.world import COLOURS, ELEMENTS, SHAPES
from lib_ti.training.suggest.contradiction import compare_initial_text
from tests.benchmarks.row import Row
from tests.benchmarks.suggest import CONCEPTS, SEEDS, template_of, write_images

NEUTRAL = ("style", "painting", "shape")


def measure() -> Iterator[Row]:
    warned: dict[str, list[bool]] = {"a word that contradicts the images": [], "a neutral word": [], "its word": []}
    with tempfile.TemporaryDirectory() as folder:
        host = EmbeddedHost(CHECKPOINTS["sd1"], embeddings_folder=Path(folder), device="cpu")
        with host.models.session(SessionOptions()) as model:
            for place, concept in enumerate(CONCEPTS):
                texts = {"a word that contradicts the images": _others(concept), "a neutral word": NEUTRAL}
                if "+" not in concept:
                    texts["its word"] = (concept,)
                images = Path(folder) / concept
                write_images(images, concept, place % SEEDS)
                for kind, words in texts.items():
                    warned[kind] += [_is_warned(model, images, concept, word) for word in words]
    for kind, found in warned.items():
        share, wanted = sum(found) / len(found), 1.0 if "contradicts" in kind else 0.0
        what = f"Check warns of {kind} as initialization text ({sum(found)} of {len(found)})"
        yield Row(
            what, f"{share:.0%}", "≥ 80 %" if wanted else "≤ 5 %", abs(share - wanted) <= (0.2 if wanted else 0.05)
        )


def _others(concept: str) -> Sequence[str]:
    """Return two words that exclude the concept."""
    of_its_kind = next((kind for kind in (SHAPES, tuple(COLOURS)) if concept in kind), ELEMENTS)
    return [word for word in of_its_kind if word not in concept.split("+")][:2]


def _is_warned(model: EmbeddedModel, images: Path, concept: str, text: str) -> bool:
    dataset = scan(images, Rules(64, 64))
    embedding = Embedding("my-style", model.initial_vectors(text, 1), recipe={"initialization_text": text})
    return bool(list(compare_initial_text(model, embedding, dataset, find_template(template_of(concept), ()), seed=0)))
