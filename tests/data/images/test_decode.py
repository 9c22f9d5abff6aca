from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from lib_ti.data.images import decode as images
from lib_ti.data.images.decode import UnreadableImage, fill_and_crop, open_image, read_header

HALVES = Image.new("RGB", (40, 20), (200, 30, 30))
HALVES.paste((30, 30, 200), (20, 0, 40, 20))  # red on the left, blue on the right


def corner(image: Image.Image) -> tuple[int, ...]:
    return image.getpixel((2, 2))


def near(colour: tuple[int, ...], wanted: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(colour, wanted, strict=True))


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.png", "P"),
        ("a.png", "RGBA"),
        ("a.jpg", "RGB"),
        ("a.jpg", "CMYK"),
        ("a.webp", "RGB"),
        ("a.bmp", "RGB"),
        ("a.gif", "P"),
        ("a.tif", "RGB"),
        ("a.tif", "CMYK"),
        ("a.tga", "RGB"),
        ("a.jpg", "YCbCr"),
    ],
)
def test_every_image_mode_is_decoded_to_its_colours(tmp_path: Path, name: str, mode: str) -> None:
    HALVES.convert(mode).save(tmp_path / name)
    image = open_image(tmp_path / name).image
    assert (image.mode, image.size) == ("RGB", (40, 20))
    assert near(corner(image), (200, 30, 30), 25)
    assert near(image.getpixel((37, 2)), (30, 30, 200), 25)


@pytest.mark.parametrize("mode", ["L", "1", "LA", "I;16", "I", "F"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_of_any_depth_keeps_its_level(tmp_path: Path, mode: str, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    level = 255 if mode == "1" else 100
    if mode in ("I;16", "I"):
        grey = np.full((8, 8), level * 257, dtype=np.uint16 if mode == "I;16" else np.int32)
    elif mode == "F":
        grey = np.full((8, 8), level / 255, dtype=np.float32)
    else:
        grey = np.full((8, 8), level, dtype=np.uint8)
    image = Image.fromarray(grey)
    if suffix == ".png" and mode == "F":
        pytest.skip("PNG has no floats")
    (image if mode in ("I;16", "I", "F") else image.convert(mode)).save(path)
    assert near(corner(open_image(path).image), (level,) * 3, 1)


def test_cmyk_with_a_profile_of_another_kind_is_still_read(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    HALVES.convert("CMYK").save(tmp_path / "a.jpg", icc_profile=srgb)
    HALVES.convert("CMYK").save(tmp_path / "b.jpg", icc_profile=b"nonsense")
    for name in ("a.jpg", "b.jpg"):
        assert near(corner(open_image(tmp_path / name).image), (200, 30, 30), 25)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path: Path, suffix: str, orientation: int) -> None:
    back = {value: value for value in range(1, 9)} | {6: 8, 8: 6}
    stored = HALVES if orientation == 1 else HALVES.transpose(images._TURNS[back[orientation]])
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    stored.save(path, exif=exif)
    assert read_header(path).size == (40, 20)
    image = open_image(path).image
    assert image.size == (40, 20)
    assert near(corner(image), (200, 30, 30), 25)
    assert near(image.getpixel((37, 17)), (30, 30, 200), 25)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_is_no_reason_to_refuse(tmp_path: Path) -> None:
    HALVES.save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert open_image(tmp_path / "a.jpg").image.size == (40, 20)


def transparent() -> Image.Image:
    image = HALVES.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((40, 20)))  # transparent above, opaque below
    return image


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_transparency_is_laid_over_white(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    transparent().save(path, **({"lossless": True, "exact": True} if suffix == ".webp" else {}))
    image = open_image(path)
    assert image.alpha is None
    assert near(image.image.getpixel((2, 0)), (255, 255, 255))
    assert near(image.image.getpixel((2, 19)), (200, 30, 30))


def test_requested_transparency_is_returned_separately(tmp_path: Path) -> None:
    transparent().save(tmp_path / "a.png")
    image = open_image(tmp_path / "a.png", with_alpha=True)
    assert image.alpha is not None
    assert (image.alpha.mode, image.alpha.size) == ("L", (40, 20))
    assert image.alpha.getpixel((2, 0)) < 12
    assert near(image.image.getpixel((2, 0)), (200, 30, 30), 1)
    HALVES.save(tmp_path / "b.png")
    assert open_image(tmp_path / "b.png", with_alpha=True).alpha is None


def test_a_palette_with_a_transparent_colour_is_laid_over_white(tmp_path: Path) -> None:
    palette = HALVES.convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    palette.save(tmp_path / "a.gif", transparency=palette.getpixel((2, 2)))
    palette.save(tmp_path / "a.png", transparency=palette.getpixel((2, 2)))
    for name in ("a.gif", "a.png"):
        assert corner(open_image(tmp_path / name).image) == (255, 255, 255)
        assert read_header(tmp_path / name).has_alpha


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif"])
def test_the_first_frame_of_several_is_used_and_reported(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    HALVES.save(path, save_all=True, append_images=[Image.new("RGB", (40, 20), "green")])
    assert "several frames" in str(read_header(path).remarks)
    assert near(corner(open_image(path).image), (200, 30, 30), 25)


@pytest.mark.parametrize(
    ("name", "damage", "reason"),
    [
        ("a.png", lambda data: data[: len(data) // 2], "cut off"),
        ("a.jpg", lambda data: data[: len(data) // 2], "cut off"),
        ("a.webp", lambda data: data[: len(data) // 2], ""),
        ("a.gif", lambda data: data[: len(data) // 2], "cut off"),
        ("a.png", lambda data: b"hello, I am text", "not an image of a known kind"),
        ("a.heic", lambda data: b"\0\0\0\x18ftypheic", "save it as PNG or JPEG"),
        ("a.png", lambda data: data[:80] + bytes(200) + data[280:], ""),
    ],
)
def test_a_broken_image_is_refused_with_a_reason(tmp_path: Path, name: str, damage, reason: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    good = io.BytesIO()
    noise.save(good, {"a.jpg": "JPEG", "a.webp": "WEBP", "a.gif": "GIF"}.get(name, "PNG"))
    (tmp_path / name).write_bytes(damage(good.getvalue()))
    with pytest.raises(UnreadableImage) as caught:
        open_image(tmp_path / name)
    assert reason in caught.value.reason
    assert str(tmp_path / name) in str(caught.value)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    HALVES.save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnreadableImage, match="too many pixels"):
        open_image(tmp_path / "a.png")


def test_camera_raw_is_not_taken_for_its_thumbnail(tmp_path: Path) -> None:
    HALVES.save(tmp_path / "a.nef", "TIFF")
    with pytest.raises(UnreadableImage, match="save it as PNG or JPEG"):
        read_header(tmp_path / "a.nef")


def test_filling_crops_both_sides_alike_and_does_not_squash() -> None:
    square = fill_and_crop(HALVES, 16, 16)
    assert square.size == (16, 16)
    assert near(square.getpixel((1, 8)), (200, 30, 30))
    assert near(square.getpixel((14, 8)), (30, 30, 200))
    circle = Image.new("L", (300, 100), 0)
    circle.paste(255, (125, 25, 175, 75))  # a square of half the height in the middle
    small = np.asarray(fill_and_crop(circle, 64, 64)) > 128
    assert small.any(0).sum() == small.any(1).sum() == 32


@pytest.mark.parametrize("source", [(64, 64), (65, 64), (1000, 10), (3, 500), (1, 1), (999, 777)])
@pytest.mark.parametrize("size", [(64, 64), (96, 40), (40, 96)])
def test_filling_works_for_all_shapes(source: tuple[int, int], size: tuple[int, int]) -> None:
    assert fill_and_crop(Image.new("RGB", source, "red"), *size).getextrema() == ((255, 255), (0, 0), (0, 0))


def test_an_image_of_the_right_size_is_unchanged() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8))
    assert fill_and_crop(noise, 48, 64).tobytes() == noise.tobytes()


def test_enlargement_is_the_factor_of_upscaling() -> None:
    assert images.enlargement((32, 64), (64, 64)) == 2
    assert images.enlargement((640, 128), (64, 64)) == 0.5


def test_keeping_the_size_crops_to_multiples_of_8_pixel_for_pixel() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 53, 3), dtype=np.uint8))
    size = images.multiple_of_8(noise.size)
    assert size == (48, 64)
    kept = images.crop_centre(noise, *size)
    assert kept.tobytes() == noise.crop((2, 3, 50, 67)).tobytes()


def test_a_large_jpeg_is_decoded_smaller_but_large_enough_and_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    large = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((1600, 1200))
    exif = Image.Exif()
    exif[0x0112] = 6
    large.save(tmp_path / "a.jpg", quality=95, exif=exif)
    reduced = open_image(tmp_path / "a.jpg", cover=(128, 192)).image
    assert reduced.width < 1200
    assert reduced.width >= 2 * 128
    assert reduced.height >= 2 * 192
    quick = np.asarray(fill_and_crop(reduced, 128, 192), dtype=float)
    full = np.asarray(fill_and_crop(open_image(tmp_path / "a.jpg").image, 128, 192), dtype=float)
    assert np.abs(quick - full).mean() < 1.5


def test_pixels_are_in_the_models_range() -> None:
    image = Image.new("RGB", (3, 2), (255, 0, 51))
    pixels = images.to_pixels(image)
    assert (pixels.shape, pixels.dtype) == ((3, 2, 3), torch.float32)
    assert pixels.is_contiguous()
    assert pixels[:, 0, 0].tolist() == pytest.approx([1.0, -1.0, 51 / 127.5 - 1])
