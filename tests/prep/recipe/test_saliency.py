"""The default frame, on photographs and on drawn images whose subject is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import sklearn.datasets
from PIL import Image, ImageDraw

from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.recipe import saliency as module
from lib_ti.prep.recipe.saliency import FaceDetector, best_crop_box, saliency

PHOTOGRAPHS = {
    "astronaut": skimage.data.astronaut,
    "rocket": skimage.data.rocket,
    "coffee": skimage.data.coffee,
    "china": lambda: sklearn.datasets.load_sample_image("china.jpg"),
    "flower": lambda: sklearn.datasets.load_sample_image("flower.jpg"),
    "chelsea": skimage.data.chelsea,
}
SUBJECTS = [
    # Where the subject is, found by eye: (left, top, right, bottom) in shares of the image.
    ("rocket", (1, 2), (0.43, 0.35, 0.48, 0.95)),
    ("rocket", (1, 1), (0.43, 0.35, 0.48, 0.95)),
    ("china", (1, 1), (0.2, 0.1, 0.58, 0.85)),
    ("china", (1, 2), (0.25, 0.2, 0.48, 0.8)),
    ("flower", (1, 1), (0.26, 0.2, 0.6, 0.78)),
    ("coffee", (1, 1), (0.28, 0.05, 0.62, 0.9)),
    ("coffee", (2, 1), (0.28, 0.3, 0.62, 0.9)),
    ("chelsea", (1, 1), (0.36, 0.3, 0.85, 0.85)),
    ("astronaut", (2, 1), (0.37, 0.1, 0.52, 0.33)),
    ("astronaut", (1, 2), (0.37, 0.1, 0.52, 0.33)),
]


def framed(image: Image.Image, shape: tuple[int, int], **layers: Image.Image) -> CropBox:
    piece = LayeredImage(image, layers.get("alpha"), layers.get("mask"), "")
    return best_crop_box(saliency(piece, FaceDetector()), image.size, shape)


@pytest.mark.parametrize(("name", "shape", "subject"), SUBJECTS)
def test_the_crop_box_holds_the_subject_of_a_photograph(
    name: str, shape: tuple[int, int], subject: tuple[float, float, float, float]
) -> None:
    image = Image.fromarray(PHOTOGRAPHS[name]())
    frame = framed(image, shape)
    left, top, right, bottom = subject
    assert frame.x <= left + 0.01 and right <= frame.x + frame.width + 0.01
    assert frame.y <= top + 0.01 and bottom <= frame.y + frame.height + 0.01


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.8, 0.9])
@pytest.mark.parametrize("upright", [False, True])
def test_the_crop_box_follows_a_drawn_subject(place: float, upright: bool) -> None:
    rng = np.random.default_rng(1)
    image = Image.new("RGB", (900, 300), (90, 120, 150))
    texture = Image.fromarray(rng.integers(0, 255, (120, 120, 3), dtype=np.uint8))
    image.paste(texture, (round(900 * place) - 60, 90))
    image = image.transpose(Image.Transpose.ROTATE_270) if upright else image
    frame = framed(image, (1, 1))
    start, length = (frame.y, frame.height) if upright else (frame.x, frame.width)
    assert length == pytest.approx(1 / 3)
    assert start <= place - 60 / 900 + 0.01
    assert place + 60 / 900 - 0.01 <= start + length


def test_an_even_image_is_cropped_in_the_middle() -> None:
    assert framed(Image.new("RGB", (300, 100), "grey"), (1, 1)).x == pytest.approx(1 / 3, abs=0.01)
    assert framed(Image.new("RGB", (100, 300), "grey"), (1, 1)).y == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize("layer", ["alpha", "mask"])
def test_what_is_transparent_or_masked_does_not_stand_out(layer: str) -> None:
    image = Image.new("RGB", (900, 300), "white")
    draw = ImageDraw.Draw(image)
    for number in range(0, 200, 8):
        draw.line((number, 0, number, 300), "black", 3)  # loud, on the left
    draw.ellipse((700, 100, 800, 200), "red")
    assert framed(image, (1, 1)).x < 0.2
    counts = Image.new("L", (900, 300), 0)
    counts.paste(255, (500, 0, 900, 300))
    assert framed(image, (1, 1), **{layer: counts}).x > 0.5


def test_faces_are_counted_where_they_are_and_nowhere_else() -> None:
    found = {
        name: saliency(LayeredImage(Image.fromarray(load()), None, None, ""), FaceDetector()).faces
        for name, load in PHOTOGRAPHS.items()
    }
    assert found.pop("astronaut") == 1
    assert set(found.values()) == {0}


def test_without_the_detector_the_rest_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module.cv2.data, "haarcascades", str(tmp_path))
    seen = saliency(LayeredImage(Image.fromarray(skimage.data.astronaut()), None, None, ""), FaceDetector())
    assert seen.faces is None
    assert seen.map.max() > 0


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2000, 3), (9, 9)])
def test_tiny_and_narrow_images_are_cropped_too(size: tuple[int, int]) -> None:
    frame = framed(Image.new("RGB", size, "red"), (1, 1))
    assert frame.x >= 0 and frame.x + frame.width <= 1 + 1e-9
