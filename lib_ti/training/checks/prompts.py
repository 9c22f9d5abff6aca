"""Checks of the prompts: whether they use the embedding, and fit the model's context."""

from __future__ import annotations

import random
from collections.abc import Iterator

from lib_ti.data.dataset import Dataset, Item
from lib_ti.data.templates import Template, render
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.host.model import Model
from lib_ti.wording import counted, quoted


def check_prompts(model: Model, embedding: Embedding, template: Template, dataset: Dataset) -> str:
    """Check the prompts that training will use: every line with one caption, and every caption with one line.

    Returns
    -------
    str
        A warning when prompts are longer than one context of 75 tokens, else empty.

    Raises
    ------
    BadInput
        When the vectors alone fill a context, or when a prompt does not contain the embedding as the model reads it.
    """
    if embedding.count > CHUNK:
        raise BadInput(
            f"Embedding {quoted(embedding.name)} has {embedding.count} vectors, and a prompt has {CHUNK} tokens: "
            "create one with fewer vectors."
        )
    long: list[tuple[int, str]] = []
    for line, item in _pairs(template, dataset):
        prompt = _render(line, embedding.name, item)
        if embedding.name not in model.find_embeddings(prompt, [embedding]):
            raise BadInput(
                f"The prompt {quoted(prompt)} does not use the embedding {quoted(embedding.name)}: put a space or a "
                f"comma around [name] in the line {quoted(line)} of template {quoted(template.name)}, so that it "
                "is a word of its own."
            )
        tokens = model.count_tokens(prompt, [embedding])
        if tokens > CHUNK:
            long.append((tokens, item.name))
    if not long:
        return ""
    most, where = max(long)
    return (
        f"{counted(len({name for _, name in long}), 'caption')} give prompts of more than {CHUNK} tokens (the longest "
        f"{most}, for {where}): they are trained in several contexts, as the WebUI generates with them, but other "
        "programs would cut them. Shorter captions train faster."
    )


def _pairs(template: Template, dataset: Dataset) -> Iterator[tuple[str, Item]]:
    longest = max(template.lines, key=lambda line: ("[fileword" in line, len(line)))
    first = dataset.items[0]
    yield from ((line, first) for line in template.lines)
    yield from ((longest, item) for item in dataset.all_items)


def _render(line: str, name: str, item: Item) -> str:
    return render(line, name, item.caption, shuffle_tags=False, tag_dropout=0.0, rng=random.Random(0))
