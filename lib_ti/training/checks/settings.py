"""Warnings about settings that are possible but probably not intended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lib_ti.config import TrainConfig, preview_prompts
from lib_ti.data.templates import Template
from lib_ti.families.model_info import ModelInfo
from lib_ti.placeholders import FILEWORDS, NAME, mentions
from lib_ti.schedule import parse_learning_rates
from lib_ti.wording import number, quoted, some

HIGH = 1.5
"""Learning rate in units of the vocabulary's RMS coordinate above which the vectors leave the vocabulary's range within
a few steps; for SD1 that is 0.02. Adam changes each coordinate by about the learning rate at every step, whatever the
gradient is."""
ABSURD = 10 * HIGH
LOW = 1e-5
USUAL = "0.005 is usual"


def check_settings(
    config: TrainConfig, template: Template, info: ModelInfo, embeddings: Sequence[str], vectors: int
) -> list[str]:
    """Return a warning for each setting that probably does not do what is intended.

    Parameters
    ----------
    embeddings
        Names of all embeddings of the folder.
    vectors
        Of the embedding that is trained.
    """
    return [
        *_about_vectors(config, vectors),
        *_about_learning_rate(config, info),
        *_about_captions(config, template),
        *_about_previews(config, embeddings),
    ]


def _about_learning_rate(config: TrainConfig, info: ModelInfo) -> Iterable[str]:
    highest = max(rate for rate, _ in parse_learning_rates(config.learning_rate, word_rms=info.first_word_rms))
    high = HIGH * min(info.word_rms.values())
    about = f"for this model learning rates above {number(float(f'{high:.1g}'))}"
    if highest > ABSURD / HIGH * high:
        yield f"Embedding learning rate {number(highest)} is far too high: {about} are unstable, and {USUAL}."
    elif highest > high:
        yield f"Embedding learning rate {number(highest)} is high: {about} are often unstable, and {USUAL}."
    elif highest < LOW:
        yield f"Embedding learning rate {number(highest)} is so low that hardly anything is learned; {USUAL}."
    if config.warmup_steps > config.max_steps:
        yield (
            f"Warm-up steps is {config.warmup_steps}, above Max steps, {config.max_steps}: the learning rate never "
            f"reaches {number(highest)}. A tenth of Max steps is usual."
        )


def _about_vectors(config: TrainConfig, vectors: int) -> Iterable[str]:
    if config.nested_dropout and vectors == 1:
        yield "Nested dropout of vectors has no effect: the embedding has 1 vector, and nothing to cut."


def _about_captions(config: TrainConfig, template: Template) -> Iterable[str]:
    if config.tag_dropout == 1:
        yield "Drop out tags is 1: every tag of every caption is dropped. 0.1 is usual."
    if (config.tag_dropout or config.shuffle_tags) and not any(FILEWORDS.search(line) for line in template.lines):
        label = "Drop out tags" if config.tag_dropout else "Shuffle tags"
        yield f"{label} has no effect: template {template.name} has no line with [filewords]."


def _about_previews(config: TrainConfig, embeddings: Sequence[str]) -> Iterable[str]:
    prompts = preview_prompts(config.preview_prompt) if config.save_image_every else []
    # The settings hold [name] in the place of the embedding's own name.
    without = [prompt for prompt in prompts if NAME not in prompt + config.preview_negative]
    if without:
        others = _named(without, config.name, embeddings)
        instead = f", but that of {some(others)}" if others else ""
        lines = some([quoted(prompt) for prompt in without])
        subject = f"Preview prompt has lines ({lines}) with" if len(prompts) > 1 else "Preview prompt has"
        yield (
            f"{subject} neither [name] nor the name {quoted(config.name)}{instead}: the previews will "
            "not show what is learned. Write [name] where the embedding belongs."
        )
    if others := _named([prompt for prompt in prompts if prompt not in without], config.name, embeddings):
        yield f"Preview prompt also names {some(others)}: the previews may show more than what is learned."


def _named(prompts: Sequence[str], name: str, embeddings: Sequence[str]) -> list[str]:
    """Return which embeddings besides ``name`` are named in any of the prompts, in quotes."""
    others = (one for one in embeddings if one != name)
    return [quoted(one) for one in others if any(mentions(prompt, one) for prompt in prompts)]
