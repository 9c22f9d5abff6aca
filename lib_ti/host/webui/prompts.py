"""Prompts in the WebUI's session: its own tokenizer and text encoder, with our vectors in place of their names.

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
from modules import devices, sd_hijack, shared
from modules.textual_inversion import textual_inversion

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.clip import CHUNK
from lib_ti.families.sd1 import CLIP_L, SD1
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.clip.network import hidden_states, to_device
from lib_ti.host.clip.token_table import TokenTable
from lib_ti.prompt_syntax import literal, without_words
from lib_ti.wording import quoted


class WebUIPromptEncoder:
    """Encodes prompts with the text encoder of the loaded model.

    Attributes
    ----------
    family
        The model's.

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
        self.family = SD1
        self._table = TokenTable(CLIP_L.key, self._network.embeddings.token_embedding.wrapped.weight)

    @property
    def widths(self) -> dict[str, int]:
        return {CLIP_L.key: self._table.width}

    @property
    def vocabulary_norm(self) -> dict[str, float]:
        return {CLIP_L.key: self._table.vocabulary_norm}

    def encode(self, prompts: Sequence[str], embeddings: Sequence[Embedding]) -> TextConditioning:
        """Encode prompts, all with as many contexts; differentiable in the embeddings' vectors.

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
        tokens = to_device([chunk.tokens for chunk in chunks], devices.device)
        with devices.autocast():
            hidden = self._run(tokens, [chunk.fixes for chunk in chunks])
        return TextConditioning(hidden.float().reshape(len(prompts), -1, hidden.shape[-1]))

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return sum(int(found.vectors) if found else 1 for found in self._walk(prompt, embeddings))

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        return list(dict.fromkeys(found.name for found in self._walk(prompt, embeddings) if found))

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        """Return (count, width) float32 on the CPU by encoder; see :meth:`TokenTable.starting_vectors`."""
        return {CLIP_L.key: self._table.starting_vectors(text, self._text.tokenize([text])[0], count)}

    def as_host_embedding(self, embedding: Embedding) -> Any:
        """Return the WebUI's kind of embedding around our vectors themselves, not around a copy."""
        if embedding.count > CHUNK:
            raise BadInput(
                f"Embedding {quoted(embedding.name)} has {embedding.count} vectors, and a prompt takes at most {CHUNK}."
            )
        vectors = self._table.vectors_of(embedding).to(devices.device, torch.float32)
        made = textual_inversion.Embedding(vectors, embedding.name, embedding.step)
        made.vectors, made.shape = vectors.shape
        return made

    def _with(self, embeddings: Sequence[Embedding]) -> Any:
        """Return the WebUI's prompt encoder with a database of these embeddings only; it shares all its parts."""
        database = textual_inversion.EmbeddingDatabase()
        for embedding in embeddings:
            database.register_embedding(self.as_host_embedding(embedding), self._sd_model)
        text = copy.copy(self._text)
        text.hijack = SimpleNamespace(embedding_db=database)
        return text

    def _walk(self, prompt: str, embeddings: Sequence[Embedding]) -> Iterator[Any]:
        """Yield None for each token of the prompt, and the embedding for each embedding's name."""
        text = self._with(embeddings)
        tokens = text.tokenize([prompt])[0]
        place = 0
        while place < len(tokens):
            found, length = text.hijack.embedding_db.find_embedding_at_position(tokens, place)
            yield found
            place += length or 1

    def _run(self, tokens: torch.Tensor, fixes: list[Any]) -> torch.Tensor:
        """Run (chunks, 77) tokens to (chunks, 77, width); the hijack of the token embeddings applies the fixes."""
        sd_hijack.model_hijack.fixes = fixes
        try:
            return hidden_states(self._network, tokens, self._clip_skip)
        finally:
            sd_hijack.model_hijack.fixes = None


def as_plain_text(prompt: str) -> str:
    """Return the prompt with everything escaped that the WebUI's prompt syntax would interpret."""
    return without_words(prompt) if shared.opts.emphasis == "None" else literal(prompt)
