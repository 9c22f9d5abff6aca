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
