"""The WebUI's prompt syntax: emphasis and ``BREAK`` are read, what changes a prompt during sampling is refused.

Rules, as the WebUI's wiki has them ("Attention/emphasis"): ``(x)`` is 1.1 times as strong, ``[x]`` 1/1.1 times,
``(x:1.3)`` 1.3 times, and nested ones multiply; a bracket that is not closed reaches to the end, one that is not opened
is text; a backslash makes the next bracket text; ``BREAK`` begins a new context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib_ti.errors import BadInput
from lib_ti.wording import quoted

Section = tuple[tuple[str, float], ...]
"""Texts with their weights, each tokenized by itself."""
Parsed = tuple[Section, ...]
"""What stands between ``BREAK``s: each section begins a context of its own."""

_FACTORS = {"(": 1.1, "[": 1 / 1.1}
_TOKEN = re.compile(
    r"\\(?P<escaped>[\\()\[\]]?)|(?P<opened>[(\[])|(?P<closed>[)\]]|:\s*(?P<weight>[+-]?[.\d]+)\s*\))|:|[^\\()\[\]:]+"
)
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_BRACKETS = re.compile(r"([(\[])([^()\[\]]*)[)\]]")
_NUMBER = r"\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*"
_SCHEDULE = re.compile(rf"(?:.*:)?{_NUMBER}", re.DOTALL)
_WHOLE_WEIGHT = re.compile(rf":{_NUMBER}$")
_NETWORK = re.compile(r"<\w+:[^>]+>")
_SIGNS = re.compile(r"[\\()\[\]]")
_WORDS = re.compile(r"\b(BREAK|AND)\b")


def parse(prompt: str) -> Parsed:
    """Return the sections of a prompt, at least one.

    Raises
    ------
    BadInput
        For a weight that is no number, and for ``BREAK`` within brackets, which the WebUI takes for a word there.
    """
    # A weight belongs to each run of text; the one of None stands for BREAK.
    texts: list[str | None] = []
    weights: list[float] = []
    opened: dict[str, list[int]] = {bracket: [] for bracket in _FACTORS}

    def close(bracket: str, factor: float) -> None:
        for index in range(opened[bracket].pop(), len(weights)):
            weights[index] *= factor

    for token in _TOKEN.finditer(prompt):
        text: str = token[0]
        if token["escaped"] is not None:
            texts.append(token["escaped"])
        elif token["opened"]:
            opened[text].append(len(weights))
        elif token["closed"] and opened[bracket := "[" if text == "]" else "("]:
            close(bracket, _weight(token["weight"]) if token["weight"] else _FACTORS[bracket])
        else:
            texts += [one for part in _BREAK.split(text) for one in (None, part)][1:]
        weights += [1.0] * (len(texts) - len(weights))
    for bracket, factor in _FACTORS.items():
        while opened[bracket]:
            close(bracket, factor)
    return _sections(texts, weights)


def literal(prompt: str) -> str:
    """Return a prompt that means, in this syntax, the plain text that was given.

    Brackets are escaped; for words and ``<lora:…>`` it is enough that the tokenizer sees neither case nor spaces.
    """
    return _SIGNS.sub(r"\\\g<0>", without_words(prompt))


def without_words(prompt: str) -> str:
    """Return a plain text in which no word and no ``<lora:…>`` means anything besides itself."""
    return re.sub(r"<(?=\w+:)", "< ", _WORDS.sub(lambda found: found[0].lower(), prompt))


def problems(prompt: str, *, negative: bool = False) -> Iterator[str]:
    """Yield a sentence for each part of a prompt that means something in the WebUI and cannot be followed here."""
    where = "The negative prompt" if negative else "The prompt"
    try:
        parse(prompt)
    except BadInput as error:
        yield from (f"{where} {problem}" for problem in error.problems)
    for network in _NETWORK.findall(prompt):
        yield f"{where} has {quoted(network)}, and extra networks are not loaded here; remove it."
    if not negative and re.search(r"\bAND\b", prompt):
        yield f"{where} has AND, which joins several prompts in the WebUI and cannot be followed here; write “and”."
    if not negative and (found := _WHOLE_WEIGHT.search(prompt)):
        yield f"{where} ends with {quoted(found[0])}, in the WebUI a weight of all of it; change CFG scale instead."
    plain = re.sub(r"\\.", "", prompt)
    while found := _BRACKETS.search(plain):
        if found[1] == "[" and ("|" in found[2] or (":" in found[2] and _SCHEDULE.fullmatch(found[2]))):
            yield (
                f"{where} has {quoted(found[0])}, which changes the prompt during sampling in the WebUI and cannot be "
                r"followed here; choose one of the texts, or write \[ and \] for plain brackets."
            )
        plain = f"{plain[: found.start()]}…{plain[found.end() :]}"


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"has the weight {quoted(text)}, which is not a number; write one such as (word:1.3).") from None


def _sections(texts: list[str | None], weights: list[float]) -> Parsed:
    sections: list[list[tuple[str, float]]] = [[]]
    for text, weight in zip(texts, weights, strict=True):
        section = sections[-1]
        if text is None:
            if weight != 1:
                raise BadInput("has BREAK within brackets; close them before it, and open them again after it.")
            sections.append([])
        elif section and section[-1][1] == weight:
            # Tokens are found in the whole text of a weight.
            section[-1] = (section[-1][0] + text, weight)
        else:
            section.append((text, weight))
    return tuple(map(tuple, sections))
