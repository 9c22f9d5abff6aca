"""Settings of a run's previews, which :class:`lib_ti.config.TrainConfig` has among its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib_ti.config.setting import setting
from lib_ti.placeholders import FILEWORDS

MOST_PROMPTS = 16
"""Previews of one step: each takes as long as any image."""

PROMPT: Any = setting(
    "",
    "Preview prompt",
    "Prompts of the previews, one a line, each with the same seed; [name] is the embedding. Empty: the captions in "
    "turn.",
    lines=True,
)
NEGATIVE: Any = setting("", "Preview negative prompt", "What the previews should not show.")
STEPS: Any = setting(20, "Preview sampling steps", "Steps of the sampler.", minimum=1, maximum=150)
SAMPLER: Any = setting("Euler a", "Preview sampler", "Sampling method of the previews.")
SCHEDULER: Any = setting("Automatic", "Preview schedule type", "Noise schedule of the previews.")
CFG: Any = setting(7.0, "Preview CFG scale", "How strictly the image follows the prompt.", minimum=1, maximum=30)
SEED: Any = setting(
    -1,
    "Preview seed",
    "Seed of all previews of the run; -1 chooses one at random.",
    minimum=-1,
    maximum=2**32 - 1,
)
WIDTH: Any = setting(0, "Preview width", "In pixels; 0 is the training width.", minimum=0, maximum=2048, multiple=8)
HEIGHT: Any = setting(0, "Preview height", "In pixels; 0 is the training height.", minimum=0, maximum=2048, multiple=8)


def preview_prompts(text: str) -> list[str]:
    """Return the prompts of the setting Preview prompt, one for each line that is not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def one_prompt(text: str) -> str:
    """Return a prompt of any number of lines as one line, which the text encoder reads alike."""
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def preview_problems(prompt: str, negative: str) -> Iterator[str]:
    """Yield what is wrong with Preview prompt and Preview negative prompt, one sentence each."""
    for label, text in (("Preview prompt", prompt), ("Preview negative prompt", negative)):
        if word := FILEWORDS.search(text):
            yield (
                f"{label} contains {word[0]}, which only a prompt template can fill: write the words, or leave "
                "Preview prompt empty for the captions in turn."
            )
    if (lines := len(preview_prompts(prompt))) > MOST_PROMPTS:
        yield (
            f"Preview prompt has {lines} lines, and each is a preview of its own: leave at most {MOST_PROMPTS}, or "
            "write one prompt in one line."
        )
