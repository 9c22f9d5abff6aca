"""Creation of an embedding: a name, an initialization text, a number of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from lib_ti import __version__
from lib_ti.config import CreateConfig, problems
from lib_ti.embedding import library, names
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.host.base import Host
from lib_ti.host.tools import Tools
from lib_ti.storage import in_use
from lib_ti.training.files.place import Placed, place
from lib_ti.training.initialization import Initialization, initialize
from lib_ti.wording import quoted


def check_new_name(tools: Tools, name: str) -> str:
    """Return ``name`` when an embedding can be created under it, be it while typing or when creating.

    Raises
    ------
    BadInput
        When it cannot be a name everywhere, or is a word that the model knows.
    """
    names.check_name(name)
    return names.check_not_ordinary(name, len(tools.token_spans(name)))


def create(host: Host, config: CreateConfig) -> Placed:
    """Write a new embedding into the host's embeddings folder.

    With ``overwrite``, the file that it replaces and all others whose names prompts cannot tell from it are set aside.

    Raises
    ------
    BadInput
        A name that cannot be used or is taken (without ``overwrite``), an empty text, a number out of bounds; all
        problems together. An embedding that is being trained or written by someone else. Nothing is written then.
    """
    found = problems(config)
    if config.name.strip():
        try:
            check_new_name(host.tools, config.name)
        except BadInput as error:
            found += error.problems
    if found:
        raise BadInput(found)
    path = host.folders.embeddings / f"{config.name}.{config.file_format}"
    with ExitStack() as stack:
        stack.enter_context(in_use.held(library.target(path), "created"))
        taken = library.find_all(host.folders.embeddings, config.name)
        if taken and not config.overwrite:
            raise BadInput(_taken(config.name, taken, host.folders.embeddings))
        for target in {library.target(other) for other in taken} - {library.target(path)}:
            stack.enter_context(in_use.held(target, "replaced"))
        begun = initialize(host.models, host.tools, host.folders.embeddings, config)
        embedding = _new_embedding(config.name, begun)
        placed = place(host.models, embedding, path, shadowing=taken)
    return replace(placed, remarks=(begun.remark, _of_encoders(embedding)))


def _new_embedding(name: str, begun: Initialization) -> Embedding:
    return Embedding(
        name=name,
        vectors=begun.start.vectors,
        model_name=begun.start.model_name,
        model_hash=begun.start.model_hash,
        recipe={**begun.recipe, "created_with": f"lib_ti {__version__}"},
    )


def _of_encoders(embedding: Embedding) -> str:
    """Return a sentence on the text encoders that the vectors are for, empty where there is one."""
    if len(embedding.vectors) == 1:
        return ""
    widths = [f"{key} ({vectors.shape[1]} numbers)" for key, vectors in embedding.vectors.items()]
    return f"Each vector has a part for every text encoder of the model: {' and '.join(widths)}."


def _taken(name: str, paths: Sequence[Path], folder: Path) -> str:
    """Return why a name is taken, naming an embedding that only looks alike in prompts."""
    alike = "" if any(path.stem == name for path in paths) else f", and prompts cannot tell {quoted(name)} from it"
    return (
        f"There is an embedding {quoted(paths[0].stem if alike else name)} already "
        f"({', '.join(library.shown_path(folder, path) for path in paths)}){alike}: choose another name, or turn on "
        "Overwrite Old Embedding (--overwrite)."
    )
