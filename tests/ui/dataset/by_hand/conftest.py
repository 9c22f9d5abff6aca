"""A page with photographs, for the steps Crop, Remove and Masks; needs what :mod:`tests.ui.browser` needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_ti.config import PrepareConfig
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from tests.prep.photographs import letter, photograph
from tests.ui.browser import By, Keys, Page, serving

pytest.importorskip("selenium", reason="the package selenium is not installed")

from selenium.webdriver import ActionChains

SIZE = 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crop")


@pytest.fixture(scope="module")
def found(folder: Path) -> Path:
    """Photographs of several shapes, one with text on it, one that is partly transparent."""
    found = folder / "found"
    found.mkdir()
    for name in ("china", "chelsea", "motorcycle", "rocket"):
        photograph(name).save(found / f"{name}.png")
    with_text = letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold")
    with_text(photograph("coffee")).save(found / "coffee.png")
    image = photograph("astronaut").copy()
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 100, 512))
    image.putalpha(alpha)
    image.save(found / "astronaut.png")
    return found


@pytest.fixture(scope="module")
def page(folder: Path, found: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        try:
            choose(made, found)
            yield made
        finally:
            made.driver.quit()


def choose(page: Page, found: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.says("ti_dataset_overview", found.name)
    page.unfold("Prepared folder and image size")
    page.fill("ti_prepare_width", str(SIZE))
    page.fill("ti_prepare_height", str(SIZE))


def config(found: Path) -> PrepareConfig:
    output = found.with_name("found-prepared")
    return PrepareConfig(source=str(found), output=str(output), width=SIZE, height=SIZE)


def decided(found: Path) -> dict[str, Any]:
    """What is in the manifest by the images' names."""
    edits = read_manifest(PreparedFolder(Path(config(found).output))).edits
    return {one.name: one for one in edits.by_digest.values()}


def undo(page: Page) -> None:
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()


def kept(found: Path, name: str) -> list[list[float]]:
    """An image's crop boxes in the manifest."""
    return [[one.x, one.y, one.width, one.height] for one in decided(found)[name].crop_boxes]


def card(page: Page, name: str) -> Any:
    return page.driver.find_element(By.CSS_SELECTOR, f'#ti_tabs .ti-card[data-name="{name}"]')


def crop_boxes(page: Page, name: str) -> list[Any]:
    return card(page, name).find_elements(By.CSS_SELECTOR, ".ti-crop-box")


def box(crop_box: Any) -> list[float]:
    return [float(share) for share in crop_box.get_attribute("data-box").split()]


def keys(page: Page, *pressed: str) -> None:
    ActionChains(page.driver).send_keys(*pressed).perform()


def saved(page: Page, found: Path, name: str, **expected: Any) -> None:
    """Wait until the manifest has it."""
    page.until(lambda: all(getattr(decided(found)[name], key) == value for key, value in expected.items()), 20)


def painted(page: Page, step: str) -> np.ndarray:
    """The layer that the page shows, (H, W) in 0..255."""
    script = (
        "const c = document.querySelector(arguments[0]);"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "const a = []; for (let i = 3; i < d.length; i += 4) a.push(d[i]); return [c.width, c.height, a];"
    )
    width, height, levels = page.driver.execute_script(script, f"#ti_{step}_stage canvas")
    return np.array(levels, dtype=np.uint8).reshape(height, width)


def left_half(path: Path, size: tuple[int, int]) -> str:
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    mask.save(path)
    return str(path)
