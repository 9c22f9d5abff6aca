"""One text encoder of the loaded model, run on the WebUI's chunks of tokens, with gradients.

The WebUI's ``forward`` of a prompt encoder is not called, and neither is sgm's conditioner around those of SDXL: that
one encodes without gradients. The values are bit-equal to theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from modules import devices, sd_hijack, sd_hijack_clip, sd_hijack_open_clip, shared
from torch import Tensor

from lib_ti.families.family import Family, TextEncoderSpec
from lib_ti.families.registry import key_of
from lib_ti.host.clip.network import hidden_states, to_device
from lib_ti.host.clip.token_table import TokenTable


class TextEncoder:
    """Encodes chunks of tokens with one text encoder.

    Parameters
    ----------
    family, spec
        The model's family, and which of its encoders this is.
    wrapper
        The WebUI's object around it, which tokenizes prompts and cuts them into chunks.
    clip_skip
        The WebUI's setting: which of the last layers to take where the WebUI does so, 1 for the very last.
    """

    def __init__(self, family: Family, spec: TextEncoderSpec, wrapper: Any, clip_skip: int) -> None:
        self.pooled, self.wrapper = spec.pooled, wrapper
        self._clip_skip, self._follows_clip_skip = clip_skip, _follows_clip_skip(wrapper)
        embedder = wrapper.wrapped
        hijacked = (
            embedder.transformer.text_model.embeddings.token_embedding
            if isinstance(wrapper, sd_hijack_clip.FrozenCLIPEmbedderWithCustomWords)
            else embedder.model.token_embedding
        )
        weight = hijacked.wrapped.weight
        self.key = key_of(family, spec, int(weight.shape[1]))
        self.table = TokenTable(self.key, weight)

    @property
    def skips(self) -> bool:
        """Whether the WebUI's clip skip changes this encoder's output."""
        return self._clip_skip > 1 and self._follows_clip_skip

    def encode(self, chunks: Sequence[Any], contexts: int) -> tuple[Tensor, Tensor | None]:
        """Encode the WebUI's chunks to hidden states (chunks, 77, width) and, if it has one, the pooled output.

        The hijack of the token embeddings puts the vectors of the chunks' fixes into their places.

        Parameters
        ----------
        contexts
            Chunks of each prompt; the first one's output is pooled.
        """
        tokens = to_device([self._padded(chunk.tokens) for chunk in chunks], devices.device)
        sd_hijack.model_hijack.fixes = [chunk.fixes for chunk in chunks]
        try:
            with devices.autocast():
                hidden, pooled = self._run(tokens, contexts)
        finally:
            sd_hijack.model_hijack.fixes = None
        return hidden.float(), None if pooled is None else pooled.float()

    def _padded(self, tokens: list[int]) -> list[int]:
        """Return the tokens with this encoder's own padding after the first end token."""
        wrapper = self.wrapper
        if wrapper.id_pad == wrapper.id_end:
            return tokens
        end = tokens.index(wrapper.id_end) + 1
        return tokens[:end] + [wrapper.id_pad] * (len(tokens) - end)

    def _run(self, tokens: Tensor, contexts: int) -> tuple[Tensor, Tensor | None]:
        embedder = self.wrapper.wrapped
        if isinstance(self.wrapper, sd_hijack_clip.FrozenCLIPEmbedderWithCustomWords):
            layer, normed = self._layer()
            return hidden_states(embedder.transformer.text_model, tokens, layer, normed=normed), None
        if isinstance(self.wrapper, sd_hijack_open_clip.FrozenOpenCLIPEmbedder2WithCustomWords):
            return _with_pooled(embedder, tokens, contexts)
        return embedder.encode_with_transformer(tokens), None

    def _layer(self) -> tuple[int, bool]:
        """Return the layer, 1 for the very last one, and whether the final norm follows."""
        embedder = self.wrapper.wrapped
        if not isinstance(self.wrapper, sd_hijack_clip.FrozenCLIPEmbedderForSDXLWithCustomWords):
            return self._clip_skip, True
        if self._follows_clip_skip:
            return self._clip_skip, False
        if embedder.layer == "last":
            return 1, True
        outputs = len(embedder.transformer.text_model.encoder.layers) + 1
        return outputs - embedder.layer_idx % outputs, False


def _follows_clip_skip(wrapper: Any) -> bool:
    if isinstance(wrapper, sd_hijack_clip.FrozenCLIPEmbedderForSDXLWithCustomWords):
        return getattr(shared.opts, "sdxl_clip_l_skip", False) is True
    return isinstance(wrapper, sd_hijack_clip.FrozenCLIPEmbedderWithCustomWords)


def _with_pooled(embedder: Any, tokens: Tensor, contexts: int) -> tuple[Tensor, Tensor]:
    """Run sgm's open_clip encoder; its own pooling takes indices from the CPU, which waits for the device."""
    model = embedder.model
    embedded = model.token_embedding(tokens) + model.positional_embedding
    outputs = embedder.text_transformer_forward(embedded.permute(1, 0, 2), attn_mask=model.attn_mask)
    last, ends = model.ln_final(outputs["last"][::contexts]), tokens[::contexts].argmax(dim=-1)
    rows = torch.arange(len(last), device=tokens.device)
    return outputs[embedder.layer], last[rows, ends] @ model.text_projection
