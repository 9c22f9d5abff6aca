"""Checks of the source folder and the prepared folder of one preparation."""

from __future__ import annotations

from pathlib import Path

from lib_ti.paths import folder_problem, resolved


def folder_problems(source: Path, output: Path) -> list[str]:
    """Return why ``output`` cannot hold what is prepared from the images of ``source``, one sentence each."""
    if found := folder_problem(output, missing_ok=True):
        return [f"The prepared folder {found}"]
    if folder_problem(source):
        return []  # reported when it is listed
    advice = "the source folder is never written to, so choose a folder elsewhere"
    outside, inside = resolved(output), resolved(source)
    if _is_same(outside, inside):
        return [f"The prepared folder {output} is the source folder; {advice}."]
    if any(_is_same(parent, inside) for parent in outside.parents):
        return [f"The prepared folder {output} is within the source folder {source}; {advice}."]
    if any(_is_same(outside, parent) for parent in inside.parents):
        return [f"The source folder {source} is within the prepared folder {output}; choose a folder elsewhere."]
    return []


def _is_same(one: Path, other: Path) -> bool:
    """Whether both paths lead to one folder, however they are spelled."""
    return one == other or (one.exists() and other.exists() and one.samefile(other))
