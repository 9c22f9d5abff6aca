"""The pictures' latents: encoded once, kept in memory, and on disk under a key made of their content.

Training reads the autoencoder's mean and standard deviation from here; pictures are never decoded again.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lib_ti.data import images
from lib_ti.data.dataset import Dataset, Item, Rules
from lib_ti.data.latent_files import ItemLatents, LatentFiles
from lib_ti.data.masks import both
from lib_ti.data.reading import read_item_mask, read_picture
from lib_ti.errors import Stopped, TrainingFailed
from lib_ti.host.model import Model
from lib_ti.ordered_map import ordered_map

_PREPARATION = "2"
"""Changes whenever the same file would give other pixels or weights, so that older cache files are not used."""
_NOTHING_COUNTS = (
    "nothing of it counts by its transparency and mask, so that they cannot weigh the loss and are not used"
)


@dataclass(frozen=True)
class Latents:
    """Latents of all pictures of a dataset, float32 on the CPU."""

    by_digest: Mapping[str, ItemLatents]

    def __getitem__(self, item: Item) -> ItemLatents:
        return self.by_digest[item.digest]

    def stack(self, items: Sequence[Item]) -> ItemLatents:
        """Latents of pictures of one size as one: mean and std (B, 4, h, w), and weight (B, 1, h, w).

        Pictures without a weight have ones where another picture of the batch has one; None when none has.
        """
        each = [self[item] for item in items]
        weight = None
        if any(one.weight is not None for one in each):
            ones = torch.ones(1, *each[0].mean.shape[1:])
            weight = torch.stack([ones if one.weight is None else one.weight for one in each])
        return ItemLatents(torch.stack([one.mean for one in each]), torch.stack([one.std for one in each]), weight)


@dataclass(frozen=True)
class _Prepared:
    """A decoded picture: pixels (3, H, W) in -1..1, and the weight of its loss (1, H/8, W/8) or None.

    ``nothing_counts`` is as in :class:`lib_ti.data.latent_files.ItemLatents`.
    """

    pixels: torch.Tensor
    weight: torch.Tensor | None
    nothing_counts: bool


def encode(
    dataset: Dataset,
    model: Model,
    *,
    cache_folder: Path | None,
    batch_size: int,
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> tuple[Dataset, Latents]:
    """Encode what is not cached. Pictures that turn out broken go to the dataset's skipped ones.

    Parameters
    ----------
    cache_folder
        Where latents are kept for later runs; None keeps them in memory only. A folder that cannot be written is
        noted and does not end the run; a damaged file in it is made anew.
    batch_size
        Pictures that the autoencoder takes at once.
    progress
        Called with pictures done and in all, from this thread.
    stop
        Asked between batches.

    Returns
    -------
    tuple
        The dataset without the broken pictures, and the latents of all that is left, held out ones too.

    Raises
    ------
    BadInput
        When no picture is left.
    TrainingFailed
        When the autoencoder gives values that are not finite; the picture is named.
    Stopped
        When ``stop`` said so.
    """
    files = LatentFiles(cache_folder)
    keys = {item.digest: _key(item, dataset.rules, model.info.autoencoder) for item in dataset.all_items}
    done: dict[str, ItemLatents] = {}
    broken: dict[Path, str] = {}

    def advance() -> None:
        progress(len(done) + len(broken), len(keys))
        if stop():
            raise Stopped("Encoding the pictures was stopped; those already encoded are kept for the next run.")

    advance()
    missing = []
    for item in dataset.all_items:
        cached = files.read(keys[item.digest], item.size)
        if cached is None:
            missing.append(item)
        else:
            done[item.digest] = cached
            advance()
    with files.writing(), _prepared(missing, dataset.rules, ahead=2 * batch_size) as prepared:
        for batch in _batches(prepared, batch_size, broken):
            for item, latents in zip((item for item, _ in batch), _encode_batch(model, batch), strict=True):
                done[item.digest] = latents
                files.write(keys[item.digest], latents)
            advance()
    if broken:
        dataset = dataset.without(broken)
        progress(len(keys), len(keys))
    without_weight = {digest for digest, latents in done.items() if latents.nothing_counts}
    dataset = _with_remarks(dataset, without_weight, files.trouble)
    return dataset, Latents(done)


def _key(item: Item, rules: Rules, autoencoder: str) -> str:
    """Everything that the latents depend on: the file's content, size, crop, use of transparency, mask, autoencoder."""
    rule = "keep" if rules.resize == "keep" else "fill"
    alpha = rules.use_alpha and item.has_alpha
    mask = (item.mask_digest,) if item.mask_digest else ()
    parts = (_PREPARATION, item.digest, *item.size, rule, alpha, autoencoder, *mask)
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def _encode_batch(model: Model, batch: Sequence[tuple[Item, _Prepared]]) -> list[ItemLatents]:
    stats = model.encode_images(torch.stack([picture.pixels for _, picture in batch]).to(model.device))
    means, stds = stats.mean.detach().float().cpu(), stats.std.detach().float().cpu()
    encoded = []
    for (item, picture), mean, std in zip(batch, means, stds, strict=True):
        if not (mean.isfinite().all() and std.isfinite().all()):
            raise TrainingFailed(
                f"The autoencoder gave values that are not finite for {item.path}; "
                "run it in float32 (in the WebUI: --no-half-vae), or take the picture out of the folder."
            )
        # Own memory for each picture; and models on the CPU may compute in another order of dimensions.
        plain = torch.contiguous_format
        own = mean.clone(memory_format=plain), std.clone(memory_format=plain)
        encoded.append(ItemLatents(*own, picture.weight, picture.nothing_counts))
    return encoded


def _batches(
    prepared: Iterator[tuple[Item, _Prepared | str]], batch_size: int, broken: dict[Path, str]
) -> Iterator[list[tuple[Item, _Prepared]]]:
    """Whole batches of one size each, in the order in which they come; broken pictures are put into ``broken``."""
    for _, group in itertools.groupby(prepared, key=lambda pair: pair[0].size):
        batch: list[tuple[Item, _Prepared]] = []
        for item, picture in group:
            if isinstance(picture, str):
                broken[item.path] = picture
                continue
            batch.append((item, picture))
            if len(batch) == batch_size:
                yield batch
                batch = []
        if batch:
            yield batch


@contextmanager
def _prepared(items: Sequence[Item], rules: Rules, *, ahead: int) -> Iterator[Iterator[tuple[Item, _Prepared | str]]]:
    """Decode pictures in threads, sorted by size, at most a few more than ``ahead`` before they are asked for.

    Pillow decodes and scales without holding the interpreter's lock, so the threads run beside the autoencoder.
    """
    ordered = sorted(items, key=lambda item: item.size)
    workers = min(8, os.cpu_count() or 1)
    prepared = ordered_map(lambda item: _prepare(item, rules), ordered, workers=workers, ahead=ahead, name="decode")
    with closing(prepared):
        yield zip(ordered, prepared, strict=True)


def _prepare(item: Item, rules: Rules) -> _Prepared | str:
    """The picture at its training size, or why it cannot be used."""
    use_alpha = rules.use_alpha and item.has_alpha
    cover = None if rules.resize == "keep" else item.size
    try:
        data = read_picture(item)
        picture = images.open_picture(item.path, with_alpha=use_alpha, cover=cover, data=data)
        counts = both(picture.alpha, read_item_mask(item, picture.image.size) if rules.use_alpha else None)
    except images.UnreadablePicture as error:
        return error.reason
    frame = images.crop_centre if rules.resize == "keep" else images.fill_and_crop
    weight = None if counts is None else _weight(frame(counts, *item.size))
    return _Prepared(
        images.to_pixels(frame(picture.image, *item.size)),
        weight,
        nothing_counts=counts is not None and counts.getextrema() == (0, 0),
    )


def _weight(alpha: Image.Image) -> torch.Tensor:
    """The loss weight (1, H/8, W/8) of transparency or a mask (W, H): each place's mean, scaled to a mean of 1.

    Unlike in the WebUI, the lowest opacity is not taken off first: an evenly opaque picture weighs 1 everywhere, where
    that gives 0 / 0.
    """
    small = alpha.resize((alpha.width // 8, alpha.height // 8), Image.Resampling.BOX)
    weight = torch.from_numpy(np.array(small, dtype=np.float32))[None]
    mean = weight.mean()
    return weight / mean if mean > 0 else torch.ones_like(weight)


def _with_remarks(dataset: Dataset, without_weight: set[str], trouble: str) -> Dataset:
    def marked(items: tuple[Item, ...]) -> tuple[Item, ...]:
        return tuple(
            replace(item, remarks=(*item.remarks, _NOTHING_COUNTS)) if item.digest in without_weight else item
            for item in items
        )

    if not without_weight and not trouble:
        return dataset
    return replace(
        dataset,
        items=marked(dataset.items),
        held_out=marked(dataset.held_out),
        remarks=(*dataset.remarks, trouble) if trouble else dataset.remarks,
    )
