"""The check before a run: everything that a look at settings, pictures, prompts and model can tell, as a short list."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from lib_ti.config import TrainConfig
from lib_ti.data.dataset import Dataset
from lib_ti.data.templates import Template, check_template
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Busy, UserError
from lib_ti.host.base import Host, Precision, SessionOptions
from lib_ti.host.model import Model
from lib_ti.training.begin import look_at_pictures, question, read_inputs, training_size
from lib_ti.training.checks import check_prompts
from lib_ti.training.preview import check_previews
from lib_ti.training.setting_checks import check_settings
from lib_ti.training.source import plain_prompts
from lib_ti.training.trial import free_memory, try_steps
from lib_ti.ui.dataset.captions_editing import unsaved
from lib_ti.ui.html.fragments import Kind
from lib_ti.wording import counted, number

Finding = tuple[Kind, str]
_PICTURE_BYTES = 2.0
"""Bytes a pixel of a preview takes as PNG, about."""


def check(host: Host, config: TrainConfig) -> list[Finding]:
    """What is right and what is wrong with a run that has these settings; nothing is begun and nothing is written."""
    said = unsaved(config.dataset)
    found: list[Finding] = [("warning", said)] if said else []
    try:
        _, embedding, template = read_inputs(host.folders, config)
        found.append(_about_embedding(embedding, config))
        options = SessionOptions(cast("Precision", config.precision), config.gradient_checkpointing, wait=False)
        with host.models.session(options) as model:
            found += _about_settings(model, template, config, library.list_names(host.folders.embeddings))
            found += _about_model(model, embedding, template, config)
    except BadInput as error:
        found += [("error", problem) for problem in error.problems]
    except Busy:
        raise
    except UserError as error:
        found.append(("error", str(error)))
    order: dict[Kind, int] = {"error": 0, "warning": 1, "good": 2, "info": 3}
    return sorted(found, key=lambda finding: order[finding[0]])


def _about_embedding(embedding: Embedding, config: TrainConfig) -> Finding:
    steps = counted(config.max_steps - embedding.step, "step")
    vectors = counted(embedding.count, "vector")
    begun = f"continues after step {embedding.step}" if embedding.step else "is new"
    return "good", f"Embedding {embedding.name} has {vectors} and {begun}: {steps} to go."


def _about_settings(
    model: Model, template: Template, config: TrainConfig, embeddings: Sequence[str]
) -> Iterator[Finding]:
    for note in check_settings(config, template, model.info, embeddings):
        yield "warning", note.text


def _about_model(model: Model, embedding: Embedding, template: Template, config: TrainConfig) -> list[Finding]:
    info = model.info
    files.check_fits(embedding, info)
    size = training_size(config, info)
    found: list[Finding] = [
        ("good", f"Model {info.name} [{info.hash}], trained at {size[0]} × {size[1]} on {model.device}.")
    ]
    if max(size) < info.size:
        found.append(
            ("warning", f"The training size is below the model's own {info.size}, where its pictures are worse.")
        )
    try:
        check_previews(model, config, size)
    except BadInput as error:
        found += [("error", problem) for problem in error.problems]
    pictures = look_at_pictures(config, size)
    found += about_pictures(pictures)
    asked = question(config, embedding, pictures)
    found += [("warning", asked)] if asked else []
    check_template(template, [item.caption for item in pictures.all_items])
    notes = check_prompts(model, embedding, template, pictures)
    found += [("warning" if note.warning else "info", note.text) for note in notes]
    if not notes:
        found.append(("good", f"Every prompt of template {template.name} holds {embedding.name} and fits the model."))
    found += _about_a_step(model, embedding, template, config, pictures)
    return [*found, _about_disk(config, pictures, size, embedding)]


def _about_a_step(
    model: Model, embedding: Embedding, template: Template, config: TrainConfig, pictures: Dataset
) -> list[Finding]:
    """Whether a step can teach anything, and whether it fits into memory, by trial."""
    prompt = plain_prompts(pictures.items[:1], template.lines[:1], embedding.name)[0]
    size = max((item.size for item in pictures.items), key=lambda size: size[0] * size[1])
    tried = try_steps(model, embedding, prompt, size=size, batch_size=min(config.batch_size, len(pictures.items)))
    found: list[Finding] = []
    if not 0 < tried.gradient < math.inf:
        said = f"A trial step gave the gradient {number(tried.gradient)}, from which nothing can be learned"
        found.append(("error", f"{said}: choose another Precision, or start the WebUI with --no-half."))
    free = free_memory(model.device)
    said = f"A step needs about {_megabytes(tried.memory)} of memory beside the model"
    if free is None:
        return [*found, ("info", f"{said}.")]
    if tried.memory > free:
        advice = "turn on Gradient checkpointing, or lower Batch size or Width and Height"
        return [*found, ("warning", f"{said}, and {_megabytes(free)} are free on {model.device}: {advice}.")]
    return [*found, ("good", f"{said}, and {_megabytes(free)} are free on {model.device}.")]


def about_pictures(pictures: Dataset) -> list[Finding]:
    """The sums of a dataset, what was skipped, and what could be better."""
    skipped: list[Finding] = [("warning", f"{one.shown} is skipped: {one.reason}.") for one in pictures.skipped]
    notes: list[Finding] = [("warning", note) for note in pictures.notes]
    sums: list[Finding] = [("good", line) for line in pictures.sums]
    return [*skipped, *notes, *sums]


def _about_disk(config: TrainConfig, pictures: Dataset, size: tuple[int, int], embedding: Embedding) -> Finding:
    """Whether the run's files fit, by a rough sum: previews, cards, copies, encoded pictures."""
    steps = config.max_steps - embedding.step
    width, height = config.preview_width or size[0], config.preview_height or size[1]
    previews = steps // config.save_image_every + 1 if config.save_image_every else 0
    copies = steps // config.save_embedding_every + 2 if config.save_embedding_every else 2
    vectors = 4 * sum(tensor.numel() for tensor in embedding.vectors.values())
    latents = len(pictures.all_items) * size[0] * size[1] / 64 * 4 * 4 * 2 if config.cache_latents else 0
    wanted = previews * width * height * _PICTURE_BYTES * (2.5 if config.png_chunks else 1) + copies * vectors + latents
    place = Path(config.log_directory).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    said = f"The run writes about {_megabytes(wanted)} into {config.log_directory}, and {_megabytes(free)} are free"
    if wanted > free:
        return "error", f"{said}: save images and copies less often, or choose another Log directory."
    return "good", f"{said}."


def _megabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"
