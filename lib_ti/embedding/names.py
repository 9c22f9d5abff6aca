"""Names of embeddings that work as a word in prompts and as a file name everywhere."""

from __future__ import annotations

import unicodedata
from itertools import groupby

from lib_ti.errors import BadInput
from lib_ti.wording import quoted

MAX_BYTES = 120
"""Most UTF-8 bytes of a name: leaves space for ``-100000.safetensors`` and the like within a file system's 255."""

_KEPT = "._- "
_SUFFIXES = (".safetensors", ".pt", ".bin", ".ckpt", ".png", ".webp", ".jpg", ".jpeg", ".txt")
"""Endings of names that were typed with a suffix; the file would get a second one."""
_RESERVED = {"con", "prn", "aux", "nul"} | {port + digit for port in ("com", "lpt") for digit in "0123456789¹²³"}


def sanitise(name: str) -> str:
    """Return the name as the WebUI keeps it when it creates an embedding: letters, digits and ``._-`` and space.

    Letters and digits are those of any script (``str.isalnum``).
    """
    return "".join(sign for sign in name if sign.isalnum() or sign in _KEPT)


def words_of(name: str) -> tuple[str, ...]:
    """Return the words that CLIP's tokenizer reads in a name; names with the same words are one in prompts.

    A word is a run of letters, a single digit or a run of other signs, in lower case, and spaces only part words
    (openai/CLIP, simple_tokenizer): "Style2" reads like "style 2".
    """
    words: list[str] = []
    for kind, signs in groupby(unicodedata.normalize("NFC", name).lower(), key=_kind_of):
        if kind == _DIGIT:
            words += signs
        elif kind != _SPACE:
            words.append("".join(signs))
    return tuple(words)


_LETTER, _DIGIT, _SPACE, _OTHER = range(4)


def _kind_of(sign: str) -> int:
    kinds = {"L": _LETTER, "N": _DIGIT}
    return _SPACE if sign.isspace() else kinds.get(unicodedata.category(sign)[0], _OTHER)


def check_name(name: str) -> str:
    """Return ``name`` when it can be the name of an embedding on every system and in the WebUI.

    Raises
    ------
    BadInput
        With the reason, and the nearest usable name where there is one. Nothing is changed silently: a name that
        differs from what was typed would not be found in prompts.
    """
    problem = _problem(name)
    if problem is None:
        return name
    near = _nearest(name)
    raise BadInput(f"{problem} {f'Use {quoted(near)}.' if near else 'Use letters and digits, such as my-style.'}")


def check_not_ordinary(name: str, tokens: int) -> str:
    """Return ``name`` when it is not one word of CLIP's vocabulary.

    Parameters
    ----------
    tokens
        How many tokens the model reads the name as; a word that it knows is one.

    Raises
    ------
    BadInput
        An embedding takes the place of its name wherever that is read in a prompt or caption, in any case, so that
        with such a name the word would be lost to the model's user.
    """
    if tokens != 1:
        return name
    raise BadInput(
        f"The name {quoted(name)} is a word that the model already knows, and the embedding would take its place in "
        f"every prompt. Use a name that is not a word, such as {quoted(name.strip() + '-style')} or "
        f"{quoted('my-' + name.strip())}."
    )


def _problem(name: str) -> str | None:
    if not name.strip():
        return "The name is empty."
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") for sign in name):
        return f"The name {quoted(name)} holds a control character."
    if "/" in name or "\\" in name or ".." in name:
        return f"The name {quoted(name)} holds parts of a path, and an embedding's name is one word or a few."
    if unusable := sorted(set(name) - set(sanitise(name))):
        return (
            f"The name {quoted(name)} holds {' '.join(unusable)}, which the WebUI does not keep in names of embeddings."
        )
    if len(name.encode()) > MAX_BYTES:
        return f"The name {quoted(name)} is {len(name.encode())} bytes long, and at most {MAX_BYTES} fit file names."
    return _problem_at_an_end(name) or _problem_as_a_word(name)


def _problem_at_an_end(name: str) -> str | None:
    if name != name.strip(" ") or name.endswith("."):
        return f"The name {quoted(name)} begins or ends with a space or ends with a dot, which file systems drop."
    if name.startswith("."):
        return f"The name {quoted(name)} begins with a dot, which hides its files."
    if name.lower().endswith(_SUFFIXES):
        return f"The name {quoted(name)} ends like a file's name; the suffix is added by itself."
    if name.lower().endswith(".preview"):
        return f"The name {quoted(name)} ends in .preview, and the WebUI takes such files for previews."
    return None


def _problem_as_a_word(name: str) -> str | None:
    if not any(map(str.isalpha, name)):
        return f"The name {quoted(name)} has no letters: the embedding would replace these signs in every prompt."
    if _is_reserved(name):
        return f"The name {quoted(name)} is reserved by Windows."
    return None


def _is_reserved(name: str) -> bool:
    # Windows checks only the part before the first dot.
    return name.split(".", maxsplit=1)[0].strip().lower() in _RESERVED


def _nearest(name: str) -> str | None:
    near = sanitise(unicodedata.normalize("NFC", name))
    while ".." in near:
        near = near.replace("..", ".")
    near = near.encode()[:MAX_BYTES].decode(errors="ignore").strip(". ")
    while near.lower().endswith((".preview", *_SUFFIXES)):
        near = near.rpartition(".")[0].rstrip(". ")
    if near and not any(map(str.isalpha, near)):
        near = f"my-{near}"
    if _is_reserved(near):
        near = f"my-{near}"
    return near if near and _problem(near) is None else None
