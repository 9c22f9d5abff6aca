"""Cut an embedding to its first vectors, in the place of the longer one, which is kept aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lib_ti.embedding import library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.storage import in_use
from lib_ti.training.files import place
from lib_ti.training.files.place import Placed
from lib_ti.training.step.norms import INITIAL_NORMS, recorded_norms
from lib_ti.wording import counted, quoted

CUT = "cut"
"""Key of the recipe: what an embedding was cut from."""


def cut(embedding: Embedding, count: int) -> Embedding:
    """Return an embedding of the first ``count`` vectors, whose recipe says so.

    It belongs to no run, so that training it further begins a new one.

    Raises
    ------
    BadInput
        When ``count`` is not from 1 to one less than the embedding has.
    """
    if embedding.count == 1:
        raise BadInput(f"Embedding {quoted(embedding.name)} has 1 vector: there is nothing to cut.")
    if not 1 <= count < embedding.count:
        raise BadInput(
            f"The number of vectors to keep is {count}, and {quoted(embedding.name)} has {embedding.count}: give a "
            f"number from 1 to {embedding.count - 1}."
        )
    recipe = {key: value for key, value in embedding.recipe.items() if key not in ("run", INITIAL_NORMS)}
    if norms := recorded_norms(embedding):
        recipe[INITIAL_NORMS] = {key: norm[:count].tolist() for key, norm in norms.items()}
    recipe[CUT] = f"the first {count} of {embedding.count} vectors, after step {embedding.step}"
    return replace(embedding.first(count), recipe=recipe)


def keep_vectors(host: Host, embedding: Embedding, count: int) -> Placed:
    """Write the first ``count`` vectors as the embedding of that name in the embeddings folder, in its file format.

    What is there now is kept aside.

    Raises
    ------
    BadInput
        When the number is not possible, several files have the embedding's name, or it is being trained.
    """
    shorter = cut(embedding, count)
    path = published_path(host.folders.embeddings, embedding.name)
    with in_use.held(library.target(path), "replaced"):
        return place.place(host.models, shorter, path)


def published_path(folder: Path, name: str) -> Path:
    """Return the one file of an embedding in the embeddings folder, or a new one; see :func:`library.find`."""
    there = library.find_all(folder, name)
    if len(there) == 1:
        return there[0]
    return library.find(folder, name) if there else folder / f"{name}.safetensors"


def describe(placed: Placed, embedding: Embedding, count: int) -> str:
    """Return a sentence on what was written."""
    vectors = counted(count, "vector")
    return f"{placed.path} now has {vectors}, the first of {embedding.count} after step {embedding.step}."
