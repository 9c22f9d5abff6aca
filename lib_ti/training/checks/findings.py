"""What is known of a run before it starts, one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["error", "warning", "good", "info"]
KINDS: tuple[Kind, ...] = ("error", "warning", "good", "info")
"""The worst first. An error is a reason not to start."""


@dataclass(frozen=True)
class Finding:
    """One sentence about a run, and how bad it is."""

    kind: Kind
    text: str
    about_images: bool = False
    """Whether it sums up the dataset, which a run reports in full by itself."""


def findings(kind: Kind, texts: Iterable[str], *, about_images: bool = False) -> Iterator[Finding]:
    """Return findings of one kind."""
    return (Finding(kind, text, about_images) for text in texts)


def worst_first(found: Iterable[Finding]) -> list[Finding]:
    """Return findings by kind, those of a kind in their order."""
    return sorted(found, key=lambda finding: KINDS.index(finding.kind))
