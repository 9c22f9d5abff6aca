"""A new embedding: a name, a text to start from, a number of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_ti import __version__
from lib_ti.config import CreateConfig, problems
from lib_ti.embedding import files, library, names
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.initial import describe
from lib_ti.errors import BadInput
from lib_ti.host.base import Host, SessionOptions
from lib_ti.wording import quoted


@dataclass(frozen=True)
class Created:
    """A new embedding's file, and what the user should read about it, one sentence each."""

    path: Path
    notes: tuple[str, ...] = ()


def check_new_name(host: Host, name: str) -> str:
    """Return ``name`` when an embedding can be created under it; the one judgement, while typing and when creating.

    Raises
    ------
    BadInput
        When it cannot be a name everywhere, or is a word that the model knows.
    """
    names.check_name(name)
    return names.check_not_ordinary(name, len(host.token_spans(name)))


def create(host: Host, config: CreateConfig) -> Created:
    """Write a fresh embedding into the host's embeddings folder.

    Raises
    ------
    BadInput
        A name that cannot be used or is taken (without ``overwrite``), an empty text, a number out of bounds; all
        problems together. Nothing is written then.
    """
    found = problems(config)
    if config.name.strip():
        try:
            check_new_name(host, config.name)
        except BadInput as error:
            found += error.problems
    if found:
        raise BadInput(found)
    taken = library.find_all(host.embeddings_folder, config.name)
    if taken and not config.overwrite:
        raise BadInput(
            f"There is an embedding {quoted(config.name)} already ({', '.join(path.name for path in taken)}): choose "
            "another name, or allow overwriting."
        )
    with host.session(SessionOptions()) as model:
        vectors = model.initial_vectors(config.text, config.vectors)
        embedding = Embedding(
            name=config.name,
            vectors=vectors,
            model_name=model.info.name,
            model_hash=model.info.hash,
            recipe={"initialization_text": config.text, "created_with": f"lib_ti {__version__}"},
        )
    path = host.embeddings_folder / f"{config.name}.{config.file_format}"
    files.save(embedding, path)
    for other in taken:
        # The WebUI knows embeddings by their stem: a file of another format under it would shadow the new one.
        # On systems that do not tell a from A the old file may be the new one.
        if other.exists() and not other.samefile(path):
            other.unlink()
    host.embedding_saved(path)
    note = describe(config.text, host.token_spans(config.text), config.vectors)
    return Created(path, (note,) if note else ())
