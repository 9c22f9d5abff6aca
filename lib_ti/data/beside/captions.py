"""The caption of an image: from a file beside it, else from its own file name.

Files count in this order, the ending in any letter case, for an image ``x.png``:

1. ``x.txt``, ``x.png.txt``: text, as most programs write it
2. ``x.caption``, ``x.png.caption``: text, as kohya's scripts read it
3. ``x.json``, ``x.png.json``: an object with ``text`` or ``caption``, as img2dataset writes it
4. ``metadata.jsonl``, ``metadata.csv``: the folder's table with ``file_name`` and ``text`` or ``caption``, as Hugging
   Face's ``imagefolder`` reads it

Where captions of one image differ, the first of them is used and a remark says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_ti.data.beside.companions import Beside
from lib_ti.data.beside.metadata import CAPTION_KEYS, caption_in
from lib_ti.data.textfile import read_text
from lib_ti.errors import BadInput
from lib_ti.wording import printable, quoted

CaptionSource = Literal["file", "name"]

TEXT_ENDINGS = (".txt", ".caption")
JSON_ENDING = ".json"


@dataclass(frozen=True)
class Caption:
    """The description of an image, in one line.

    ``source`` is ``"file"`` for a file beside the image, ``"name"`` for the image's file name. ``remark`` is the end of
    a sentence that begins with the image's name, empty when there is nothing to say.
    """

    text: str
    source: CaptionSource
    remark: str = ""


@dataclass(frozen=True)
class _Found:
    """A caption in a file; ``label`` names the file by its ending, so that remarks about many images are alike."""

    label: str
    text: str


def read_caption(image: Path, beside: Beside | None = None, *, word_regex: str = "", join: str = " ") -> Caption:
    """Read the caption of the image at a path; the image itself is not opened.

    A caption file counts even when it is empty. Without any, the caption is the file name as the WebUI reads it: digits
    and hyphens at the beginning are removed, and where ``word_regex`` is given, its matches are joined with ``join``.

    Parameters
    ----------
    beside
        The files of the image's folder, where the caller has listed them already.

    Raises
    ------
    BadInput
        When ``word_regex`` is not a regular expression.
    """
    remarks: list[str] = []
    found = list(_captions(image, beside or Beside(image.parent), remarks))
    if not found:
        return Caption(_from_name(printable(image.stem), word_regex, join), "name", "; ".join(remarks))
    first = found[0]
    others = [other.label for other in found[1:] if other.text != first.text]
    if others:
        remarks.append(f"its captions in {first.label} and {', '.join(others)} differ, and {first.label} is used")
    return Caption(first.text, "file", "; ".join(remarks))


def caption_files(image: Path, beside: Beside | None = None) -> list[Path]:
    """Return the files that hold nothing but the caption of an image, the one that counts first."""
    beside = beside or Beside(image.parent)
    return [path for ending in (*TEXT_ENDINGS, JSON_ENDING) for path in _files(image, beside, ending)]


def caption_path(image: Path, beside: Beside | None = None) -> Path:
    """Return where an edited caption of an image is written.

    That is the text file it comes from. A caption of any other origin is written to ``<stem>.txt``, which counts before
    all others, so that no two text files of one image ever differ by our doing.
    """
    texts = [path for path in caption_files(image, beside) if path.suffix.lower() in TEXT_ENDINGS]
    return texts[0] if texts else image.with_suffix(TEXT_ENDINGS[0])


def _files(image: Path, beside: Beside, ending: str) -> Iterator[Path]:
    for owner in dict.fromkeys((image.stem, image.name)):
        yield from beside.find(owner, ending)


def _captions(image: Path, beside: Beside, remarks: list[str]) -> Iterator[_Found]:
    """Yield all captions of an image in the order in which they count."""
    is_mute, has_caption = False, False
    for path in caption_files(image, beside):
        try:
            text, encoding = read_text(path)
        except OSError as error:
            remarks.append(f"its caption {printable(path.name)} cannot be read ({error.strerror}) and is not used")
            continue
        label = path.name[len(image.stem) :]
        if path.suffix.lower() == JSON_ENDING:
            caption = _in_json(text)
            is_mute = is_mute or caption is None
        else:
            caption = text
            if encoding != "utf-8":
                name = printable(path.name)
                remarks.append(f"its caption {name} is not UTF-8 and was read as {encoding}; check its special letters")
        if caption is not None:
            has_caption = True
            yield _Found(label, _one_line(caption.splitlines()))
    for table, caption in beside.metadata_of(image):
        has_caption = True
        yield _Found(table.name, _one_line(caption.splitlines()))
    if is_mute and not has_caption:
        remarks.append(f"the {JSON_ENDING} file beside it has no {' or '.join(CAPTION_KEYS)} and is not used")


def _in_json(text: str) -> str | None:
    try:
        return caption_in(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _one_line(lines: Iterable[str]) -> str:
    """Join lines: lines of tags by commas, sentences and lists that end in a comma by spaces."""
    joined = ""
    for line in (" ".join(line.split()) for line in lines):
        if joined and line:
            joined += " " if joined[-1] in ",.;:!?" else ", "
        joined += line
    return joined


def _from_name(stem: str, word_regex: str, join: str) -> str:
    # "00012-0-a red house" is how the WebUI's preprocessing numbers its images.
    text = re.sub(r"^[-\d]+\s*", "", stem)
    if word_regex:
        try:
            found = re.findall(word_regex, text)
        except re.error as error:
            raise BadInput(
                f"The filename word regex {quoted(word_regex)} is not a regular expression ({error}); "
                "correct it or leave it empty."
            ) from error
        # findall gives tuples where the expression has several groups.
        text = join.join(word if isinstance(word, str) else join.join(filter(None, word)) for word in found)
    return text.strip()
