"""Small text files written by people, in whatever encoding their editor uses."""

from __future__ import annotations

import codecs
from pathlib import Path


def read_text(path: Path) -> tuple[str, str]:
    """The text of a file and the encoding it was read with.

    UTF-8 (with or without a byte-order mark) is tried first; then UTF-16, which Windows' Notepad calls "Unicode";
    last Windows' Western code page, in which every byte means something or becomes U+FFFD.

    Returns
    -------
    tuple
        The text without byte-order mark, and ``"utf-8"``, ``"utf-16"`` or ``"cp1252"``.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace"), "utf-16"
    if b"\0" in data:  # no text has NUL characters: this is UTF-16 without its mark
        little = data[1::2].count(0) >= data[0::2].count(0)
        return data.decode("utf-16-le" if little else "utf-16-be", errors="replace"), "utf-16"
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), "cp1252"
