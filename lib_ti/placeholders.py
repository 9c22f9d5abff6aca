"""Words in brackets that stand for something else in prompts: the embedding's name, the image's caption."""

from __future__ import annotations

import re

NAME = "[name]"
"""The embedding's name."""
FILEWORDS = re.compile(r"\[filewords?\]")
"""The image's caption, as some tutorials write it without the s."""


def with_name(prompt: str, name: str) -> str:
    """Return the prompt with the embedding's name in the place of ``[name]``."""
    return prompt.replace(NAME, name)


def without(prompt: str) -> str:
    """Return the prompt without ``[name]``, and without the gap it leaves."""
    return without_gaps(with_name(prompt, ""))


def without_gaps(prompt: str) -> str:
    """Return the prompt with the spaces and commas around a removed part made one: ``"a , b"`` becomes ``"a, b"``."""
    parts = (" ".join(part.split()) for part in prompt.split(","))
    return ", ".join(part for part in parts if part)


def without_name(prompt: str, name: str) -> str:
    """Return the prompt with ``[name]`` in the place of the embedding's own name, so that it fits any embedding."""
    return _word(name).sub(lambda _: NAME, prompt) if name.strip() else prompt


def mentions(prompt: str, name: str) -> bool:
    """Whether the embedding's name is a word of its own in the prompt, in any letter case."""
    return bool(_word(name).search(prompt))


def _word(name: str) -> re.Pattern[str]:
    # Hyphens belong to words here: my-style is not in "my-style-2".
    return re.compile(rf"(?<![\w-]){re.escape(name.strip())}(?![\w-])", re.IGNORECASE)
