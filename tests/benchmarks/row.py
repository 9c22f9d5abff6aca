"""A line of the table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    what: str
    measured: str
    promised: str
    kept: bool
