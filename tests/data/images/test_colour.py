"""Colour profiles: the right value is what Pillow's own colour management makes of the image."""

from __future__ import annotations

import io
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from lib_ti.data.dataset import Rules
from lib_ti.data.images.decode import open_image
from lib_ti.data.scan import scan

SRGB = ImageCms.createProfile("sRGB")
PROPHOTO = ((0.79767, 0.28804, 0), (0.13519, 0.71188, 0), (0.03134, 0.00009, 0.8249))
BT709_D50 = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))


def profile(primaries=PROPHOTO, gamma: float = 1.8, *, grey: bool = False, padding: int = 0) -> bytes:
    """A minimal ICC version 2 display profile (ICC.1:2001-04)."""

    def fixed(*values: float) -> bytes:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(78 + padding),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249),
    }
    if grey:
        tags[b"kTRC"] = curve
    else:
        tags |= {
            bytes([letter]) + b"XYZ": b"XYZ \0\0\0\0" + fixed(*xyz)
            for letter, xyz in zip(b"rgb", primaries, strict=True)
        }
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        value = content + bytes(-len(content) % 4)
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(value))
        data += value
    kind = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(data), b"none", 0x02100000, b"mntr", kind, b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + data


def sample_image(mode: str) -> Image.Image:
    ramps = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    return Image.fromarray(ramps).convert(mode)


def reference(image: Image.Image, icc: bytes) -> np.ndarray:
    own = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return np.asarray(ImageCms.profileToProfile(image, own, SRGB, outputMode="RGB"), dtype=int)


def opened(path: Path, **options) -> np.ndarray:
    return np.asarray(open_image(path, **options).image, dtype=int)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_wide_gamut_images_become_srgb(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"wide{suffix}"
    image = sample_image("RGB")
    image.save(path, icc_profile=profile(), **({"lossless": True} if suffix == ".webp" else {}))
    assert abs(opened(path) - reference(image, profile())).max() <= 2
    assert abs(opened(path) - np.asarray(image, dtype=int)).max() > 40


def test_the_usual_case_has_the_colour_of_the_colour_management(tmp_path: Path) -> None:
    image = Image.new("RGB", (16, 16), (150, 120, 100))
    image.save(tmp_path / "wide.png", icc_profile=profile())
    assert abs(opened(tmp_path / "wide.png") - reference(image, profile())).max() <= 2


def test_grey_images_follow_a_grey_profile(tmp_path: Path) -> None:
    image = sample_image("L")
    icc = profile(gamma=1.0, grey=True)
    image.save(tmp_path / "grey.png", icc_profile=icc)
    assert abs(opened(tmp_path / "grey.png") - reference(image, icc)).max() <= 2


def test_grey_images_follow_the_profile_of_an_rgb_image(tmp_path: Path) -> None:
    image = sample_image("L")
    image.save(tmp_path / "grey.png", icc_profile=profile())
    assert abs(opened(tmp_path / "grey.png") - reference(image.convert("RGB"), profile())).max() <= 2


def test_16_bit_grey_keeps_its_depth_until_it_is_converted(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.uint16)[None].repeat(8, axis=0)
    icc = profile(gamma=1.0, grey=True)
    Image.fromarray(levels * 257).save(tmp_path / "deep.png", icc_profile=icc)
    expected = reference(Image.fromarray(levels.astype(np.uint8)), icc)
    assert abs(opened(tmp_path / "deep.png") - expected).max() <= 2


def test_transparent_images_are_converted_and_keep_their_transparency(tmp_path: Path) -> None:
    image = sample_image("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(tmp_path / "a.png", icc_profile=profile())
    found = open_image(tmp_path / "a.png", with_alpha=True)
    assert abs(np.asarray(found.image, dtype=int) - reference(image.convert("RGB"), profile())).max() <= 2
    assert found.alpha is not None
    assert found.alpha.tobytes() == image.getchannel("A").tobytes()


def test_palettes_are_converted(tmp_path: Path) -> None:
    image = sample_image("RGB").quantize(16)
    image.save(tmp_path / "a.png", icc_profile=profile())
    assert abs(opened(tmp_path / "a.png") - reference(image.convert("RGB"), profile())).max() <= 2


@pytest.mark.parametrize("icc", [ImageCms.ImageCmsProfile(SRGB).tobytes(), profile(BT709_D50, 2.2)])
def test_a_profile_of_srgb_is_recognised_or_at_least_right(tmp_path: Path, icc: bytes) -> None:
    image = sample_image("RGB")
    image.save(tmp_path / "a.png", icc_profile=icc)
    assert abs(opened(tmp_path / "a.png") - reference(image, icc)).max() <= 2


def test_an_srgb_profile_changes_no_bit(tmp_path: Path) -> None:
    image = sample_image("RGB")
    image.save(tmp_path / "a.png", icc_profile=ImageCms.ImageCmsProfile(SRGB).tobytes())
    assert open_image(tmp_path / "a.png").image.tobytes() == image.tobytes()


def test_an_srgb_profile_costs_next_to_nothing(tmp_path: Path) -> None:
    image = sample_image("RGB").resize((1024, 1024))
    image.save(tmp_path / "plain.jpg")
    image.save(tmp_path / "srgb.jpg", icc_profile=ImageCms.ImageCmsProfile(SRGB).tobytes())

    def seconds(name: str) -> float:
        start = time.thread_time()
        open_image(tmp_path / name)
        return time.thread_time() - start

    # In turn, and the least counts: other programs only ever add to a time.
    times = [(seconds("plain.jpg"), seconds("srgb.jpg")) for _ in range(12)]
    plain, srgb = (min(one) for one in zip(*times, strict=True))
    assert srgb < 1.5 * plain


@pytest.mark.parametrize(
    ("mode", "icc"),
    [("RGB", b"nonsense"), ("RGB", profile()[:200]), ("RGB", profile(grey=True)), ("CMYK", profile())],
)
def test_an_unusable_profile_is_reported_and_the_image_is_used(tmp_path: Path, mode: str, icc: bytes) -> None:
    sample_image(mode).save(tmp_path / "a.tif", icc_profile=icc)
    found = scan(tmp_path, Rules(32, 24))
    assert found.notes[-1] == "a.tif: its colour profile is damaged and not used."
    assert abs(opened(tmp_path / "a.tif") - np.asarray(sample_image(mode).convert("RGB"), dtype=int)).max() <= 2


def test_a_profile_too_long_for_a_png_is_named_and_the_image_used(tmp_path: Path) -> None:
    sample_image("RGB").save(tmp_path / "a.png", icc_profile=profile(padding=2 << 20))
    found = scan(tmp_path, Rules(32, 24))
    assert found.notes[-1] == "a.png: its colour profile is damaged and not used."


def test_lab_images_are_read(tmp_path: Path) -> None:
    image = sample_image("RGB").resize((4, 4), Image.Resampling.BOX).resize((32, 32), Image.Resampling.BICUBIC)
    lab = ImageCms.createProfile("LAB")
    ImageCms.profileToProfile(image, SRGB, lab, outputMode="LAB").save(tmp_path / "a.tif")
    assert abs(opened(tmp_path / "a.tif") - np.asarray(image, dtype=int)).max() <= 12
