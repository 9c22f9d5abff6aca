"""What was decided by hand about each picture: left out, frames, erased parts. Plain values, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib_ti.prep.crop_box import Frame


@dataclass(frozen=True)
class Erased:
    """A part that was painted over and filled; its pixels are kept in a patch file of that ``patch`` name.

    ``box`` is left, top, right and bottom in pixels of the whole picture. ``prompt``, ``seed`` and ``model`` tell how a
    model filled it.
    """

    patch: str
    box: tuple[int, int, int, int]
    method: str
    prompt: str = ""
    seed: int = 0
    model: str = ""


@dataclass(frozen=True)
class PictureEdits:
    """Decisions about one picture; ``erased`` is a stack, the last on top. Without frames the default one is used."""

    name: str
    left_out: bool = False
    frames: tuple[Frame, ...] = ()
    erased: tuple[Erased, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.left_out or self.frames or self.erased)


@dataclass(frozen=True)
class Edits:
    """Decisions by the SHA-256 of the picture's file, so that they follow a renamed file and no other one."""

    by_digest: Mapping[str, PictureEdits] = field(default_factory=dict)

    def of(self, digest: str, name: str) -> PictureEdits:
        """The decisions about a picture; empty ones where none were made."""
        return replace(self.by_digest.get(digest, PictureEdits(name)), name=name)

    def with_picture(self, digest: str, edits: PictureEdits) -> Edits:
        others = {key: value for key, value in self.by_digest.items() if key != digest}
        return Edits(others if edits.empty else {**others, digest: edits})

    def describe(self) -> str:
        """Such as "2 images excluded, 1 cropped by hand"; empty where nothing was decided."""
        decided = self.by_digest.values()
        numbers = (
            (sum(one.left_out for one in decided), "excluded"),
            (sum(bool(one.frames) for one in decided), "cropped by hand"),
            (sum(bool(one.erased) for one in decided), "with parts erased"),
        )
        told = ", ".join(f"{number} {what}" for number, what in numbers if number)
        return told.replace(" ", " image " if told.startswith("1 ") else " images ", 1)


def to_json(edits: Edits) -> dict[str, Any]:
    return {
        digest: {
            "name": one.name,
            "left_out": one.left_out,
            "frames": [frame_to_json(frame) for frame in one.frames],
            "erased": [{**vars(erased), "box": list(erased.box)} for erased in one.erased],
        }
        for digest, one in edits.by_digest.items()
    }


def from_json(content: Mapping[str, Any]) -> Edits:
    """The reverse of :func:`to_json`; raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
    return Edits({digest: _picture(one) for digest, one in content.items()})


def frame_to_json(frame: Frame) -> list[float]:
    return [frame.x, frame.y, frame.width, frame.height]


def frame_from_json(content: Any) -> Frame:
    x, y, width, height = (float(share) for share in content)
    return Frame(x, y, width, height)


def _picture(content: Mapping[str, Any]) -> PictureEdits:
    return PictureEdits(
        str(content["name"]),
        bool(content["left_out"]),
        tuple(frame_from_json(frame) for frame in content["frames"]),
        tuple(_erased(one) for one in content["erased"]),
    )


def _erased(content: Mapping[str, Any]) -> Erased:
    left, top, right, bottom = (int(border) for border in content["box"])
    patch = str(content["patch"])
    if not patch.isalnum():  # it becomes part of a path
        raise ValueError(f"{patch!r} is no patch")
    return Erased(
        patch,
        (left, top, right, bottom),
        str(content["method"]),
        str(content["prompt"]),
        int(content["seed"]),
        str(content["model"]),
    )
