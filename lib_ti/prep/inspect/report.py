"""Looking over a folder of found pictures: what each is like, which show the same, and which to leave out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_ti.config import LookConfig, problems
from lib_ti.data.folder import Skipped
from lib_ti.errors import BadInput
from lib_ti.prep.inspect.duplicates import Alike, find_alike, groups
from lib_ti.prep.inspect.issues import AtTraining, Badge, badges_of
from lib_ti.prep.inspect.measure_folder import Look, Looks, look_at_all
from lib_ti.wording import printable

FEWEST, MOST = 30, 70
"""Pictures that a style or subject is usually learned from: fewer show too little, more take long to describe."""
_NAMED = 8


@dataclass(frozen=True)
class Judged:
    """A picture with its badges.

    ``group`` is the number, from 1, of the group of near-duplicates that it belongs to, 0 for none.
    """

    look: Look
    at_training: AtTraining
    badges: tuple[Badge, ...] = ()
    group: int = 0

    @property
    def good(self) -> bool:
        """Whether nothing speaks for leaving it out."""
        return not any(badge.advice == "leave out" for badge in self.badges)

    @property
    def wants_mending(self) -> bool:
        return any(badge.advice == "mend" for badge in self.badges)

    def has(self, kind: str) -> bool:
        return any(badge.kind == kind for badge in self.badges)


@dataclass(frozen=True)
class Report:
    """A folder looked over. ``advice`` and ``remarks`` are sentences; ``pictures`` are in natural order."""

    folder: Path
    config: LookConfig
    pictures: tuple[Judged, ...]
    skipped: tuple[Skipped, ...]
    advice: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def good(self) -> tuple[Judged, ...]:
        return tuple(picture for picture in self.pictures if picture.good)

    @property
    def to_leave_out(self) -> tuple[Judged, ...]:
        return tuple(picture for picture in self.pictures if not picture.good)

    @property
    def groups(self) -> tuple[tuple[Judged, ...], ...]:
        """Near-duplicates, by their numbers, each group with the picture to keep first."""
        found: dict[int, list[Judged]] = defaultdict(list)
        for picture in self.pictures:
            if picture.group:
                found[picture.group].append(picture)
        return tuple(tuple(sorted(found[number], key=lambda one: one.has("duplicate"))) for number in sorted(found))

    def counts(self) -> Mapping[str, int]:
        """How many pictures have each kind of badge, the most frequent first."""
        kinds = [badge.kind for picture in self.pictures for badge in picture.badges]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))}


def look_over(
    folder: Path,
    config: LookConfig,
    *,
    subfolders: bool = False,
    cache_folder: Path | None = None,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
    workers: int | None = None,
) -> Report:
    """Look at all pictures of a folder and judge them; see :func:`lib_ti.prep.inspect.measure_folder.look_at_all`.

    Raises
    ------
    BadInput
        When the settings are wrong, or the folder is missing, is no folder, or cannot be listed.
    Stopped
        When ``stop`` said so.
    """
    if wrong := problems(config):
        raise BadInput(wrong)
    looks = look_at_all(
        folder, subfolders=subfolders, cache_folder=cache_folder, progress=progress, stop=stop, workers=workers
    )
    return judge(looks, config)


def judge(looks: Looks, config: LookConfig) -> Report:
    """Badges, near-duplicates and advice. Nothing is measured, so that this can follow each change of a threshold."""
    own = [Judged(look, AtTraining.of(look, config), badges_of(look, config)) for look in looks.pictures]
    pictures = tuple(_with_duplicates(own, _alike(looks.pictures, config.duplicates / 100)))
    return Report(looks.folder, config, pictures, looks.skipped, tuple(_advice(pictures, looks.skipped)), looks.remarks)


def _alike(looks: Sequence[Look], at_least: float) -> list[Alike]:
    found = find_alike([look.fingerprint for look in looks], at_least=at_least)
    # Files with equal content are equal even where there is too little in them to be compared.
    first: dict[str, int] = {}
    equal = [
        Alike(first[look.digest], place, 1.0, mirrored=False)
        for place, look in enumerate(looks)
        if first.setdefault(look.digest, place) != place
    ]
    return found + equal


def _with_duplicates(pictures: Sequence[Judged], alike: Sequence[Alike]) -> Iterator[Judged]:
    """Mark all of each group but the best one. Mirrored pictures are noted, and are no group: they are some use."""
    plain = [pair for pair in alike if not pair.mirrored]
    group_of: dict[int, int] = {}
    best_of: dict[int, Judged] = {}
    for number, members in enumerate(groups(len(pictures), plain), start=1):
        best = min(members, key=lambda place: _worth(pictures[place]))
        for place in members:
            group_of[place] = number
            if place != best:
                best_of[place] = pictures[best]
    mirror_of: dict[int, Judged] = {}
    for pair in alike:
        if pair.mirrored:
            mirror_of.setdefault(pair.second, pictures[pair.first])
    for place, picture in enumerate(pictures):
        added = []
        if place in best_of:
            added.append(_duplicate(picture.look, best_of[place].look))
        elif place in mirror_of:
            other = printable(mirror_of[place].look.name)
            added.append(Badge("mirrored", "mirrored", f"It seems to be {other} in a mirror.", "note"))
        yield Judged(picture.look, picture.at_training, (*picture.badges, *added), group_of.get(place, 0))


def _worth(picture: Judged) -> tuple[int, ...]:
    """Sorts the picture to keep first: the one with the least against it that cannot be mended, then with the least to
    mend, then the largest, then the one of which the least is noted, such as several frames, then the best saved."""
    look = picture.look
    advices = [badge.advice for badge in picture.badges]
    pixels = look.size[0] * look.size[1]
    return (
        advices.count("leave out"),
        advices.count("mend"),
        -pixels,
        advices.count("note"),
        -look.bytes,
        not look.has_caption,
    )


def _duplicate(look: Look, best: Look) -> Badge:
    if look.digest == best.digest:
        return Badge("duplicate", "same file", f"It is the same file as {printable(best.name)}.", "leave out")
    larger = best.size[0] * best.size[1] > look.size[0] * look.size[1]
    which = ", which is larger" if larger else ""
    return Badge("duplicate", "near-duplicate", f"It shows the same as {printable(best.name)}{which}.", "leave out")


def _advice(pictures: Sequence[Judged], skipped: Sequence[Skipped]) -> Iterator[str]:
    """One or two sentences for the whole folder."""
    good = sum(picture.good for picture in pictures)
    wanted = f"{FEWEST} to {MOST} clear, sharp pictures that you can describe"
    if not pictures:
        passed_over = f"; {_count(len(skipped), 'file was', 'files were')} skipped" if skipped else ""
        yield f"There is no picture here that can be read{passed_over}."
        return
    there = f"{good} of {_count(len(pictures), 'picture is', 'pictures are')} good"
    if good < FEWEST:
        yield f"{there}; {wanted} are best: find {FEWEST - good} more."
    elif good > MOST:
        yield f"{there}; {wanted} are enough, so that you can choose the best of them."
    else:
        yield f"{there}, which is what a training wants: {wanted}."
    if mend := [picture for picture in pictures if picture.good and picture.wants_mending]:
        labels = sorted({badge.kind for picture in mend for badge in picture.badges if badge.advice == "mend"})
        yield f"{len(mend)} of the good ones want mending first ({', '.join(labels)})."
    if bad := [picture for picture in pictures if not picture.good]:
        reasons = [
            f"{printable(picture.look.name)} ({', '.join(b.label for b in picture.badges if b.advice == 'leave out')})"
            for picture in bad[:_NAMED]
        ]
        more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        yield f"Exclude {', '.join(reasons)}{more}."


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
