"""Latents of the images: encoded once, kept in memory, and on disk under a key made of their content.

Training reads the autoencoder's mean and standard deviation from here; images are never decoded again.
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

from lib_ti.data.beside.masks import both
from lib_ti.data.dataset import Dataset, Item, Rules
from lib_ti.data.images import decode as images
from lib_ti.data.latent_files import ItemLatents, LatentFiles
from lib_ti.data.reading import read_image, read_item_mask
from lib_ti.errors import Stopped, TrainingFailed
from lib_ti.host.model import Model
from lib_ti.ordered_map import ordered_map

_PREPARATION = "2"
"""Changes whenever the same file would give other pixels or weights, so that older cache files are not used."""
_NOTHING_COUNTS = "its transparency and mask leave nothing of it, so they are not used as loss weight"


@dataclass(frozen=True)
class Latents:
    """Latents of all images of a dataset, float32 on the CPU."""

    by_digest: Mapping[str, ItemLatents]

    def __getitem__(self, item: Item) -> ItemLatents:
        return self.by_digest[item.digest]

    def stack(self, items: Sequence[Item]) -> ItemLatents:
        """Stack the latents of images of one size: mean and std (B, 4, h, w), and weight (B, 1, h, w).

        Images without a weight have ones where another image of the batch has one; None when none has.
        """
        each = [self[item] for item in items]
        weight = None
        if any(one.weight is not None for one in each):
            ones = torch.ones(1, *each[0].mean.shape[1:])
            weight = torch.stack([ones if one.weight is None else one.weight for one in each])
        return ItemLatents(torch.stack([one.mean for one in each]), torch.stack([one.std for one in each]), weight)


@dataclass(frozen=True)
class _Prepared:
    """A decoded image: pixels (3, H, W) in -1..1, and the weight of its loss (1, H/8, W/8) or None.

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
    """Encode what is not cached. Images that turn out to be broken become skipped ones of the dataset.

    Parameters
    ----------
    cache_folder
        Where latents are kept for later runs; None keeps them in memory only. A folder that cannot be written is
        noted and does not end the run; a damaged file in it is written again.
    batch_size
        Images that the autoencoder encodes at once.
    progress
        Called with images done and in all, from this thread.
    stop
        Called between batches; True ends it.

    Returns
    -------
    tuple
        The dataset without the broken images, and the latents of all others, also those for validation.

    Raises
    ------
    BadInput
        When no image is left.
    TrainingFailed
        When the autoencoder gives values that are not finite; the image is named.
    Stopped
        When ``stop`` returned True.
    """
    files = LatentFiles(cache_folder)
    keys = {item.digest: _key(item, dataset.rules, model.info.autoencoder) for item in dataset.all_items}
    done: dict[str, ItemLatents] = {}
    broken: dict[Path, str] = {}

    def advance() -> None:
        progress(len(done) + len(broken), len(keys))
        if stop():
            raise Stopped("Encoding the images was stopped; those already encoded are kept for the next run.")

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
    """Return a hash of what the latents depend on: content, size, crop, use of transparency, mask, autoencoder."""
    rule = "keep" if rules.resize == "keep" else "fill"
    alpha = rules.use_alpha and item.has_alpha
    mask = (item.mask_digest,) if item.mask_digest else ()
    parts = (_PREPARATION, item.digest, *item.size, rule, alpha, autoencoder, *mask)
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()


def _encode_batch(model: Model, batch: Sequence[tuple[Item, _Prepared]]) -> list[ItemLatents]:
    stats = model.encode_images(torch.stack([image.pixels for _, image in batch]).to(model.device))
    means, stds = stats.mean.detach().float().cpu(), stats.std.detach().float().cpu()
    encoded = []
    for (item, image), mean, std in zip(batch, means, stds, strict=True):
        if not (mean.isfinite().all() and std.isfinite().all()):
            raise TrainingFailed(
                f"The autoencoder returned values that are not finite for {item.path}; "
                "run it in float32 (in the WebUI: --no-half-vae), or take the image out of the folder."
            )
        # Own memory for each image, contiguous: models on the CPU may compute in another memory format.
        plain = torch.contiguous_format
        own = mean.clone(memory_format=plain), std.clone(memory_format=plain)
        encoded.append(ItemLatents(*own, image.weight, image.nothing_counts))
    return encoded


def _batches(
    prepared: Iterator[tuple[Item, _Prepared | str]], batch_size: int, broken: dict[Path, str]
) -> Iterator[list[tuple[Item, _Prepared]]]:
    """Yield full batches of one size each, in the given order; broken images are put into ``broken``."""
    for _, group in itertools.groupby(prepared, key=lambda pair: pair[0].size):
        batch: list[tuple[Item, _Prepared]] = []
        for item, image in group:
            if isinstance(image, str):
                broken[item.path] = image
                continue
            batch.append((item, image))
            if len(batch) == batch_size:
                yield batch
                batch = []
        if batch:
            yield batch


@contextmanager
def _prepared(items: Sequence[Item], rules: Rules, *, ahead: int) -> Iterator[Iterator[tuple[Item, _Prepared | str]]]:
    """Decode images in threads, sorted by size, at most a few more than ``ahead`` before they are asked for.

    Pillow decodes and scales without holding the interpreter's lock, so the threads run beside the autoencoder.
    """
    ordered = sorted(items, key=lambda item: item.size)
    workers = min(8, os.cpu_count() or 1)
    prepared = ordered_map(lambda item: _prepare(item, rules), ordered, workers=workers, ahead=ahead, name="decode")
    with closing(prepared):
        yield zip(ordered, prepared, strict=True)


def _prepare(item: Item, rules: Rules) -> _Prepared | str:
    """Return the image at its training size, or why it cannot be used."""
    use_alpha = rules.use_alpha and item.has_alpha
    cover = None if rules.resize == "keep" else item.size
    try:
        data = read_image(item)
        image = images.open_image(item.path, with_alpha=use_alpha, cover=cover, data=data)
        counts = both(image.alpha, read_item_mask(item, image.image.size) if rules.use_alpha else None)
    except images.UnreadableImage as error:
        return error.reason
    frame = images.crop_centre if rules.resize == "keep" else images.fill_and_crop
    weight = None if counts is None else _weight(frame(counts, *item.size))
    return _Prepared(
        images.to_pixels(frame(image.image, *item.size)),
        weight,
        nothing_counts=counts is not None and counts.getextrema() == (0, 0),
    )


def _weight(alpha: Image.Image) -> torch.Tensor:
    """Return the loss weight (1, H/8, W/8) of transparency or a mask (W, H): means of latent pixels, scaled to mean 1.

    Unlike in the WebUI, the lowest opacity is not taken off first: an evenly opaque image weighs 1 everywhere, where
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
        validation=marked(dataset.validation),
        remarks=(*dataset.remarks, trouble) if trouble else dataset.remarks,
    )
