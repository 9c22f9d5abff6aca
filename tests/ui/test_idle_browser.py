"""A page that nobody uses stays idle: it asks the server for nothing and its scripts do nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.ui.browser import Page, needs_browser, serving

pytestmark = [needs_browser, pytest.mark.slow]

_IMAGES = 300
_QUIET_SECONDS, _WATCHED_SECONDS = 1.5, 3
_WATCH = """
window.activity = {changed: 0, requests: [], last: performance.now()};
document.addEventListener("ti-changed", function () {
    window.activity.changed += 1;
    window.activity.last = performance.now();
});
new PerformanceObserver(function (list) {
    list.getEntries().forEach((entry) => window.activity.requests.push(entry.name));
    window.activity.last = performance.now();
}).observe({entryTypes: ["resource"]});
"""
_QUIET_FOR = "return (performance.now() - window.activity.last) / 1000"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(_IMAGES):
        Image.new("RGB", (8, 8), (number % 256, 90, 90)).save(folder / f"{number:03}.png")
        (folder / f"{number:03}.txt").write_text(f"thing {number}, red")
    with serving(tmp_path) as address:
        page = Page(address)
        yield page
        page.driver.quit()


def test_idle_page_with_many_captions_makes_no_requests_and_fires_no_events(page: Page) -> None:
    page.tab("Captions", "#ti_dataset_tabs")
    page.unfold("Advanced")
    page.fill("ti_captions_folder", "images")
    page.driver.execute_script(_WATCH)
    page.press("ti_captions_open")
    rows = "#ti_captions_list [data-name]"
    page.until(lambda: len(page.driver.find_elements("css selector", rows)) == _IMAGES, wanted="all captions")
    page.until(lambda: page.driver.execute_script(_QUIET_FOR) > _QUIET_SECONDS, wanted="a page that has settled")
    page.driver.execute_script("window.activity.changed = 0; window.activity.requests = []")
    time.sleep(_WATCHED_SECONDS)
    assert page.driver.execute_script("return [window.activity.changed, window.activity.requests]") == [0, []]


def test_an_idle_page_asks_again_when_it_gets_the_focus(page: Page) -> None:
    page.tab("Start")
    page.driver.execute_script(_WATCH)
    page.until(lambda: page.driver.execute_script(_QUIET_FOR) > _QUIET_SECONDS, wanted="a page that has settled")
    page.driver.execute_script("window.activity.requests = []; window.dispatchEvent(new Event('focus'))")
    page.until(lambda: page.driver.execute_script("return window.activity.requests.length"), wanted="a request")
