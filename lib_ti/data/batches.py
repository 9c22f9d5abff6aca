"""Images and prompts of each step: a pure function of seed and step.

There is no random state, so a resumed run continues exactly as if it had never stopped. All random numbers come from
hashes of (seed, epoch, content), not from a library's generator, whose shuffles may change from version to version;
and since contents count, not names, renaming files changes nothing.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

from lib_ti.data.dataset import Item
from lib_ti.data.templates import render


@dataclass(frozen=True)
class Batch:
    """Images of one size, as indices into the items of the plan; the ``position``-th batch of an epoch, from 0."""

    items: tuple[int, ...]
    epoch: int
    position: int


@dataclass(frozen=True)
class PromptRules:
    """How prompts are made: at each use of an image, a random line of ``lines`` is filled in.

    ``shuffle_tags`` and ``tag_dropout`` (0..1) are those of :func:`lib_ti.data.templates.render`.
    """

    lines: tuple[str, ...]
    name: str
    shuffle_tags: bool = False
    tag_dropout: float = 0.0


class BatchPlan:
    """Order of images for all epochs.

    Each epoch uses every image as often as its item asks for, in rounds: the first has all images, the second those
    that are used a second time, and so on; batches of all rounds are mixed. Within a round, images of equal size
    share batches of ``batch_size``; the last batch of a size is filled up with other images of that size, and a size
    with fewer images gives one smaller batch. No image is twice in a batch.

    Parameters
    ----------
    items
        At least one.
    batch_size
        Images of a batch, from 1.
    seed
        Any integer; equal seeds give equal plans on every machine.
    """

    def __init__(self, items: Sequence[Item], *, batch_size: int, seed: int) -> None:
        if not items or batch_size < 1:
            raise ValueError(f"a plan needs images and a batch size from 1, not {len(items)} and {batch_size}")
        self._items = tuple(items)
        self._batch_size = batch_size
        self._seed = seed
        groups: dict[tuple[int, tuple[int, int]], list[int]] = {}
        for index, item in enumerate(self._items):
            for number in range(item.repeats):
                groups.setdefault((number, item.size), []).append(index)
        self._groups = tuple((number, tuple(group)) for (number, _), group in groups.items())
        self._batches_per_epoch = sum(-(-len(group) // batch_size) for _, group in self._groups)
        self._latest: tuple[int, tuple[tuple[int, ...], ...]] = (-1, ())

    @property
    def batches_per_epoch(self) -> int:
        return self._batches_per_epoch

    def batch(self, index: int) -> Batch:
        """Return the ``index``-th batch of the run, from 0."""
        epoch, position = divmod(index, self._batches_per_epoch)
        # Only a cache: any index may be requested at any time.
        known, order = self._latest
        if known != epoch:
            order = self._order(epoch)
            self._latest = (epoch, order)
        return Batch(order[position], epoch, position)

    def prompts(self, batch: Batch, rules: PromptRules) -> tuple[str, ...]:
        """Return the prompts of a batch's images in its epoch."""
        return tuple(self._prompt(self._items[index], batch, rules) for index in batch.items)

    def _prompt(self, item: Item, batch: Batch, rules: PromptRules) -> str:
        rng = random.Random(self._hash("prompt", batch.epoch, batch.position, item.digest))
        line = rules.lines[int(rng.random() * len(rules.lines))]
        return render(
            line,
            rules.name,
            item.caption,
            shuffle_tags=rules.shuffle_tags,
            tag_dropout=rules.tag_dropout,
            rng=rng,
        )

    def _order(self, epoch: int) -> tuple[tuple[int, ...], ...]:
        batches: list[tuple[int, tuple[int, ...]]] = []
        for number, group in self._groups:
            # Part of the hash, not a word for users: another one would change the order of runs that are resumed.
            shuffled = sorted(group, key=lambda index: self._round_hash("picture", epoch, index, number))
            for start in range(0, len(shuffled), self._batch_size):
                chunk = shuffled[start : start + self._batch_size]
                if start:
                    # Those at the beginning of the shuffled group: not in this chunk, and a random choice.
                    chunk += shuffled[: self._batch_size - len(chunk)]
                batches.append((number, tuple(chunk)))
        batches.sort(key=lambda batch: self._round_hash("batch", epoch, batch[1][0], batch[0]))
        return tuple(batch for _, batch in batches)

    def _round_hash(self, what: str, epoch: int, index: int, number: int) -> int:
        # Where nothing is repeated, the order is that of runs begun before images could be.
        return self._hash(what, epoch, self._items[index].digest, *([number] if number else []))

    def _hash(self, *parts: object) -> int:
        text = " ".join(map(str, (self._seed, *parts)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
