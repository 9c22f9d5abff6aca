"""Upscalers from model files, in tiles."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lib_ti.errors import BadInput, UserError
from lib_ti.host.embedded.image_tools import upscaling
from lib_ti.host.embedded.image_tools.upscaling import TiledUpscaler, model_files
from tests.host.drawn import noise
from tests.host.embedded.sessions import host_of

CPU = torch.device("cpu")


def blurring(scale: int) -> Any:
    """A network that enlarges and then looks 7 pixels far: what it makes of a place depends on its surroundings."""
    kernel = torch.ones(3, 1, 15, 15) / 225

    def network(tile: torch.Tensor) -> torch.Tensor:
        upscaled = torch.nn.functional.interpolate(tile, scale_factor=scale, mode="nearest")
        padded = torch.nn.functional.pad(upscaled, (7, 7, 7, 7), mode="reflect")
        return torch.nn.functional.conv2d(padded, kernel, groups=3)

    return network


@pytest.mark.parametrize("size", [(30, 70), (96, 32), (33, 31), (32, 32), (5, 9)])
def test_tiles_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    monkeypatch.setattr(upscaling, "_TILE", 32)
    monkeypatch.setattr(upscaling, "_MARGIN", 8)
    upscaler = TiledUpscaler(blurring(2), 2, CPU, torch.float32)
    image = noise(*size)
    levels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255
    whole = (blurring(2)(levels)[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    tiled = np.asarray(upscaler.upscale(image, 2))
    assert np.abs(tiled.astype(int) - whole.astype(int)).max() <= 1


@pytest.mark.parametrize(
    ("factor", "size", "passes"), [(1.5, (30, 45), 1), (2.0, (40, 60), 1), (3.3, (66, 99), 2), (20.0, (400, 600), 3)]
)
def test_images_are_upscaled_to_the_exact_size(factor: float, size: tuple[int, int], passes: int) -> None:
    seen: list[tuple[int, ...]] = []

    def network(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(tile.shape))
        return torch.nn.functional.interpolate(tile, scale_factor=2, mode="nearest")

    upscaled = TiledUpscaler(network, 2, CPU, torch.float32).upscale(noise(20, 30), factor)
    assert (upscaled.size, upscaled.mode, len(seen)) == (size, "RGB", passes)


def test_out_of_memory_is_reported() -> None:
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


def test_a_missing_package_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    image = noise(7, 5)
    for name in ("two", "four"):
        with host_of(tmp_path).tools.upscaler(name, lambda _: None) as upscaler:
            upscaled = upscaler.upscale(image, {"two": 2.0, "four": 4.0}[name])
        assert np.array_equal(np.asarray(upscaled)[:: upscaled.height // 5, :: upscaled.width // 7], np.asarray(image))
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
