"""The embedded host's tools: BLIP from a folder, upscalers in tiles, and parts of pictures drawn anew."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from lib_ti.errors import BadInput, UserError
from lib_ti.host.base import SessionOptions
from lib_ti.host.blip_input import pixels
from lib_ti.host.embedded import upscaling
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.tools import CAPTIONER
from lib_ti.host.embedded.upscaling import TiledUpscaler, model_files
from lib_ti.host.inpainted_patch import InpaintedPatch, cut_out, put_back
from lib_ti.pocket import CHECKPOINT
from tests.small_blip import make_blip

CPU = torch.device("cpu")


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def host_of(folder: Path, checkpoint: Path = Path("none.safetensors")) -> EmbeddedHost:
    return EmbeddedHost(
        checkpoint,
        embeddings_folder=folder,
        device="cpu",
        captioner_folder=folder / "BLIP",
        upscalers_folder=folder / "ESRGAN",
    )


# Captioner


@pytest.fixture(scope="session")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BLIP; see :func:`tests.small_blip.make_blip`."""
    folder = tmp_path_factory.mktemp("tools")
    make_blip(folder / "BLIP")
    return folder


def test_pictures_are_captioned_alike_alone_and_together(blip_folder: Path) -> None:
    pictures = [noise(40, 30), noise(64, 200, seed=1), Image.new("RGB", (32, 32), "white")]
    told: list[str] = []
    with host_of(blip_folder).tools.captioner(CAPTIONER, told.append) as captioner:
        together = captioner.caption(pictures)
        alone = [captioner.caption([picture])[0] for picture in pictures]
        assert "BLIP" in captioner.options
    assert together == alone
    assert len(set(together)) > 1
    assert all(caption and "[" not in caption for caption in together)
    assert told == [f"Loading the captioner BLIP from {blip_folder / 'BLIP'}."]


def test_pictures_are_given_in_clips_scale() -> None:
    grey = Image.new("RGB", (30, 20), (127, 0, 255))
    (seen,) = pixels([grey], 16)
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    expected = (np.array([127, 0, 255]) / 255 - mean) / std
    assert seen.shape == (3, 16, 16)
    assert torch.allclose(seen.mean((1, 2)), torch.tensor(expected, dtype=torch.float32), atol=1e-5)


def test_a_captioner_that_is_not_there_is_said_with_its_folder(tmp_path: Path, blip_folder: Path) -> None:
    host = host_of(tmp_path)
    assert host.tools.captioners == (CAPTIONER,)
    with (
        pytest.raises(BadInput, match="no captioner 'deepbooru' here; use BLIP"),
        host.tools.captioner("deepbooru", print),
    ):
        pass
    with pytest.raises(BadInput) as caught, host.tools.captioner(CAPTIONER, print):
        pass
    assert f"in the folder {tmp_path / 'BLIP'}, where there is no config.json, no model.safetensors" in str(
        caught.value
    )
    assert "no tokenizer.json or vocab.txt" in str(caught.value)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model.safetensors", b"\x08\0\0\0\0\0\0\0{}", "is damaged, or not BLIP"),
        ("config.json", b"{", "is damaged, or not BLIP"),
        ("model.safetensors", None, "of its weights are missing"),
    ],
)
def test_a_damaged_captioner_is_refused(
    tmp_path: Path, blip_folder: Path, file: str, content: bytes | None, words: str
) -> None:
    (tmp_path / "BLIP").mkdir()
    for path in (blip_folder / "BLIP").iterdir():
        (tmp_path / "BLIP" / path.name).write_bytes(path.read_bytes())
    if content is None:
        save_file({"some.weight": torch.zeros(1)}, tmp_path / "BLIP" / file, metadata={"format": "pt"})
    else:
        (tmp_path / "BLIP" / file).write_bytes(content)
    with pytest.raises(BadInput, match=words), host_of(tmp_path).tools.captioner(CAPTIONER, lambda _: None):
        pass


# Upscalers


def blurring(scale: int) -> Any:
    """A network that enlarges and then looks 7 pixels far: what it makes of a place depends on its surroundings."""
    kernel = torch.ones(3, 1, 15, 15) / 225

    def network(tile: torch.Tensor) -> torch.Tensor:
        enlarged = torch.nn.functional.interpolate(tile, scale_factor=scale, mode="nearest")
        padded = torch.nn.functional.pad(enlarged, (7, 7, 7, 7), mode="reflect")
        return torch.nn.functional.conv2d(padded, kernel, groups=3)

    return network


@pytest.mark.parametrize("size", [(30, 70), (96, 32), (33, 31), (32, 32), (5, 9)])
def test_tiles_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setattr(upscaling, "_TILE", 32)
    monkeypatch.setattr(upscaling, "_MARGIN", 8)
    upscaler = TiledUpscaler(blurring(2), 2, CPU, torch.float32)
    picture = noise(*size)
    levels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 255
    whole = (blurring(2)(levels)[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    tiled = np.asarray(upscaler.upscale(picture, 2))
    assert np.abs(tiled.astype(int) - whole.astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("factor", "size", "passes"), [(1.5, (30, 45), 1), (2.0, (40, 60), 1), (3.3, (66, 99), 2), (20.0, (400, 600), 3)]
)
def test_pictures_are_enlarged_to_the_pixel(factor: float, size: tuple[int, int], passes: int) -> None:
    seen: list[tuple[int, ...]] = []

    def network(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(tile.shape))
        return torch.nn.functional.interpolate(tile, scale_factor=2, mode="nearest")

    enlarged = TiledUpscaler(network, 2, CPU, torch.float32).upscale(noise(20, 30), factor)
    assert (enlarged.size, enlarged.mode, len(seen)) == (size, "RGB", passes)


def test_full_memory_is_said() -> None:
    def network(tile: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(UserError, match="Out of memory while upscaling.*use Lanczos"):
        TiledUpscaler(network, 2, CPU, torch.float32).upscale(noise(20, 30), 2)


def test_upscalers_are_the_model_files_of_a_folder(tmp_path: Path) -> None:
    assert host_of(tmp_path).tools.upscalers == ()
    (tmp_path / "ESRGAN").mkdir()
    for name in ("b.pth", "A.safetensors", "b.safetensors", "notes.txt"):
        (tmp_path / "ESRGAN" / name).write_bytes(b"")
    assert host_of(tmp_path).tools.upscalers == ("A", "b")
    assert model_files(tmp_path / "ESRGAN")["b"].suffix == ".safetensors"
    with (
        pytest.raises(BadInput, match=f"'c' in the folder {tmp_path / 'ESRGAN'}; there are A, b, or use Lanczos"),
        host_of(tmp_path).tools.upscaler("c", print),
    ):
        pass


def test_a_missing_package_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    (tmp_path / "ESRGAN").mkdir()
    save_file({"a": torch.zeros(1)}, tmp_path / "ESRGAN" / "good.safetensors")
    with (
        pytest.raises(BadInput, match=r"good\.safetensors needs the package spandrel.*use Lanczos"),
        host_of(tmp_path).tools.upscaler("good", lambda _: None),
    ):
        pass


class FakeSpandrel(ModuleType):
    """As much of the package as is used, with a model that the weights name: the real one is used in the WebUI."""

    class UnsupportedModelError(Exception):
        pass

    class ImageModelDescriptor:
        input_channels = output_channels = 3
        supports_half = True

        def __init__(self, scale: int) -> None:
            self.scale = scale
            self.architecture = type("Architecture", (), {"name": "ESRGAN"})
            self.model = torch.nn.Identity()

        def __call__(self, tile: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.interpolate(tile, scale_factor=self.scale, mode="nearest")

    class ModelLoader:
        def __init__(self, device: torch.device) -> None:
            pass

        def load_from_state_dict(self, weights: dict[str, torch.Tensor]) -> FakeSpandrel.ImageModelDescriptor:
            if "scale" not in weights:
                raise FakeSpandrel.UnsupportedModelError
            return FakeSpandrel.ImageModelDescriptor(int(weights["scale"]))

    @staticmethod
    def canonicalize_state_dict(weights: dict[str, Any]) -> dict[str, Any]:
        inner: dict[str, Any] = weights.get("params_ema", weights)
        return inner


def test_model_files_are_read_and_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", FakeSpandrel("spandrel"))
    folder = tmp_path / "ESRGAN"
    folder.mkdir()
    save_file({"scale": torch.tensor(2)}, folder / "two.safetensors")
    torch.save({"params_ema": {"scale": torch.tensor(4)}}, folder / "four.pth")
    save_file({"scale": torch.tensor(1)}, folder / "same size.safetensors")
    save_file({"other": torch.tensor(1)}, folder / "other.safetensors")
    (folder / "damaged.safetensors").write_bytes(b"\0" * 99)
    (folder / "damaged.pth").write_bytes(b"\0" * 99)
    torch.save([1], folder / "list.pth")
    picture = noise(7, 5)
    for name in ("two", "four"):
        with host_of(tmp_path).tools.upscaler(name, lambda _: None) as upscaler:
            enlarged = upscaler.upscale(picture, {"two": 2.0, "four": 4.0}[name])
        assert np.array_equal(
            np.asarray(enlarged)[:: enlarged.height // 5, :: enlarged.width // 7], np.asarray(picture)
        )
    for name, words in (
        ("same size", "does not upscale images"),
        ("other", "no upscaler that spandrel knows"),
        ("damaged", "truncated or damaged"),
        ("list", "no table of weights"),
    ):
        with pytest.raises(BadInput, match=words), host_of(tmp_path).tools.upscaler(name, lambda _: None):
            pass
    (folder / "damaged.safetensors").unlink()
    with (
        pytest.raises(BadInput, match=r"damaged\.pth is damaged"),
        host_of(tmp_path).tools.upscaler("damaged", lambda _: None),
    ):
        pass


# Filling


def painted(size: tuple[int, int], *boxes: Sequence[int]) -> Image.Image:
    mask = Image.new("L", size)
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(tuple(box), fill=255)
    return mask


@pytest.mark.parametrize(
    ("size", "box", "place", "drawn"),
    [
        ((640, 480), (300, 200, 329, 219), (187, 82, 443, 338), (256, 256)),  # small: as much as the model draws
        ((640, 480), (0, 0, 9, 9), (0, 0, 256, 256), (256, 256)),  # at the border
        ((2000, 1500), (500, 500, 1499, 999), (0, 250, 2000, 1250), (544, 272)),  # large: reduced
        ((4000, 3000), (0, 100, 3999, 159), (0, 2, 4000, 258), (1520, 96)),  # a line of text across
        ((100, 60), (10, 10, 19, 19), (0, 0, 100, 60), (328, 200)),  # a small picture: enlarged
    ],
)
def test_a_patch_is_as_large_as_what_the_model_draws(
    size: tuple[int, int], box: tuple[int, ...], place: tuple[int, ...], drawn: tuple[int, int]
) -> None:
    patch = cut_out(noise(*size), painted(size, box), 256)
    assert patch is not None
    assert (patch.box, patch.image.size, patch.mask.size) == (place, drawn, drawn)


def test_a_patch_covers_whole_cells_and_hides_what_is_to_go() -> None:
    picture = Image.new("RGB", (128, 128), (10, 200, 30))
    ImageDraw.Draw(picture).rectangle((40, 43, 70, 60), fill=(255, 0, 255))
    patch = cut_out(picture, painted(picture.size, (40, 43, 70, 60)), 128)
    assert patch is not None
    covered = np.asarray(patch.mask).reshape(16, 8, 16, 8).transpose(0, 2, 1, 3).reshape(16, 16, 64)
    assert set(covered.min(2).ravel()) | set(covered.max(2).ravel()) == {0, 255}
    assert np.array_equal(covered.min(2), covered.max(2))
    assert (np.asarray(patch.mask)[43:61, 40:71] == 255).all()
    assert np.abs(np.asarray(patch.image).astype(int) - (10, 200, 30)).max() <= 2


def test_nothing_but_the_part_is_taken_and_in_the_tone_of_the_picture() -> None:
    picture = noise(90, 70)
    mask = painted(picture.size, (30, 20, 49, 39)).point(lambda level: level or 127)
    patch = cut_out(picture, mask, 64)
    assert patch is not None
    brighter = Image.fromarray((np.asarray(patch.image) * 0.8 + 20).astype(np.uint8))
    result = np.asarray(put_back(picture, mask, patch, brighter))
    inside = np.asarray(mask) > 127
    assert np.array_equal(result[~inside], np.asarray(picture)[~inside])
    assert not np.array_equal(result[inside], np.asarray(picture)[inside])
    flat = Image.new("RGB", (64, 64), (100, 100, 100))
    part = painted(flat.size, (20, 20, 40, 40))
    shifted = InpaintedPatch((0, 0, 64, 64), flat, part)
    assert put_back(flat, part, shifted, Image.new("RGB", (64, 64), (90, 104, 99))).tobytes() == flat.tobytes()
    assert cut_out(picture, Image.new("L", picture.size, 127), 64) is None


def test_a_part_that_is_reduced_to_less_than_a_pixel_is_drawn() -> None:
    patch = cut_out(noise(800, 800), painted((800, 800), (0, 0, 799, 9), (400, 400, 400, 400)), 64)
    assert patch is not None
    assert patch.image.size == (96, 96)
    assert patch.mask.getpixel((48, 48)) == 255


def test_parts_are_drawn_by_seed_and_prompt(tmp_path: Path) -> None:
    host = host_of(tmp_path, CHECKPOINT)
    picture, mask = noise(60, 44), painted((60, 44), (20, 10, 40, 30))
    told: list[str] = []
    state = torch.get_rng_state()
    assert host.tools.can_inpaint
    with host.tools.inpainter(told.append) as inpainter:
        first, again = (inpainter.fill(picture, mask, prompt="", seed=1) for _ in range(2))
        seed, prompt = (
            inpainter.fill(picture, mask, prompt=words, seed=number) for words, number in (("", 2), ("a red cross", 1))
        )
        unpainted = inpainter.fill(picture, Image.new("L", picture.size), prompt="", seed=1)
        with pytest.raises(BadInput, match="seed -1 is not between"):
            inpainter.fill(picture, mask, prompt="", seed=-1)
        with pytest.raises(UserError, match="is in use"), host.models.session(SessionOptions()):
            pass
    assert first.tobytes() == again.tobytes()
    assert len({one.tobytes() for one in (picture, first, seed, prompt)}) == 4
    assert unpainted.tobytes() == picture.tobytes()
    outside = np.asarray(mask) == 0
    assert all(np.array_equal(np.asarray(one)[outside], np.asarray(picture)[outside]) for one in (first, prompt))
    assert "generates images of 64 pixels" in told[0]
    assert torch.equal(torch.get_rng_state(), state)
