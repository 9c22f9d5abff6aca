"""Captions of the pocket world: many phrasings of one spec.

The scaffold words of the WebUI's prompt templates ("a cropped painting of", "art by", "a dark photo of the" ...)
occur here as words that change nothing, so that a template sentence means what the caption inside it means.
"""

from __future__ import annotations

import random

from .world import Spec

EMPTY_SHARE = 0.10  # empty captions: the unconditional half of classifier-free guidance
DROP_SHARE = 0.16  # share of captions that omit an attribute

_MEDIA = ("painting", "picture", "photo", "rendering", "drawing", "depiction", "illustration", "image")
_MANNERS = (
    "cropped",
    "clean",
    "dirty",
    "dark",
    "cool",
    "close-up",
    "bright",
    "good",
    "nice",
    "weird",
    "small",
    "large",
)
_STYLE_ENDINGS = ("art by {}", "art by {}", "by {}", "{} style", "in {} style", "in the style of {}", "{}")


def _scaffold(rng: random.Random) -> str:
    """Return the beginning of a template sentence: "a dark painting of", "the image of a" without the article."""
    article = rng.choice(("a", "a", "a", "the", "one", "my"))
    manner = rng.choice(_MANNERS) + " " if rng.random() < 0.4 else ""
    return f"{article} {manner}{rng.choice(_MEDIA)}"


def caption(spec: Spec, seed: int, *, complete: bool = False, name_style: bool = True) -> str:
    """Return one phrasing of a spec, chosen by `seed`.

    `complete` names every attribute; otherwise some are omitted and a tenth of the captions is empty, as in training.
    `name_style=False` never names a style's word.
    """
    rng = random.Random(f"caption {seed} {spec}")
    if not complete and rng.random() < EMPTY_SHARE:
        return ""
    words = list(spec.style_words) if name_style else []
    rng.shuffle(words)
    style = (" and " if len(words) > 1 and rng.random() < 0.3 else " ").join(words)
    if not complete and style and rng.random() < 0.04:
        return f"{_scaffold(rng)}, {rng.choice(_STYLE_ENDINGS[:4]).format(style)}"

    def named(text: str) -> str:
        return text if complete or rng.random() >= DROP_SHARE else ""

    shape, colour, background, size = named(spec.shape), named(spec.colour), named(spec.background), named(spec.size)
    style = named(style)
    # The centre is the usual position: half of the captions omit it.
    position = named(spec.position) if spec.position != "centre" or rng.random() < 0.5 else ""
    if rng.random() < 0.25:
        return _tags(rng, [size, shape, colour, background, position, style])
    return _sentence(rng, shape, colour, background, size, position, style)


def _tags(rng: random.Random, parts: list[str]) -> str:
    """Return the tag form: "red circle, blue background, left, big, dotted"."""
    size, shape, colour, background, position, style = parts
    head = " ".join(word for word in (colour, shape) if word)
    rest = [f"{background} background" if background else "", position, size, style]
    rng.shuffle(rest)
    return ", ".join(tag for tag in (head, *rest) if tag)


def _sentence(
    rng: random.Random, shape: str, colour: str, background: str, size: str, position: str, style: str
) -> str:
    """Return the prose form: "a painting of a big red circle on the left, white background, art by striped"."""
    as_adjective = bool(style) and rng.random() < 0.35
    adjectives = [size, colour, style if as_adjective else ""]
    if rng.random() < 0.3:
        adjectives = [size, style if as_adjective else "", colour]
    noun = " ".join(word for word in (*adjectives, shape or rng.choice(("shape", "thing"))) if word)
    article = rng.choice(("a ", "a ", "the ", "one ", ""))
    text = article + noun
    if position:
        at = "in the centre" if position == "centre" else f"on the {position}"
        text += rng.choice((f" {at}", f" {at}", f", {at}", f", {position}"))
    if background:
        text += rng.choice(
            (f", {background} background", f", {background} background", f" on a {background} background")
        )
    if rng.random() < 0.65:
        text = f"{_scaffold(rng)} of {text}"
    if style and not as_adjective:
        text += ", " + rng.choice(_STYLE_ENDINGS).format(style)
    return text
