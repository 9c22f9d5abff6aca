"""A whole training: from settings and a host to an embedding in its folder. The composition root of this package."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from lib_ti import in_use
from lib_ti.config import TrainConfig
from lib_ti.data import latents
from lib_ti.data.dataset import NothingReadable
from lib_ti.data.templates import check_template
from lib_ti.embedding import files, library
from lib_ti.errors import TrainingFailed, out_of_memory
from lib_ti.host.base import Host, Precision, SessionOptions
from lib_ti.signals import Control, FileSkipped, Listener, Note, Progress, RunFinished
from lib_ti.training.begin import Start, find_place, look_at_pictures, read_inputs, training_size
from lib_ti.training.checks import check_prompts
from lib_ti.training.course import Course, stop_requested
from lib_ti.training.preview import check_previews
from lib_ti.training.runlog import Told
from lib_ti.training.setting_checks import check_settings

logger = logging.getLogger(__name__)

ENCODE_BATCH = 4
"""Pictures that the autoencoder takes at once: more fills the memory of small cards and is hardly faster."""


def train(
    host: Host, config: TrainConfig, listen: Listener, control: Control, *, new_data: bool = False
) -> RunFinished:
    """Train an embedding of the host's embeddings folder, or continue where its run stopped.

    Parameters
    ----------
    new_data
        Continue an embedding with another dataset than so far, in a run folder of its own.

    Raises
    ------
    NeedsConsent
        When the dataset is another one than so far, and ``new_data`` is false.
    BadInput
        Everything that is wrong with settings, pictures, template, model or state, before anything is written.
    TrainingFailed
        When the loss stays undefined; what was reached until the last good step is saved.
    CannotWrite
        When a file cannot be written. Every file is whole, and the run can be continued from its last state.
    """
    told = Told(host.models, listen)
    try:
        return _train(host, config, told, control, new_data=new_data)
    except NothingReadable as error:
        # There is no run.log, since no run begins.
        logger.warning("No image of %s can be used:\n%s", config.dataset, "\n".join(map(str, error.skipped)))
        for one in error.skipped:
            told(FileSkipped(one.shown, one.reason))
        raise
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise TrainingFailed(
            "Out of memory before the first step: lower Width and Height, close other programs that use the graphics "
            "card, or turn on Gradient checkpointing."
        ) from error


def _train(host: Host, config: TrainConfig, told: Told, control: Control, *, new_data: bool) -> RunFinished:
    path, embedding, template = read_inputs(host.folders, config)
    options = SessionOptions(
        cast("Precision", config.precision),
        config.gradient_checkpointing,
        report=lambda text: told(Note(text)),
        stop=lambda: control.stop_requested,
    )
    trained = in_use.held(library.target(path), in_use.TRAINED)
    with trained, host.models.session(options) as model, ExitStack() as stack:
        files.check_fits(embedding, model.info)
        size = training_size(config, model.info)
        found = look_at_pictures(config, size, lambda done, total: told(Progress("Reading pictures", done, total)))
        check_template(template, [item.caption for item in found.all_items])
        for one in found.skipped:
            told(FileSkipped(one.shown, one.reason))
        for sentence in (*found.describe(), *found.notes):
            told(Note(sentence))
        known = library.list_names(host.folders.embeddings)
        for note in (
            *check_settings(config, template, model.info, known),
            *check_prompts(model, embedding, template, found),
        ):
            told(note)
        check_previews(model, config, size)
        folder, state = find_place(config, embedding, model.info, found, template, told, new_data=new_data)
        stack.enter_context(in_use.held(folder.target, in_use.TRAINED))
        whole, encoded = latents.encode(
            found,
            model,
            cache_folder=Path(config.log_directory) / ".latents" if config.cache_latents else None,
            batch_size=ENCODE_BATCH,
            progress=lambda done, total: told(Progress("Encoding pictures", done, total)),
            stop=lambda: stop_requested(host.models, control),
        )
        # What was changed since they were looked at.
        for skipped in whole.skipped[len(found.skipped) :]:
            told(Note(f"{skipped.shown} is skipped: {skipped.reason}.", warning=True))
        for sentence in whole.notes:
            if sentence not in found.notes:
                told(Note(sentence, warning=True))
        course = Course(host, config, model, Start(path, embedding, folder, state), told, control)
        return course.run(whole, encoded, template, size)
