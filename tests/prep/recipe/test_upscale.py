from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lib_ti.data.images.decode import fill_and_crop
from lib_ti.prep.layered_image import LayeredImage
from lib_ti.prep.recipe.upscale import ImageUpscaler, resize_to
from tests.fakes import FakeUpscaler


class Watched(FakeUpscaler):
    """Remembers factors, and how many callers it had at most at one time."""

    def __init__(self) -> None:
        self.factors: list[float] = []
        self.at_once = 0
        self._callers: list[int] = []

    def upscale(self, image: Image.Image, factor: float) -> Image.Image:
        self._callers.append(threading.get_ident())
        self.at_once = max(self.at_once, len(self._callers))
        self.factors.append(factor)
        time.sleep(0.005)
        self._callers.remove(threading.get_ident())
        return super().upscale(image, factor)


def drawn(size: tuple[int, int]) -> LayeredImage:
    rng = np.random.default_rng(0)
    blocks = Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)).resize(size, Image.Resampling.NEAREST)
    return LayeredImage(blocks, blocks.getchannel("R"), blocks.getchannel("G"), "")


def test_a_small_crop_is_upscaled_only_as_far_as_needed() -> None:
    upscaler = Watched()
    result = resize_to(drawn((100, 101)), (512, 512), ImageUpscaler("Nearest", upscaler))
    assert upscaler.factors == [5.12]
    assert result.image.size == result.alpha.size == result.mask.size == (512, 512)
    assert result.record == ({"operation": "upscale", "by": "Nearest", "factor": 5.12},)


def test_transparency_and_mask_stay_aligned_with_the_upscaled_image() -> None:
    result = resize_to(drawn((64, 64)), (256, 256), ImageUpscaler("Nearest", Watched()))
    for layer, channel in ((result.alpha, "R"), (result.mask, "G")):
        difference = np.abs(np.asarray(layer, int) - np.asarray(result.image.getchannel(channel), int))
        assert difference.mean() < 6  # edges are softer than those of the upscaler, and at the same places


def test_without_an_upscaler_lanczos_upscales_in_one_step() -> None:
    piece = drawn((100, 90))
    result = resize_to(piece, (256, 256), ImageUpscaler())
    assert result.image.tobytes() == fill_and_crop(piece.image, 256, 256).tobytes()
    assert result.record[0]["by"] == "Lanczos"


def test_larger_crops_are_downscaled_without_an_upscaler() -> None:
    upscaler = Watched()
    result = resize_to(drawn((600, 700)), (512, 512), ImageUpscaler("Nearest", upscaler))
    assert not upscaler.factors
    assert result.record == ({"operation": "downscale", "to": [512, 512]},)


def test_a_crop_of_the_right_size_is_unchanged() -> None:
    piece = drawn((64, 64))
    assert resize_to(piece, (64, 64), ImageUpscaler()) is piece


def test_an_upscaler_is_called_by_one_thread_at_a_time() -> None:
    watched = Watched()
    upscaler = ImageUpscaler("Nearest", watched)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: resize_to(drawn((50, 50)), (60, 60), upscaler), range(12)))
    assert len(watched.factors) == 12
    assert watched.at_once == 1


@pytest.mark.parametrize("mode", ["RGBA", "L"])
def test_upscaler_output_is_converted_to_rgb_of_the_size(mode: str) -> None:
    class Odd:
        def upscale(self, image: Image.Image, factor: float) -> Image.Image:
            return image.resize((130, 127)).convert(mode)

    result = resize_to(drawn((64, 64)), (128, 128), ImageUpscaler("odd", Odd()))
    assert (result.image.mode, result.image.size) == ("RGB", (128, 128))
