"""The last phase: the same prompts before and after, from the same noise, as one image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib_ti.data.beside.captions import read_caption
from lib_ti.data.beside.companions import Beside
from lib_ti.data.preparations import exclusions
from lib_ti.embedding import files, library
from lib_ti.errors import Stopped, UserError
from lib_ti.host.base import SessionOptions
from lib_ti.make_it.embedding import TEXT
from lib_ti.make_it.images import TEMPLATE
from lib_ti.make_it.making import Making, Outcome
from lib_ti.make_it.training import RUN
from lib_ti.placeholders import NAME
from lib_ti.prep.prepared import images_in
from lib_ti.training.files.run_folder import RunFolder
from lib_ti.training.images.contact_sheet import compare_steps
from lib_ti.wording import counted

SHEET, PROMPTS, SEED = "sheet", "prompts", "seed"
"""Facts: the image file, its prompts with ``[name]``, and the seed of the first; each following one has the next."""
_FROM_CAPTIONS = 3
_SEED = 1
_PLAIN = {
    "style": ("a house by the sea, by [name]", "a portrait of a woman, by [name]", "a tree, by [name]"),
    "subject": ("a photo of [name]", "a photo of [name] on a beach", "a painting of [name]"),
}
"""Prompts where there are no captions."""


def compare(making: Making) -> Outcome:
    """Generate the same prompts with the vectors before training and with the embedding.

    The keyword is trained by then: where the images cannot be generated, a sentence says why.
    """
    config, facts = making.config, making.state.facts
    path = library.find(making.host.folders.embeddings, config.keyword)
    embedding = replace(files.load(path), name=config.keyword)
    folder, prompts = RunFolder(Path(facts[RUN]), config.keyword), prompts_for(making)
    target = folder.new_image("contact-sheet")
    options = SessionOptions(report=making.report, stop=making.stop)
    try:
        with making.host.models.session(options) as model:
            start = embedding.with_vectors(model.initial_vectors(facts[TEXT], embedding.count), step=0)
            compare_steps(
                model,
                [start, embedding],
                prompts,
                target,
                seed=_SEED,
                progress=making.progress("Generating images"),
                stop=making.stop,
            )
    except Stopped:
        raise
    except UserError as error:
        return Outcome((f"The images before and after could not be generated: {error}",))
    said = f"{counted(len(prompts), 'prompt')}, each from the same noise before and after training."
    return Outcome((said,), {SHEET: str(target.absolute()), PROMPTS: list(prompts), SEED: _SEED})


def prompts_for(making: Making) -> tuple[str, ...]:
    """Return prompts with ``[name]``: captions of the images where there are some, else plain ones."""
    kind = making.config.kind
    if not making.state.facts[TEMPLATE].endswith("filewords"):
        return _PLAIN[kind]
    folder = making.folder.path
    excluded, beside = exclusions(folder).results, Beside(folder)
    captions = [read_caption(image, beside).text for image in images_in(folder) if image.name not in excluded]
    different = list(dict.fromkeys(filter(None, captions)))
    if not different:
        return _PLAIN[kind]
    chosen = different[:: max(1, len(different) // _FROM_CAPTIONS)][:_FROM_CAPTIONS]
    return tuple(f"{one}, by {NAME}" if kind == "style" else f"a photo of {NAME}, {one}" for one in chosen)
