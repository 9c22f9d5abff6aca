"""The patch of an image that a model inpaints: cropped at the model's size, and pasted back without a seam.

The same for all hosts. A model inpaints whole latent pixels, 8 × 8 image pixels, and changes the rest of the patch a
little; so nothing but the masked pixels is taken from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from lib_ti.families.family import VAE_SCALE_FACTOR

STRENGTH = 0.75
"""Denoising strength, the WebUI's default for img2img. At 1, all noise, models put a new thing in place of the old."""
OUT_OF_MEMORY = "Out of memory while inpainting by the model: paint over less at once, or choose a plain fill method."
_MARGIN = 0.5
"""Context on each side of the masked area, in units of its length in that direction."""
_LARGEST = 1.5
"""Longest mean side at which a patch is generated, in units of the model's: beyond that models repeat themselves."""
_BLURS = (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32)
"""Radii of the blurs that fill the mask with its surroundings, in units of the patch's side, coarse to fine."""
_RING = 16
"""Pixels around the masked area in which generated and original colours are compared."""


@dataclass(frozen=True)
class InpaintedPatch:
    """A part of an image, at the size at which the model generates it.

    ``box`` is its place (left, top, right, bottom) in the image. In ``image`` (RGB, sides multiples of 8) the masked
    area has the colours of its surroundings; ``mask`` ("L", 0 or 255) covers that area in whole latent pixels.
    """

    box: tuple[int, int, int, int]
    image: Image.Image
    mask: Image.Image


def cut_out(image: Image.Image, mask: Image.Image, side: int) -> InpaintedPatch | None:
    """Return the patch of an RGB image for what a mask ("L", of its size) has above 127; None when that is nothing.

    ``side`` is that of the images that the model was made for.
    """
    wanted = _thresholded(mask)
    inner = wanted.getbbox()
    if inner is None:
        return None
    box = _with_margin(inner, image.size, side)
    size = _generated_size((box[2] - box[0], box[3] - box[1]), side)
    scaled = image.crop(box).resize(size, Image.Resampling.LANCZOS)
    cells = size[0] // VAE_SCALE_FACTOR, size[1] // VAE_SCALE_FACTOR
    # A latent pixel with a single masked pixel is inpainted; as floats, its mean is not rounded to nothing.
    covered = np.asarray(wanted.crop(box).convert("F").resize(cells, Image.Resampling.BOX)) > 0
    grown = Image.fromarray(covered.astype(np.uint8) * 255).resize(size, Image.Resampling.NEAREST)
    return InpaintedPatch(box, _filled_by_blur(scaled, grown), grown)


def put_back(image: Image.Image, mask: Image.Image, patch: InpaintedPatch, generated: Image.Image) -> Image.Image:
    """Return the image with what the mask has above 127 taken from ``generated``, the inpainted patch."""
    left, top, right, bottom = patch.box
    original = image.crop(patch.box)
    wanted = _thresholded(mask).crop(patch.box)
    scaled = generated.resize((right - left, bottom - top), Image.Resampling.LANCZOS)
    result = image.copy()
    result.paste(_colour_matched(scaled, original, wanted), (left, top), wanted)
    return result


def _thresholded(mask: Image.Image) -> Image.Image:
    return mask.point(lambda level: 255 * (level > 127))


def _with_margin(inner: tuple[int, int, int, int], size: tuple[int, int], side: int) -> tuple[int, int, int, int]:
    """Return the inner box with its surroundings, as large as what the model generates where the image is."""
    bounds = []
    for axis in (0, 1):
        length = min(size[axis], max(side, round((inner[axis + 2] - inner[axis]) * (1 + 2 * _MARGIN))))
        middle = (inner[axis] + inner[axis + 2]) / 2
        start = min(max(0, round(middle - length / 2)), size[axis] - length)
        bounds.append((start, start + length))
    (left, right), (top, bottom) = bounds
    return left, top, right, bottom


def _generated_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Return the size to generate a patch at: about as many pixels as the model was made for, up to somewhat more."""
    mean = math.sqrt(size[0] * size[1])
    factor = min(max(mean, side), _LARGEST * side) / mean
    step = VAE_SCALE_FACTOR
    width, height = (max(step, round(length * factor / step) * step) for length in size)
    return width, height


def _filled_by_blur(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Return the image with the masked area filled from its surroundings, sharper towards the edge."""
    known = image.convert("RGBA")
    known.putalpha(mask.point(lambda level: 255 - level))
    filled = Image.new("RGBA", image.size, _mean_colour(image, mask))
    for radius in _BLURS:
        # Premultiplied, so that the masked area adds no colour to the blur.
        blurred = known.convert("RGBa").filter(ImageFilter.BoxBlur(radius * max(image.size)))
        filled.alpha_composite(blurred.convert("RGBA"))
    filled.alpha_composite(known)
    return filled.convert("RGB")


def _mean_colour(image: Image.Image, mask: Image.Image) -> tuple[int, int, int]:
    outside = np.asarray(image)[np.asarray(mask) == 0]
    red, green, blue = outside.mean(axis=0).round().astype(int) if len(outside) else (127, 127, 127)
    return int(red), int(green), int(blue)


def _colour_matched(generated: Image.Image, original: Image.Image, wanted: Image.Image) -> Image.Image:
    """Shift the generated colours to the original ones around the mask: autoencoders shift them, which shows."""
    near = np.asarray(wanted.filter(ImageFilter.BoxBlur(_RING))) > 0
    ring = near & (np.asarray(wanted) == 0)
    if not ring.any():
        return generated
    levels, target = np.asarray(generated, dtype=np.float32), np.asarray(original, dtype=np.float32)
    shift = (target[ring] - levels[ring]).mean(axis=0)
    return Image.fromarray((levels + shift).round().clip(0, 255).astype(np.uint8))
