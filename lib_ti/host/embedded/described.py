"""A model of which only the text encoders' token tables were read: enough to create embeddings and to check runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.clip.chunks import count_tokens, find_words, words_of
from lib_ti.host.clip.token_table import TokenTable
from lib_ti.host.clip.tokenizer import tokenize
from lib_ti.host.embedded.architecture import Architecture
from lib_ti.host.embedded.recognized import recognized
from lib_ti.host.embedded.sampling.samplers import check_request
from lib_ti.host.model import ImageRequest


class DescribedModel:
    """See :class:`lib_ti.host.model.Model`: what needs a network raises.

    Parameters
    ----------
    tables
        Token tables (tokens, width) by encoder.
    device
        The one that the networks would be on.
    """

    needs_loss_scaling = False
    weight_bytes = autoencoder_bytes = 0

    def __init__(
        self,
        made: Architecture,
        tables: Mapping[str, torch.Tensor],
        *,
        name: str,
        checkpoint_hash: str,
        device: torch.device,
    ) -> None:
        self._tables = {key: TokenTable(key, table) for key, table in tables.items()}
        self.device = device
        self.alphas_cumprod = made.alphas_cumprod()
        self.info = ModelInfo(
            name=name,
            hash=checkpoint_hash,
            family=made.family.key,
            prediction=made.prediction,
            widths={key: table.width for key, table in self._tables.items()},
            autoencoder="",
            size=made.size,
            word_norm={key: table.word_norm for key, table in self._tables.items()},
            recognized=f"Recognized as {recognized(made)}",
        )

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return count_tokens(prompt, words_of(embeddings))

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        return [embeddings[index].name for index in find_words(prompt, words_of(embeddings))]

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        tokens = tokenize(text)
        return {key: table.starting_vectors(text, tokens, count) for key, table in self._tables.items()}

    def check_request(self, request: ImageRequest) -> None:
        check_request(request)

    def _refuse(self, *arguments: object, **named: object) -> NoReturn:  # noqa: ARG002
        raise RuntimeError("This model was acquired for its description only.")

    encode_images = encode_prompts = predict = generate = _refuse
    set_checkpointing = offload_autoencoder = optimize = _refuse
