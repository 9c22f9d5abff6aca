"""A new embedding."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting
from lib_ti.wording import quoted

MAX_VECTORS = 75
"""As many vectors as one context has prompt tokens."""


@dataclass(frozen=True)
class CreateConfig(Settings):
    """A new embedding."""

    name: str = setting("", "Name", "The word you will write in prompts, such as my-style.", required=True)
    text: str = setting(
        "*",
        "Initialization text",
        "Words that the embedding starts from: one or two that say what the images show, such as “oil painting”.",
        required=True,
    )
    initialization: str = setting(
        "words",
        "Initialization",
        "words: the tokens of the Initialization text, spread over the vectors as in the WebUI; mean: all vectors "
        "start from the mean of its tokens; zeros: all start near zero, without the text.",
        choices=("words", "mean", "zeros"),
    )
    init_from: str = setting(
        "",
        "Initial embedding",
        "Name of another embedding whose vectors this one starts from, in place of the Initialization text.",
    )
    vectors: int = setting(
        10,
        "Number of vectors per token",
        "More vectors can hold more: 1 to 4 for a subject, 8 to 16 for a style. Each uses one of 75 tokens.",
        minimum=1,
        maximum=MAX_VECTORS,
    )
    overwrite: bool = setting(
        False,
        "Overwrite Old Embedding",
        "Replace an existing embedding of this name; its file is kept beside the new one, under another name.",
    )
    file_format: str = setting(
        "safetensors",
        "File format",
        "safetensors also stores how the embedding was made; pt is the WebUI's older format.",
        choices=("safetensors", "pt"),
    )

    def contradictions(self) -> list[str]:
        if not self.init_from or self.initialization == "words":
            return []
        said = f"Initialization is {self.initialization}, and Initial embedding is {quoted(self.init_from)}"
        return [f"{said}: set Initialization to words, or name no Initial embedding."]
