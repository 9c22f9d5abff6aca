"""Prompt templates: text files whose lines become the prompts of training.

``[name]`` stands for the embedding and ``[filewords]`` (or ``[fileword]``, as some tutorials write it) for the
image's caption. Files are read at every use, so that an edit takes effect without a restart.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from lib_ti.data.textfile import read_text
from lib_ti.errors import BadInput, reason
from lib_ti.paths import as_path, resolved
from lib_ti.placeholders import FILEWORDS, NAME, with_name, without_gaps
from lib_ti.storage import aside
from lib_ti.storage.atomic import write_text
from lib_ti.wording import quoted

SHIPPED = Path(__file__).with_name("templates")
"""The templates that come with this program; folders of the user go first."""
SHIPPED_NAMES = frozenset({"hypernetwork", "none", "style", "style_filewords", "subject", "subject_filewords"})
"""Names of the templates that come with the WebUI or this program, which tutorials speak of."""
_REPLACED = "-replaced"
"""Ending of the folder of replaced templates."""


@dataclass(frozen=True)
class Template:
    """A template as it was read: its lines without blank ones, and their numbers in the file (from 1)."""

    name: str
    path: Path
    lines: tuple[str, ...]
    line_numbers: tuple[int, ...]


def available(folders: Iterable[Path]) -> tuple[str, ...]:
    """Names of all templates, without suffix and in alphabetical order: the user's and the shipped ones."""
    found = {path.stem for folder in (*folders, SHIPPED) if folder.is_dir() for path in folder.glob("*.txt")}
    return tuple(sorted(found))


def find_template(name_or_path: str | Path, folders: Iterable[Path]) -> Template:
    """Read the template of a name (with or without ``.txt``) or at a path; the first folder that has the name wins.

    Raises
    ------
    BadInput
        When there is none or it cannot be read; the message lists those that exist.
    """
    folders = tuple(folders)
    path = _locate(as_path(str(name_or_path), "Prompt template"), folders)
    if path is None:
        raise BadInput(
            f"There is no prompt template {quoted(name_or_path)}; choose one of {', '.join(available(folders))}, "
            "or give the path of a text file."
        )
    try:
        text, _ = read_text(path)
    except OSError as error:
        raise BadInput(f"The prompt template {path} cannot be read: {reason(error)}.") from error
    numbered = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    return Template(path.stem, path, tuple(line for _, line in numbered), tuple(number for number, _ in numbered))


def check_template(template: Template, captions: Collection[str] = ()) -> None:
    """Refuse a template that would train nothing, or nothing at times.

    A line without ``[name]`` is allowed where it shows the caption and each of ``captions`` has ``[name]`` itself, as
    some people write it into their caption files.

    Raises
    ------
    BadInput
        When the template is empty, or for each line whose prompt would lack the embedding's name.
    """
    if not template.lines:
        raise BadInput(
            f"The prompt template {template.path} has no line; write at least one that holds {NAME}, "
            f"or choose another template, such as {', '.join(available(()))}."
        )
    captions_name_it = bool(captions) and all(NAME in caption for caption in captions)
    problems = [
        f"Line {number} of the prompt template {template.path} is {quoted(line)} and lacks {NAME}: without the "
        f"embedding's name the prompt would train nothing. Write {NAME} into the line or remove it."
        for number, line in zip(template.line_numbers, template.lines, strict=True)
        if NAME not in line and not (captions_name_it and FILEWORDS.search(line))
    ]
    if problems:
        raise BadInput(problems)


def save_template(
    stem: str, lines: Sequence[str], folders: Sequence[Path], *, replace: bool
) -> tuple[Path, Path | None]:
    """Write a template into the first of ``folders``.

    Parameters
    ----------
    stem
        Its name, which can be a file name.

    Returns
    -------
    tuple
        The file, and where its former text is kept, or None where there was none.

    Raises
    ------
    BadInput
        A name that belongs to a shipped template, or is taken without ``replace``; lines that would train nothing.
        Nothing is written then.
    """
    folder = folders[0] if folders else Path("textual_inversion_templates")
    path = folder / f"{stem}.txt"
    free = _free_name(stem, folder)
    if stem.lower() in SHIPPED_NAMES:
        raise BadInput(
            f"The template {quoted(stem)} comes with the program and stays as it is: save yours under another name, "
            f"such as {quoted(free)}."
        )
    # Captions may hold [name] themselves; which ones are meant is not known here, and is checked before a run.
    check_template(Template(stem, path, tuple(lines), tuple(range(1, len(lines) + 1))), (NAME,))
    if path.exists() and not replace:
        raise BadInput(
            f"There is a template {quoted(stem)} already: turn on Replace to save over it (its present text is "
            f"kept), or use another name, such as {quoted(free)}."
        )
    with aside.kept(path, replaced_templates(folder)) as former:
        write_text(path, "\n".join(lines) + "\n")
    return path, former


def replaced_templates(folder: Path) -> Path:
    """Return the folder where templates are kept that were replaced in ``folder``.

    It is outside, since the WebUI lists every file below its folder as a template, whatever the file's suffix.
    """
    whole = resolved(folder)
    return whole.with_name(f"{whole.name}{_REPLACED}")


def _free_name(stem: str, folder: Path) -> str:
    names = chain((f"my_{stem}",), (f"{stem}_{number}" for number in count(2)))
    return next(name for name in names if not (folder / f"{name}.txt").exists())


def render(line: str, name: str, caption: str, *, shuffle_tags: bool, tag_dropout: float, rng: random.Random) -> str:
    """The prompt that a template line gives for a caption.

    Parameters
    ----------
    shuffle_tags
        Put the caption's tags (its parts between commas) into a random order.
    tag_dropout
        Probability in 0..1 with which each tag is dropped; a tag that holds ``[name]`` always stays.
    rng
        Source of random numbers for shuffling and dropping.
    """
    if not FILEWORDS.search(line):
        return with_name(line, name)
    tags = [tag.strip() for tag in caption.split(",") if tag.strip()]
    if tag_dropout > 0:
        # The random number comes first, so that every tag uses one.
        tags = [tag for tag in tags if rng.random() >= tag_dropout or NAME in tag]
    if shuffle_tags:
        rng.shuffle(tags)
    words = ", ".join(tags)
    prompt = FILEWORDS.sub(lambda _: words, line)
    return with_name(prompt if words else without_gaps(prompt), name)


def _locate(wanted: Path, folders: tuple[Path, ...]) -> Path | None:
    is_name = wanted.name == str(wanted)
    places = [folder / wanted.name for folder in (*folders, SHIPPED)] if is_name else []
    for place in (*places, wanted):
        for path in (place.parent / f"{place.name}.txt", place):
            if path.is_file():
                return path
    return None
