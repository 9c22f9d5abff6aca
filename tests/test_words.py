"""Words that must not come back in texts shown to users; the glossary says what to write instead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
INSTEAD = {
    r"pictures?": "image, images",
    r"anew": "re-encode, reload, again",
    r"goes on|go on|going on": "continues, resumes, is running",
    r"lent|lend|lends": "load, acquire",
    r"mend(ed)?": "fix, repair",
    r"look(ed|s)? over|looking over": "inspect",
    r"lettering": "text",
    r"held[- ]out": "validation split, validation images",
    r"out of reach": "outside the folders this server allows",
    r"parted by commas|divided by commas": "comma-separated",
    r"shaken|grainy": "motion blur, noise",
    r"enlarged?|enlarging": "upscale",
    r"trainings?(?= of [A-Z“{])": "run",
    r"read again, whole": "verified",
    r"use this copy|numbered copies": "restore this checkpoint, checkpoints",
    r"(left|leave|leaves|leaving) out": "excluded, exclude",
    r"as (it|they) comes?": "unchanged, defaults",
    r"beginnings": "defaults",
    r"vectors move(d)?": "vectors are updated",
    r"processor": "CPU",
}
"""Regular expressions of whole words, and what to write instead."""
WORDS = re.compile(r"\b(?:" + "|".join(f"(?:{word})" for word in INSTEAD) + r")\b", re.IGNORECASE)
ALLOWED = {"a picture of", "a picture by [name]", "held out"}
"""Prompts, and a key in files of earlier versions."""
IN_SCRIPTS = re.compile(r"""(["'`])((?:\\.|(?!\1).)*)\1""")


def python_texts(path: Path) -> Iterator[tuple[int, str]]:
    """Strings of a module that read like a text for users: with a space in them, and no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    quiet = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in quiet else None
        if isinstance(text, str) and " " in text.strip():
            yield node.lineno, text


def script_texts(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.lstrip().startswith("//"):
            yield from ((number, text) for _, text in IN_SCRIPTS.findall(line) if " " in text.strip())


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a page, without its code."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield number, re.sub(r"`[^`]*`", "", line)


def shown_texts() -> Iterator[tuple[Path, int, str]]:
    for path in sorted([*ROOT.glob("lib_ti/**/*.py"), *ROOT.glob("scripts/*.py")]):
        yield from ((path, number, text) for number, text in python_texts(path))
    for path in sorted(ROOT.glob("javascript/*.js")):
        yield from ((path, number, text) for number, text in script_texts(path))
    for name in ("README.md", "CHANGELOG.md", "ARCHITECTURE.md"):
        yield from ((ROOT / name, number, text) for number, text in lines(ROOT / name))


def test_texts_for_users_use_the_words_of_the_field() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: “{match.group()}” in {text.strip()[:90]!r}"
        for path, number, text in shown_texts()
        if text.strip() not in ALLOWED
        for match in WORDS.finditer(text)
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("text", ["No picture fits.", "Training goes on.", "Look over", "Made anew"])
def test_the_list_finds_a_word(text: str) -> None:
    assert WORDS.search(text)
