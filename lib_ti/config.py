"""Every setting, declared once: type, default, bounds, label and help.

The command line, the tab's form, the checks, saved settings and the README's tables all come from here. Labels and
defaults are the ones that readers of Textual Inversion tutorials know from the WebUI's Train tab.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib_ti.errors import BadInput
from lib_ti.schedule import RateSchedule, check_reaches, parse_rates

MAX_VECTORS = 75
"""As many vectors as one context has prompt tokens."""
MODEL_SIZE = 0
"""Width or height that stands for the size the model was made for."""


@dataclass(frozen=True)
class Setting:
    """What is known of one setting besides its type and default."""

    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    multiple: int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False


def setting(
    default: Any,
    label: str,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    multiple: int | None = None,
    choices: Sequence[str] = (),
    required: bool = False,
) -> Any:
    described = Setting(label, help, minimum, maximum, multiple, tuple(choices), required)
    return field(default=default, metadata={"setting": described})


@dataclass(frozen=True)
class CreateConfig:
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
    overwrite: bool = setting(False, "Overwrite old embedding", "Replace an embedding that has this name.")
    file_format: str = setting(
        "safetensors",
        "File format",
        "safetensors keeps the recipe in the file; pt is the WebUI's older format.",
        choices=("safetensors", "pt"),
    )


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    name: str = setting("", "Embedding", "The embedding to train; create it first.", required=True)
    dataset: str = setting("", "Dataset directory", "Folder with the pictures and their captions.", required=True)
    template: str = setting(
        "style_filewords",
        "Prompt template",
        "Text file whose lines become prompts: [name] is the embedding, [filewords] the picture's caption.",
        required=True,
    )
    embedding_rate: str = setting(
        "0.005",
        "Embedding learning rate",
        "How far each step moves the vectors. A list such as 0.005:100, 1e-3:1000, 1e-5 changes it at those steps.",
        required=True,
    )
    max_steps: int = setting(5000, "Max steps", "The run ends at this step of the embedding.", minimum=1)
    width: int = setting(
        MODEL_SIZE,
        "Width",
        "Width of the training pictures in pixels; 0 is the size the model was made for (512 for SD1).",
        minimum=0,
        maximum=2048,
        multiple=8,
    )
    height: int = setting(
        MODEL_SIZE,
        "Height",
        "Height of the training pictures in pixels; 0 is the size the model was made for (512 for SD1).",
        minimum=0,
        maximum=2048,
        multiple=8,
    )
    resize: str = setting(
        "crop",
        "Resize",
        "crop: fill the training size and cut the rest; buckets: the nearest of several aspect ratios; "
        "keep: do not resize pictures.",
        choices=("crop", "buckets", "keep"),
    )
    batch_size: int = setting(1, "Batch size", "Pictures in one pass through the model.", minimum=1, maximum=256)
    gradient_accumulation: int = setting(
        1, "Gradient accumulation steps", "Passes that are added up before the vectors move.", minimum=1, maximum=1024
    )
    save_image_every: int = setting(
        50, "Save an image every", "Draw a preview every so many steps; 0 draws none.", minimum=0
    )
    save_embedding_every: int = setting(
        500, "Save a copy of embedding every", "Keep a numbered copy every so many steps; 0 keeps none.", minimum=0
    )
    png_chunks: bool = setting(
        True,
        "Save images with embedding in PNG chunks",
        "With each preview, also write a picture that carries the embedding and can be shared as one file.",
    )
    preview_prompt: str = setting(
        "", "Preview prompt", "Prompt of the previews; [name] is the embedding. Empty: the captions in turn."
    )
    preview_negative: str = setting("", "Preview negative prompt", "What the previews should not show.")
    preview_steps: int = setting(20, "Preview sampling steps", "Steps of the sampler.", minimum=1, maximum=150)
    preview_sampler: str = setting("Euler a", "Preview sampler", "Sampling method of the previews.")
    preview_scheduler: str = setting("Automatic", "Preview schedule type", "Noise schedule of the previews.")
    preview_cfg: float = setting(
        7.0, "Preview CFG scale", "How strictly the prompt is followed.", minimum=1, maximum=30
    )
    preview_seed: int = setting(
        -1, "Preview seed", "-1 draws one seed and keeps it for the whole run.", minimum=-1, maximum=2**32 - 1
    )
    preview_width: int = setting(
        0, "Preview width", "In pixels; 0 is the width of training.", minimum=0, maximum=2048, multiple=8
    )
    preview_height: int = setting(
        0, "Preview height", "In pixels; 0 is the height of training.", minimum=0, maximum=2048, multiple=8
    )
    latent_sampling: str = setting(
        "once",
        "Latent sampling method",
        "once: one sample of each picture's encoding; deterministic: its mean; random: a new sample at each visit.",
        choices=("once", "deterministic", "random"),
    )
    shuffle_tags: bool = setting(False, "Shuffle tags by ','", "Put the caption's tags in a new order at each visit.")
    tag_dropout: float = setting(
        0.0, "Drop out tags", "Share of the caption's tags left out at each visit.", minimum=0, maximum=1
    )
    use_alpha: bool = setting(
        False, "Use PNG alpha channel as loss weight", "Transparent parts of a picture count less, or not at all."
    )
    warmup_steps: int = setting(0, "Warm-up steps", "Steps over which the rate rises from near 0.", minimum=0)
    rate_decay: str = setting(
        "constant",
        "Rate decay",
        "cosine: the rate falls smoothly to 5 % at Max steps.",
        choices=("constant", "cosine"),
    )
    weight_decay: float = setting(
        0.0, "Weight decay", "Pull of the vectors towards zero; 0 as in the WebUI.", minimum=0, maximum=1
    )
    clip: str = setting(
        "disabled",
        "Gradient clipping",
        "Limit single large steps by the gradient's norm or by each of its values.",
        choices=("disabled", "norm", "value"),
    )
    clip_value: float = setting(1.0, "Gradient clipping limit", "The largest norm or value let through.", minimum=0)
    held_out: float = setting(
        0.1,
        "Held-out share",
        "Share of the pictures that is not trained on and shows when the embedding overtrains (from 8 pictures on).",
        minimum=0,
        maximum=0.5,
    )
    evaluate_every: int = setting(
        50,
        "Measure every",
        "Measure the loss with fixed noise every so many steps; 0 never does, and trains on the held-out pictures too.",
        minimum=0,
    )
    seed: int = setting(
        0, "Training seed", "Equal settings and an equal seed train equally.", minimum=0, maximum=2**32 - 1
    )
    precision: str = setting(
        "auto",
        "Precision",
        "auto: half precision on a graphics card, float32 on the processor.",
        choices=("auto", "float32", "float16", "bfloat16"),
    )
    gradient_checkpointing: bool = setting(False, "Gradient checkpointing", "Needs less memory, and a third more time.")
    log_directory: str = setting(
        "textual_inversion", "Log directory", "Folder for the runs: previews, copies, loss.", required=True
    )
    cache_latents: bool = setting(
        True, "Keep encoded pictures on disk", "A later run on the same pictures starts at once."
    )

    def schedule(self) -> RateSchedule:
        return RateSchedule(
            parse_rates(self.embedding_rate), warmup_steps=self.warmup_steps, cosine=self.rate_decay == "cosine"
        )


@dataclass(frozen=True)
class GenerateConfig:
    """Pictures to draw."""

    prompt: str = setting("", "Prompt", "What to draw; write an embedding's name to use it.", required=True)
    negative: str = setting("", "Negative prompt", "What not to draw.")
    steps: int = setting(20, "Sampling steps", "Steps of the sampler.", minimum=1, maximum=150)
    sampler: str = setting("Euler a", "Sampling method", "Euler a, Euler, DPM++ 2M or DDIM.")
    scheduler: str = setting("Automatic", "Schedule type", "Automatic or Karras.")
    cfg: float = setting(7.0, "CFG scale", "How strictly the prompt is followed.", minimum=1, maximum=30)
    seed: int = setting(-1, "Seed", "-1 draws one.", minimum=-1, maximum=2**32 - 1)
    width: int = setting(MODEL_SIZE, "Width", "0 is the model's own size.", minimum=0, maximum=2048, multiple=8)
    height: int = setting(MODEL_SIZE, "Height", "0 is the model's own size.", minimum=0, maximum=2048, multiple=8)
    count: int = setting(1, "Pictures", "How many; each has the next seed.", minimum=1, maximum=1000)
    output: str = setting("generated", "Output folder", "Where the pictures go.", required=True)


Config = TypeVar("Config", CreateConfig, TrainConfig, GenerateConfig)


def described(kind: type[Any]) -> Iterator[tuple[str, type[Any], Any, Setting]]:
    """Name, type (``str``, ``int``, ``float`` or ``bool``), default and description of each setting of ``kind``."""
    for item in dataclasses.fields(kind):
        yield item.name, type(item.default), item.default, item.metadata["setting"]


def to_mapping(config: CreateConfig | TrainConfig | GenerateConfig) -> dict[str, Any]:
    return dataclasses.asdict(config)


def from_mapping(kind: type[Config], values: Mapping[str, Any], *, source: str = "the settings") -> Config:
    """Build a configuration from plain values, text included: ``{"max_steps": "500"}`` is 500.

    Raises
    ------
    BadInput
        With one sentence for each unknown name and each value that cannot be read or is out of bounds.
    """
    known = {name: (value_type, described_) for name, value_type, _, described_ in described(kind)}
    found: list[str] = []
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else "."
            found.append(f"There is no setting {name!r} in {source}{meant}")
            continue
        value_type, item = known[name]
        try:
            read[name] = _read(value, value_type)
        except (ValueError, TypeError):
            wanted = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[value_type]
            found.append(f"{item.label} must be {wanted}, and is {value!r}.")
    config = kind(**read)
    found += [problem for problem in problems(config) if problem]
    if found:
        raise BadInput(found)
    return config


def problems(config: CreateConfig | TrainConfig | GenerateConfig) -> list[str]:
    """All that is wrong with a configuration by itself, one sentence each; an empty list when nothing is."""
    found = []
    for name, _, _, item in described(type(config)):
        problem = _problem(getattr(config, name), item)
        if problem:
            found.append(problem)
    if isinstance(config, TrainConfig):
        found += _training_problems(config)
    return found


def _training_problems(config: TrainConfig) -> list[str]:
    found = []
    if config.embedding_rate.strip():
        try:
            pieces = parse_rates(config.embedding_rate)
        except ValueError as error:
            found.append(str(error))
        else:
            too_short = check_reaches(pieces, config.max_steps)
            found += [too_short] if too_short else []
    if config.clip != "disabled" and config.clip_value == 0:
        found.append("Gradient clipping limit is 0, which would let nothing through; give a limit such as 1.")
    if 0 < config.width < 32 or 0 < config.height < 32:
        found.append(
            f"Width × height is {config.width} × {config.height}; each must be at least 32, or 0 for the model's size."
        )
    return found


def _problem(value: Any, item: Setting) -> str | None:
    if isinstance(value, str):
        if item.required and not value.strip():
            return f"{item.label} is empty: {item.help}"
        if item.choices and value not in item.choices:
            return f"{item.label} is {value!r}; choose one of {', '.join(item.choices)}."
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return f"{item.label} is {value}; give a finite number."
    if item.minimum is not None and value < item.minimum:
        return f"{item.label} is {value}; the smallest possible value is {item.minimum:g}."
    if item.maximum is not None and value > item.maximum:
        return f"{item.label} is {value}; the largest possible value is {item.maximum:g}."
    if item.multiple and value % item.multiple:
        return f"{item.label} is {value}; it must be a multiple of {item.multiple}."
    return None


def _read(value: Any, value_type: type[Any]) -> Any:
    """Value as ``value_type``; whole floats and text are accepted as forms and files give them."""
    if value_type is bool:
        if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            return value.strip().lower() in ("true", "yes", "on", "1")
        if not isinstance(value, bool):
            raise ValueError
        return value
    if isinstance(value, bool) or value is None:
        raise ValueError
    if value_type is str:
        if not isinstance(value, str | int | float):
            raise ValueError
        return str(value)
    if value_type is int:
        number = float(value)
        if not number.is_integer():
            raise ValueError
        return int(number)
    return float(value)
