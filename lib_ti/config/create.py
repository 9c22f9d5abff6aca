"""A new embedding."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting

MAX_VECTORS = 75
"""As many vectors as one context has prompt tokens."""


@dataclass(frozen=True)
class CreateConfig(Settings):
    """A new embedding."""

    name: str = setting("", "Name", "The word you will write in prompts, such as my-style.", required=True)
    text: str = setting(
        "*",
        "Initialization text",
        "Words that the embedding starts from. Say in a word or two what the pictures show, such as “oil painting”.",
        required=True,
    )
    vectors: int = setting(
        10,
        "Number of vectors per token",
        "How much the embedding can hold: 1 to 4 for a thing, 8 to 16 for a style. Each takes one of 75 tokens.",
        minimum=1,
        maximum=MAX_VECTORS,
    )
    overwrite: bool = setting(
        False,
        "Overwrite old embedding",
        "Replace an embedding that has this name; its file is kept beside the new one, under another name.",
    )
    file_format: str = setting(
        "safetensors",
        "File format",
        "safetensors keeps the recipe in the file; pt is the WebUI's older format.",
        choices=("safetensors", "pt"),
    )
