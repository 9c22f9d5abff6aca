"""What is learned back: styles and shapes of the pocket world, and some that are hard to learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["style", "shape", "hard"]
STYLE, SUBJECT = "style_filewords", "subject_filewords"


@dataclass(frozen=True, eq=False)
class Concept:
    """A concept of the pocket world.

    Parameters
    ----------
    fixed
        Attributes of :class:`lib_ti.pocket.world.Spec` that all its images have; captions do not name them.
    words
        The true words, which stand in for the keyword where the goal is measured.
    neutral
        Initialization text of the zero that gaps are measured from.
    initial
        Initialization text of the run; None for ``neutral``.
    template
        Prompt template of the measurement.
    training_template
        The same of the run; None for ``template``.
    shared
        Attributes that all training images have, but not those that it is measured on; captions do not name them.
    named
        Whether the captions of the training images name the concept.
    """

    name: str
    kind: Kind
    fixed: Mapping[str, str]
    words: str
    neutral: str
    template: str
    initial: str | None = None
    training_template: str | None = None
    shared: Mapping[str, str] = field(default_factory=dict)
    named: bool = False

    @property
    def start(self) -> str:
        """Initialization text of the run."""
        return self.initial or self.neutral


def _style(style: str, name: str = "", kind: Kind = "style", **more: object) -> Concept:
    words = style.replace("+", " ")
    return Concept(name or style, kind, {"style": style}, words, "style", STYLE, **more)  # type: ignore[arg-type]


def _shape(shape: str) -> Concept:
    return Concept(shape, "shape", {"shape": shape}, shape, "shape", SUBJECT)


STYLES = tuple(map(_style, ("striped", "outlined", "glowing", "framed", "dotted+outlined", "checked+shadowed")))
"""The last two have no word of their own: the goal is what their parts' words reach together."""
SHAPES = tuple(map(_shape, ("circle", "square", "triangle", "cross", "ring", "star")))
HARD = (
    Concept("two attributes", "hard", {"style": "striped", "shape": "star"}, "striped star", "shape", SUBJECT),
    _style("striped", "shared background", "hard", shared={"background": "grey"}),
    _style("striped", "captions name it", "hard", named=True),
    _style("striped", "contradicting start", "hard", initial="red"),
    _style("striped", "no captions", "hard", training_template="style"),
)
CONCEPTS = {concept.name: concept for concept in (*STYLES, *SHAPES, *HARD)}
