"""Prompts in the WebUI's session: its own tokenizers and text encoders, with our vectors in place of their names.

The WebUI's embedding database is not used, since anything may clear it at any time: a page reload, a model that is
loaded, the API. A database of our own holds the embeddings of the call and no others, so that a caption means the same
whichever files are in the embeddings folder.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from modules import devices, shared
from modules.textual_inversion import textual_inversion
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.families.family import Family
from lib_ti.host.clip.conditioning import TextConditioning, sizes_of
from lib_ti.host.clip.network import to_device
from lib_ti.host.model import Conditions
from lib_ti.host.webui.loaded.kind import text_wrappers
from lib_ti.host.webui.loaded.text_encoder import TextEncoder
from lib_ti.prompt_syntax import literal, without_words
from lib_ti.wording import quoted


class WebUIPromptEncoder:
    """Encodes prompts with the text encoders of the loaded model.

    Attributes
    ----------
    encoders
        In the order of their outputs.

    Parameters
    ----------
    sd_model
        The loaded model, hijacked as the WebUI does it.
    family
        The model's.
    clip_skip
        See :class:`TextEncoder`.
    """

    def __init__(self, sd_model: Any, family: Family, clip_skip: int) -> None:
        self._sd_model = sd_model
        self.encoders = [
            TextEncoder(family, spec, wrapper, clip_skip)
            for spec, wrapper in zip(family.encoders, text_wrappers(sd_model), strict=True)
        ]

    @property
    def widths(self) -> dict[str, int]:
        return {encoder.key: encoder.table.width for encoder in self.encoders}

    @property
    def word_norm(self) -> dict[str, float]:
        return {encoder.key: encoder.table.word_norm for encoder in self.encoders}

    def encode(self, conditions: Conditions, embeddings: Sequence[Embedding]) -> TextConditioning:
        """Encode prompts, all with as many contexts; differentiable in the embeddings' vectors.

        The WebUI's emphasis is omitted on purpose: captions are plain text, and its restoring of the mean divides by
        a number that may be zero.
        """
        emphasis = shared.opts.emphasis
        texts = [as_plain_text(prompt, emphasis) for prompt in conditions.prompts]
        distinct = list(dict.fromkeys(texts))
        crossattn, pooled = self._encode(distinct, self._database(embeddings))
        if len(distinct) < len(texts):
            rows = to_device([distinct.index(text) for text in texts], devices.device)
            crossattn, pooled = crossattn[rows], None if pooled is None else pooled[rows]
        sizes = None if pooled is None else sizes_of(conditions.framings, devices.device)
        return TextConditioning(crossattn, pooled, sizes)

    def _encode(self, texts: Sequence[str], database: Any) -> tuple[Tensor, Tensor | None]:
        """Encode texts to (B, 77·k, width of all encoders) and the pooled vectors, if an encoder has them."""
        layouts = [_with_database(encoder.wrapper, database).process_texts(texts)[0] for encoder in self.encoders]
        contexts = max(len(chunks) for layout in layouts for chunks in layout)
        hidden, pooled = [], None
        for encoder, layout in zip(self.encoders, layouts, strict=True):
            states, of_prompts = encoder.encode(_filled_up(layout, contexts, encoder.wrapper), contexts)
            hidden.append(states.reshape(len(texts), -1, states.shape[-1]))
            pooled = of_prompts if encoder.pooled else pooled
        return torch.cat(hidden, dim=2), pooled

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return sum(int(found.vectors) if found else 1 for found in self._walk(prompt, embeddings))

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        return list(dict.fromkeys(found.name for found in self._walk(prompt, embeddings) if found))

    def initial_vectors(self, text: str, count: int) -> dict[str, Tensor]:
        """Return (count, width) float32 on the CPU by encoder; see :meth:`TokenTable.starting_vectors`."""
        return {
            encoder.key: encoder.table.starting_vectors(text, encoder.wrapper.tokenize([text])[0], count)
            for encoder in self.encoders
        }

    def as_host_embedding(self, embedding: Embedding) -> Any:
        """Return the WebUI's kind of embedding around our vectors themselves, not around a copy."""
        if embedding.count > CHUNK:
            raise BadInput(
                f"Embedding {quoted(embedding.name)} has {embedding.count} vectors, and a prompt takes at most {CHUNK}."
            )
        vectors = {
            encoder.key: encoder.table.vectors_of(embedding).to(devices.device, torch.float32)
            for encoder in self.encoders
        }
        # The WebUI looks vectors up by encoder only where there are several.
        held = vectors if len(vectors) > 1 else next(iter(vectors.values()))
        made = textual_inversion.Embedding(held, embedding.name, embedding.step)
        made.vectors, made.shape = embedding.count, sum(self.widths.values())
        return made

    def _database(self, embeddings: Sequence[Embedding]) -> Any:
        """Return a database of these embeddings only."""
        database = textual_inversion.EmbeddingDatabase()
        for embedding in embeddings:
            database.register_embedding(self.as_host_embedding(embedding), self._sd_model)
        return database

    def _walk(self, prompt: str, embeddings: Sequence[Embedding]) -> Iterator[Any]:
        """Yield None for each token of the prompt, and the embedding for each embedding's name."""
        database = self._database(embeddings)
        tokens = self.encoders[0].wrapper.tokenize([prompt])[0]
        place = 0
        while place < len(tokens):
            found, length = database.find_embedding_at_position(tokens, place)
            yield found
            place += length or 1


def _with_database(wrapper: Any, database: Any) -> Any:
    """Return the WebUI's prompt encoder with another database; it shares all its parts."""
    text = copy.copy(wrapper)
    text.hijack = SimpleNamespace(embedding_db=database)
    return text


def _filled_up(layout: Sequence[Sequence[Any]], contexts: int, wrapper: Any) -> list[Any]:
    """Return the chunks of all prompts one after the other, each prompt's filled up with empty ones."""
    return [
        chunk
        for chunks in layout
        for chunk in (*chunks, *(wrapper.empty_chunk() for _ in range(contexts - len(chunks))))
    ]


def as_plain_text(prompt: str, emphasis: str) -> str:
    """Return the prompt with everything escaped that the WebUI interprets with its setting ``emphasis``."""
    return without_words(prompt) if emphasis == "None" else literal(prompt)
