"""A captioner for tests, a few kilobytes large."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BlipConfig, BlipForConditionalGeneration

WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] [DEC] a picture of cat dog red blue on the big small".split()


def make_blip(folder: Path) -> None:
    """A small BLIP of random weights, as ``transformers`` saves one; large weights, so that it looks at images."""
    config = BlipConfig(
        text_config={
            "vocab_size": len(WORDS),
            "hidden_size": 32,
            "encoder_hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "max_position_embeddings": 64,
            "bos_token_id": 5,
            "eos_token_id": 3,
            "sep_token_id": 3,
            "pad_token_id": 0,
            "initializer_range": 1.0,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 16,
            "initializer_range": 1.0,
        },
        initializer_range=1.0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        BlipForConditionalGeneration(config).save_pretrained(folder, safe_serialization=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
