from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lib_ti.data.beside.masks import find_masks, read_mask
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.prep.loss_masks import overlay, remove_mask, save_mask


def half(size: tuple[int, int]) -> Image.Image:
    """The right half counts."""
    mask = Image.new("L", size)
    mask.paste(255, (size[0] // 2, 0, *size))
    return mask


def test_a_painted_mask_is_the_one_that_training_reads(tmp_path: Path) -> None:
    image = tmp_path / "a_001.png"
    Image.new("RGB", (64, 64)).save(image)
    path = save_mask(image, half((64, 64)))
    [item] = scan(tmp_path, Rules(64, 64, use_alpha=True)).items
    assert item.mask == path == tmp_path / "a_001-mask.png"
    assert read_mask(path, (64, 64)).tobytes() == half((64, 64)).tobytes()


def test_a_removed_mask_is_kept_aside(tmp_path: Path) -> None:
    image = tmp_path / "a_001.png"
    Image.new("RGB", (64, 64)).save(image)
    assert remove_mask(image) is None
    path = save_mask(image, half((64, 64)))
    data = path.read_bytes()
    for name in ("a_001-mask.png", "a_001-mask-2.png"):
        aside = remove_mask(image)
        assert aside == tmp_path / ".preparation" / "removed" / name
        assert aside.read_bytes() == data
        assert not path.exists()
        save_mask(image, half((64, 64)))


def test_what_does_not_count_is_tinted() -> None:
    image = Image.new("RGB", (64, 32), (100, 100, 100))
    shown = np.asarray(overlay(image, half((16, 8)), strength=0.5))
    assert (shown[:, 40:] == 100).all()
    assert shown[:, :24, 0].min() > 150
    assert shown[:, :24, 1].max() < 80
    assert image.getpixel((0, 0)) == (100, 100, 100)


def test_a_mask_by_another_name_gives_way_to_a_painted_one_and_is_not_lost(tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    Image.new("RGB", (64, 64)).save(image)
    half((64, 64)).save(tmp_path / "a-masklabel.png")
    before = (tmp_path / "a-masklabel.png").read_bytes()
    path = save_mask(image, Image.new("L", (64, 64), 100))
    assert [found.name for found in find_masks(image)] == [path.name]
    assert (tmp_path / ".preparation" / "removed" / "a-masklabel.png").read_bytes() == before
    (tmp_path / "a_mask.png").write_bytes(before)
    remove_mask(image)
    assert find_masks(image) == []
