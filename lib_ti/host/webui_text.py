"""Prompts in the WebUI's session: its own tokenizer and text encoder, with our vectors in the places of their names.

The embedding database of the session is not used here, since anything may clear it at any time: a page that is
refreshed, a model that is loaded, the API. A database of our own holds the embeddings of the call and no others, so
that a caption means the same whichever files are in the embeddings folder.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from modules import devices, sd_hijack, shared
from modules.textual_inversion import textual_inversion

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.host.clip_network import hidden_states, sent
from lib_ti.host.token_table import TokenTable
from lib_ti.prompt_syntax import literal, without_words
from lib_ti.wording import quoted

ENCODER = "clip_l"


class PromptEncoder:
    """Encodes prompts with the text encoder of the loaded model.

    Parameters
    ----------
    sd_model
        The loaded Stable Diffusion 1 model, hijacked as the WebUI does it.
    clip_skip
        Which of the last layers to take, 1 for the very last; the final norm follows.
    """

    def __init__(self, sd_model: Any, clip_skip: int) -> None:
        self._sd_model = sd_model
        self._text = sd_model.cond_stage_model
        self._network = self._text.wrapped.transformer.text_model
        self._clip_skip = clip_skip
        self.table = TokenTable(ENCODER, self._network.embeddings.token_embedding.wrapped.weight)

    def encode(self, prompts: Sequence[str], embeddings: Sequence[Embedding]) -> torch.Tensor:
        """(B, 77·k, width) float32, all prompts with k contexts; differentiable in the embeddings' vectors.

        The WebUI's emphasis is left out on purpose: captions are plain text, and its restoring of the mean divides by
        a number that may be zero.
        """
        text = self._with(embeddings)
        layouts, _ = text.process_texts([as_plain_text(prompt) for prompt in prompts])
        contexts = max(map(len, layouts))
        chunks = [
            chunk
            for layout in layouts
            for chunk in (*layout, *(text.empty_chunk() for _ in range(contexts - len(layout))))
        ]
        tokens = sent([chunk.tokens for chunk in chunks], devices.device)
        with devices.autocast():
            hidden = self._run(tokens, [chunk.fixes for chunk in chunks])
        return hidden.float().reshape(len(prompts), -1, hidden.shape[-1])

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return sum(int(found.vectors) if found else 1 for found in self._walk(prompt, embeddings))

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        return list(dict.fromkeys(found.name for found in self._walk(prompt, embeddings) if found))

    def initial_vectors(self, text: str, count: int) -> torch.Tensor:
        """(count, width) float32 on the CPU; see :meth:`TokenTable.starting_vectors`."""
        return self.table.starting_vectors(text, self._text.tokenize([text])[0], count)

    def as_host_embedding(self, embedding: Embedding) -> Any:
        """The WebUI's kind of embedding around our vectors themselves, not around a copy."""
        if embedding.count > CHUNK:
            raise BadInput(
                f"Embedding {quoted(embedding.name)} has {embedding.count} vectors, and a prompt takes at most {CHUNK}."
            )
        vectors = self.table.vectors_of(embedding).to(devices.device, torch.float32)
        made = textual_inversion.Embedding(vectors, embedding.name, embedding.step)
        made.vectors, made.shape = vectors.shape
        return made

    def _with(self, embeddings: Sequence[Embedding]) -> Any:
        """The session's prompt encoder with a database that knows these embeddings only; shares all of its parts."""
        database = textual_inversion.EmbeddingDatabase()
        for embedding in embeddings:
            database.register_embedding(self.as_host_embedding(embedding), self._sd_model)
        text = copy.copy(self._text)
        text.hijack = SimpleNamespace(embedding_db=database)
        return text

    def _walk(self, prompt: str, embeddings: Sequence[Embedding]) -> Iterator[Any]:
        """For each token of the prompt None, for each embedding's name in it the embedding."""
        text = self._with(embeddings)
        tokens = text.tokenize([prompt])[0]
        place = 0
        while place < len(tokens):
            found, length = text.hijack.embedding_db.find_embedding_at_position(tokens, place)
            yield found
            place += length or 1

    def _run(self, tokens: torch.Tensor, fixes: list[Any]) -> torch.Tensor:
        """(chunks, 77) tokens to (chunks, 77, width); the token embeddings' hijack takes the fixes at its next call."""
        sd_hijack.model_hijack.fixes = fixes
        try:
            return hidden_states(self._network, tokens, self._clip_skip)
        finally:
            sd_hijack.model_hijack.fixes = None


def as_plain_text(prompt: str) -> str:
    """The prompt with what the WebUI's prompt syntax would take for something else written in another way."""
    return without_words(prompt) if shared.opts.emphasis == "None" else literal(prompt)
