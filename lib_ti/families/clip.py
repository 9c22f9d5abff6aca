"""Numbers of CLIP's tokenizer, which every family's text encoders share."""

from __future__ import annotations

START, END = 49406, 49407
"""Tokens before and after a text."""
VOCABULARY = 49408
"""Tokens that CLIP knows, start and end included."""
CHUNK = 75
"""Prompt tokens that fit between start and end token of one context (the WebUI's chunk)."""
POSITIONS = CHUNK + 2
"""Tokens of one context."""
ORDINARY_WORDS = tuple(
    "red green blue yellow orange purple white pink circle square triangle cross ring star small big left right".split()
)
"""Common words of one token each, whose vectors are the measure of an ordinary word's norm.

Colors, shapes and sizes: captions of every model's training data had them, those of the pocket models too. A median
over all tokens would be one of rare ones, which hardly changed since the text encoder was initialized.
"""
