"""The caption of a picture: from the text file beside it, else from its own file name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_ti.data.textfile import read_text
from lib_ti.errors import BadInput
from lib_ti.wording import quoted

CaptionSource = Literal["file", "name"]


@dataclass(frozen=True)
class Caption:
    """What a picture shows, in one line.

    ``source`` is ``"file"`` for a text file beside the picture, ``"name"`` for the picture's file name. ``remark`` is
    what the user should know about how it was read, empty when there is nothing to say.
    """

    text: str
    source: CaptionSource
    remark: str = ""


def read_caption(picture: Path, *, word_regex: str = "", join: str = " ") -> Caption:
    """The caption of the picture at a path; the picture itself is not opened.

    ``<stem>.txt`` beside the picture counts even when it is empty. Without it the caption is the file name as the
    WebUI reads it: digits and hyphens at the beginning are removed, and where ``word_regex`` is given, its matches are
    joined with ``join``.

    Raises
    ------
    BadInput
        When ``word_regex`` is not a regular expression.
    """
    beside = picture.with_suffix(".txt")
    remark = ""
    if beside.is_file():
        try:
            text, encoding = read_text(beside)
        except OSError as error:
            remark = f"its caption {beside.name} cannot be read ({error.strerror}), so its file name is the caption"
        else:
            if encoding != "utf-8":
                remark = f"its caption {beside.name} is not UTF-8 and was read as {encoding}; check its special letters"
            return Caption(_one_line(text.splitlines()), "file", remark)
    return Caption(_from_name(picture.stem, word_regex, join), "name", remark)


def _one_line(lines: Iterable[str]) -> str:
    """Lines of tags become one list of tags; sentences, and lists that end in a comma, just go on."""
    joined = ""
    for line in (" ".join(line.split()) for line in lines):
        if joined and line:
            joined += " " if joined[-1] in ",.;:!?" else ", "
        joined += line
    return joined


def _from_name(stem: str, word_regex: str, join: str) -> str:
    # "00012-0-a red house" is how pre-processing numbers its pictures.
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
