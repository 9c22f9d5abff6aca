"""How soon a gallery of very many images can be used, in a real browser at the tab itself."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PIL import ImageOps

from tests.benchmarks.row import Row
from tests.prep.photographs import parts

COUNT = 1000
MOST_SECONDS = 2.0
ROUNDS = 3
_LOADED = """
const seen = Array.from(document.querySelectorAll('#ti_inspect_images figure'));
// Of the figures and not of what is in them, which is not laid out before it comes into the window.
const inside = seen.filter(one => one.getBoundingClientRect().top < innerHeight);
const is_there = seen.length == count && inside.every(one => one.querySelector('img').naturalWidth);
"""
_PRESS = f"""
const [element, count, done] = arguments, start = performance.now();
const check = () => {{
    {_LOADED}
    if (is_there) done((performance.now() - start) / 1000); else setTimeout(check, 20);
}};
element.click();
check();
"""


def measure() -> Iterator[Row]:
    """Nothing where there is no browser."""
    if not (importlib.util.find_spec("selenium") and shutil.which("chromedriver")):
        return
    from tests.ui.browser import Page, serving

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _many(folder / "found")
        with serving(folder) as address:
            page = Page(address)
            try:
                yield from _time(page, folder / "found")
            finally:
                page.driver.quit()


def _many(folder: Path) -> None:
    folder.mkdir()
    each = [ImageOps.fit(part, (640, 512)) for part in parts()]
    for number, part in zip(range(COUNT), itertools.cycle(each), strict=False):
        left = number // len(each)
        part.crop((left, left, left + 600, left + 480)).save(folder / f"{number:04}.jpg", quality=90)


def _time(page: Any, found: Path) -> Iterator[Row]:
    def chosen() -> None:
        page.fill("ti_dataset_folder", str(found))
        page.until(lambda: page.value("ti_prepare_output"))

    chosen()
    page.press("ti_inspect_start")
    page.until(lambda: page.driver.execute_script(f"const count = arguments[0]; {_LOADED} return is_there", COUNT), 300)
    opened, filtered = [], []
    for _ in range(ROUNDS):
        page.open("Start")
        page.until(lambda: page.value("ti_prepare_output"))
        tab = page.driver.find_element("xpath", "//*[@id='ti_tabs']//button[normalize-space()='Dataset']")
        opened.append(page.driver.execute_async_script(_PRESS, tab, COUNT))
        words = page.driver.find_elements("css selector", "#ti_inspect_summary [data-word]")
        counts = [int(word.text.split()[-1]) for word in words]
        fewer = max(count for count in counts if count < COUNT)
        filtered.append(page.driver.execute_async_script(_PRESS, words[counts.index(fewer)], fewer))
    for what, seconds in (("opened on a new page", opened), ("filtered by a click on an issue", filtered)):
        least = min(seconds)
        yield Row(
            f"a gallery of {COUNT} images, {what}: until the visible images are shown",
            f"{least:.2f} s",
            f"{MOST_SECONDS:g} s",
            least <= MOST_SECONDS,
        )
