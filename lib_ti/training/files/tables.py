"""The tables of a run: CSV files that grow row by row and are truncated where a killed run is resumed."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from lib_ti.storage.atomic import append_text, write_text

LOSS_COLUMNS = ("step", "epoch", "epoch_step", "loss", "learn_rate", "smoothed_loss", "seconds", "skipped", "norms")
"""The WebUI's five columns first, so that its users' scripts keep working. ``norms`` are those of all vectors."""


class Table:
    """A CSV file that grows row by row. Rows are buffered until :meth:`flush`; rows after ``last_step`` are dropped."""

    def __init__(self, path: Path, columns: Sequence[str], *, last_step: int) -> None:
        self.path = path
        self._columns = tuple(columns)
        self._rows: list[Sequence[object]] = []
        self._truncate(last_step)

    def add(self, *row: object) -> None:
        self._rows.append(row)

    def flush(self) -> None:
        if not self._rows:
            return
        append_text(self.path, _csv(self._rows))
        self._rows.clear()

    def _truncate(self, last_step: int) -> None:
        """Drop the rows that a killed run wrote after its last saved state; a half-written last row goes too.

        Rows of an earlier version's file, which has fewer columns, get empty ones.
        """
        kept = [
            [row.get(column) or "" for column in self._columns]
            for row in read_table(self.path)
            if row["step"].isdigit() and int(row["step"]) <= last_step
        ]
        write_text(self.path, _csv([self._columns, *kept]))


def read_table(path: Path) -> list[dict[str, str]]:
    """Return complete rows of a table as dicts, without a half-written last one; empty if there is no file."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    rows = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())
    return [row for row in rows if None not in row and None not in row.values()]


def read_losses(path: Path) -> list[tuple[int, float]]:
    """Return (step, smoothed loss) of the steps in a loss table that were not skipped."""
    return [(int(row["step"]), float(row["smoothed_loss"])) for row in read_table(path) if row["skipped"] == "0"]


def _csv(rows: Sequence[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()
