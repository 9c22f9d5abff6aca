"""One training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_ti.config import previews
from lib_ti.config.presets import NO_PRESET, PRESETS, preset_settings, with_preset
from lib_ti.config.setting import MODEL_SIZE, Settings, setting
from lib_ti.config.validation import AUTOMATIC, validation_problems
from lib_ti.config.vector_norm import norm_problems
from lib_ti.placeholders import without_name
from lib_ti.schedule import check_reaches, parse_learning_rates


@dataclass(frozen=True)
class TrainConfig(Settings):
    """One training run."""

    name: str = setting("", "Embedding", "The embedding to train; create it first.", required=True)
    preset: str = setting(
        NO_PRESET,
        "Preset",
        "Settings that belong together; what you set yourself wins. "
        + "; ".join(f"{name}: {preset.help}" for name, preset in PRESETS.items())
        + ".",
        choices=(NO_PRESET, *PRESETS),
    )
    dataset: str = setting(
        "", "Dataset directory", "Folder with the images and their captions.", required=True, path="folder"
    )
    subfolders: bool = setting(
        False,
        "Include sub-folders",
        "Train on the images of all sub-folders too. A number before the first _ of a sub-folder's name, as in "
        "10_thing, is how often an epoch uses each of its images.",
    )
    template: str = setting(
        "style_filewords",
        "Prompt template",
        "Text file whose lines become prompts: [name] is the embedding, [filewords] the image's caption.",
        required=True,
        path="file",
    )
    learning_rate: str = setting(
        "0.005",
        "Embedding Learning rate",
        "Size of each update of the vectors. A list such as 0.005:100, 1e-3:1000, 1e-5 changes it at those steps. With "
        "x, as in 0.74x, it is relative to the model's word vectors: 0.35x is about 0.005 for SD 1.",
        short="Embedding learning rate",
        required=True,
    )
    max_steps: int = setting(
        5000,
        "Max steps",
        "The run ends at this step of the embedding; 0: after as many more steps as the preset has.",
        minimum=0,
    )
    width: int = setting(
        MODEL_SIZE,
        "Width",
        "Width of the training images in pixels; 0 is the size the model was made for (512 for SD 1, 1024 for SDXL).",
        minimum=0,
        maximum=2048,
        multiple=8,
    )
    height: int = setting(
        MODEL_SIZE,
        "Height",
        "Height of the training images in pixels; 0 is the size the model was made for (512 for SD 1, 1024 for SDXL).",
        minimum=0,
        maximum=2048,
        multiple=8,
    )
    resize: str = setting(
        "crop",
        "Resize",
        "crop: fill the training size and crop the rest; buckets: use the nearest of several aspect ratios; "
        "keep: do not resize images.",
        choices=("crop", "buckets", "keep"),
    )
    batch_size: int = setting(
        1, "Batch size", "Images in one pass through the model; more need more memory.", minimum=1, maximum=256
    )
    gradient_accumulation: int = setting(
        1,
        "Gradient accumulation steps",
        "Batches whose gradients are averaged for one update of the vectors.",
        minimum=1,
        maximum=1024,
    )
    save_image_every: int = setting(
        50,
        "Save an image to log directory every N steps, 0 to disable",
        "How often a preview is generated.",
        short="Save an image every",
        minimum=0,
    )
    save_embedding_every: int = setting(
        500,
        "Save a copy of embedding to log directory every N steps, 0 to disable",
        "How often a numbered checkpoint of the embedding is saved.",
        short="Save a copy of embedding every",
        minimum=0,
    )
    png_chunks: bool = setting(
        True,
        "Save images with embedding in PNG chunks",
        "With each preview, also save an image that contains the embedding and can be shared as one file.",
    )
    preview_prompt: str = previews.PROMPT
    preview_negative: str = previews.NEGATIVE
    preview_steps: int = previews.STEPS
    preview_sampler: str = previews.SAMPLER
    preview_scheduler: str = previews.SCHEDULER
    preview_cfg: float = previews.CFG
    preview_seed: int = previews.SEED
    preview_width: int = previews.WIDTH
    preview_height: int = previews.HEIGHT
    latent_sampling: str = setting(
        "once",
        "Choose latent sampling method",
        "once: one sample of each image's latents; deterministic: their mean; random: a new sample at each visit.",
        short="Latent sampling method",
        choices=("once", "deterministic", "random"),
    )
    shuffle_tags: bool = setting(
        False,
        "Shuffle tags by ',' when creating prompts.",
        "Reorder the caption's tags at random at each visit.",
        short="Shuffle tags",
    )
    tag_dropout: float = setting(
        0.0,
        "Drop out tags when creating prompts.",
        "Share of the caption's tags that is dropped at random at each visit, from 0 to 1; 0.1 is usual.",
        short="Drop out tags",
        minimum=0,
        maximum=1,
    )
    use_alpha: bool = setting(
        False,
        "Use PNG alpha channel as loss weight",
        "Transparent regions of an image count less, or not at all; so do dark regions of a mask, such as cat-mask.png "
        "beside cat.jpg.",
    )
    warmup_steps: int = setting(0, "Warm-up steps", "Steps over which the learning rate rises from near 0.", minimum=0)
    learning_rate_decay: str = setting(
        "constant",
        "Learning rate decay",
        "cosine: the learning rate falls smoothly to 5 % at Max steps.",
        choices=("constant", "cosine"),
    )
    scale_per_encoder: bool = setting(
        False,
        "Scale learning rate per text encoder",
        "With two text encoders (SDXL), the learning rate is that of the first, and the second's is in proportion to "
        "its word vectors; off: the same for both, as in the WebUI.",
    )
    vector_norm: str = setting(
        "free",
        "Vector norm",
        "free: vectors may grow, as in the WebUI; fixed: after each step every vector is set back to its initial norm, "
        "which learns in fewer steps; direction: only the direction is learned, and the learning rate alone says how "
        "far a step turns it.",
        choices=("free", "fixed", "direction"),
    )
    normalize_gradients: bool = setting(
        False,
        "Normalize gradients",
        "Scales the gradients of all images of a step to the same length, so that none outweighs the others by its "
        "noise level. Learns in fewer steps.",
    )
    nested_dropout: bool = setting(
        False,
        "Nested dropout of vectors",
        "Each image is trained with only the first of the vectors, a random number of them, so that these learn the "
        "most and the embedding can be cut to fewer afterwards. Steps with several images take longer.",
    )
    weight_decay: float = setting(
        0.0,
        "Weight decay",
        "How strongly the vectors are pulled towards zero; 0 as in the WebUI.",
        minimum=0,
        maximum=1,
    )
    clip: str = setting(
        "disabled",
        "Gradient clipping",
        "Limit large gradients by their norm or by each of their values.",
        choices=("disabled", "norm", "value"),
    )
    clip_value: float = setting(
        1.0, "Gradient clipping limit", "Largest norm or value that a gradient may have.", minimum=0
    )
    validation_split: float = setting(
        AUTOMATIC,
        "Validation split",
        "Share of the images, 0 to 0.5, used for validation only, to show which step is best and when the embedding "
        "overtrains. -1: 8 of 20 or more images, a tenth of 8 or more, none of fewer.",
        minimum=AUTOMATIC,
        maximum=0.5,
    )
    validate_every: int = setting(
        int(AUTOMATIC),
        "Validate every N steps",
        "How often the validation loss is computed; -1: often while the embedding learns, rarely otherwise, "
        "for at most about a tenth of the time; 0 disables validation, and trains on the validation images too.",
        minimum=AUTOMATIC,
    )
    stop_when_done: bool = setting(
        False,
        "Stop when done",
        "End the run once two checks in a row find that the loss has stopped falling, before Max steps.",
    )
    restore_best: bool = setting(
        True,
        "Restore the best step",
        "At the end of the run, put the checkpoint with the lowest validation loss into the embeddings folder. The "
        "last one is kept too.",
    )
    seed: int = setting(
        0,
        "Training seed",
        "Runs with equal settings and an equal seed give equal embeddings.",
        minimum=0,
        maximum=2**32 - 1,
    )
    precision: str = setting(
        "auto",
        "Precision",
        "auto: half precision on a graphics card, float32 on the CPU.",
        choices=("auto", "float32", "float16", "bfloat16"),
    )
    gradient_checkpointing: str = setting(
        "auto",
        "Gradient checkpointing",
        "Parts of the UNet that are computed twice to save memory; all-blocks save most. A step takes a third to three "
        "quarters longer, most so on small images. auto: no more than the graphics card's free memory requires.",
        choices=("auto", "off", "transformer-blocks", "all-blocks"),
    )
    optimization: str = setting(
        "off",
        "UNet optimization",
        "channels-last: another memory layout, often faster in half precision; compile: torch.compile, which takes "
        "minutes before the first step; cuda-graphs: the same with less work between the kernels, for small batches. "
        "Where it cannot be used, training runs without it and the log says why.",
        choices=("off", "channels-last", "compile", "cuda-graphs"),
    )
    log_directory: str = setting(
        "textual_inversion",
        "Log directory",
        "Folder for the runs: previews, checkpoints, losses. A relative path is below the folder in which the program "
        "was started.",
        required=True,
        path="new folder",
    )
    cache_latents: bool = setting(
        True,
        "Keep encoded images on disk",
        "A later run on the same images starts without encoding them again.",
    )

    def __post_init__(self) -> None:
        # Settings apply to any embedding: the next one that is trained with them puts its own name there.
        for name in ("preview_prompt", "preview_negative"):
            object.__setattr__(self, name, without_name(getattr(self, name), self.name))

    @classmethod
    def completed(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        return with_preset(values)

    def contradictions(self) -> list[str]:
        found = []
        if self.max_steps == 0 and not (self.preset in PRESETS and PRESETS[self.preset].steps):
            named = " or ".join(name for name, preset in PRESETS.items() if preset.steps)
            found.append(f"Max steps is 0, which needs a preset with a number of steps: give one, or choose {named}.")
        if self.learning_rate.strip():
            try:
                pieces = parse_learning_rates(self.learning_rate)
            except ValueError as error:
                found.append(str(error))
            else:
                too_short = check_reaches(pieces, self.max_steps)
                found += [too_short] if too_short else []
        if self.clip != "disabled" and self.clip_value == 0:
            found.append("Gradient clipping limit is 0, so that every gradient would be 0; give a limit such as 1.")
        found += norm_problems(self.vector_norm, self.weight_decay, self.clip)
        found += previews.preview_problems(self.preview_prompt, self.preview_negative)
        found += validation_problems(self.validation_split, self.validate_every, stop_when_done=self.stop_when_done)
        if 0 < self.width < 32 or 0 < self.height < 32:
            found.append(
                f"Width × height is {self.width} × {self.height}; each must be at least 32, or 0 for the model's size."
            )
        return found


def preset_fields(name: str) -> dict[str, Any]:
    """Return the values of all settings that presets are about: this preset's, and the defaults of the others."""
    about = {key for preset in PRESETS.values() for key in preset.settings}
    return {**{key: getattr(TrainConfig, key) for key in about}, **preset_settings(name)}
