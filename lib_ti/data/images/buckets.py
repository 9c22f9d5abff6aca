"""Aspect-ratio buckets: training sizes of nearly the same area, from tall to wide.

Each image is assigned to the bucket nearest to its own shape, so that little is cropped, and all images of a bucket
can share a batch.
"""

from __future__ import annotations

import math

LARGEST_STEP = 64
"""Pixels between the sides of neighbouring buckets for training sizes of 512 pixels and more."""


def bucket_step(area_width: int, area_height: int) -> int:
    """Return the pixels between neighbouring buckets: an eighth of the training side, a multiple of 8 in 8..64.

    With 64 pixels at 512, as other trainers have it, smaller training sizes get buckets of the same shapes: 32 at 256
    and 8 at 64, where a step of 64 would leave one square bucket.
    """
    side = math.sqrt(area_width * area_height)
    return min(LARGEST_STEP, max(8, int(side / 8) // 8 * 8))


def buckets(area_width: int, area_height: int, step: int | None = None) -> tuple[tuple[int, int], ...]:
    """Return all buckets (width, height) for a training size, from tall to wide.

    Sides are multiples of ``step`` (default :func:`bucket_step`) between half and twice the side of a square of the
    training size's area, and no bucket has more area than the training size, which is a bucket itself. Each width has
    the greatest height that fits, and the other way round.
    """
    step = step or bucket_step(area_width, area_height)
    area = area_width * area_height
    side = math.sqrt(area)
    least, most = math.ceil(side / 2 / step) * step, int(side * 2 / step) * step
    found = {(area_width, area_height)}
    for one in range(least, most + 1, step):
        other = min(most, area // one // step * step)
        if other >= least:
            found |= {(one, other), (other, one)}
    return tuple(sorted(found, key=lambda size: (size[0] / size[1], size)))


def bucket_for(
    width: int, height: int, *, area_width: int, area_height: int, step: int | None = None
) -> tuple[int, int]:
    """Return the bucket (width, height) for an image of ``width`` × ``height`` pixels: the nearest in shape.

    Among buckets of one shape the largest is taken. Shapes beyond the outermost buckets, about 4 to 1, are cropped
    to them.
    """
    shape = math.log(width / height)

    def distance(size: tuple[int, int]) -> tuple[float, int]:
        # Rounded, so that buckets of one shape compare as equal and their area decides.
        return round(abs(math.log(size[0] / size[1]) - shape), 9), -size[0] * size[1]

    return min(buckets(area_width, area_height, step), key=distance)
