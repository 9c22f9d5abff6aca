"""A browser at the tab, in the words of someone who uses it: Debian's Chromium, driven by selenium.

Nothing is downloaded. Screenshots go to the folder in ``TI_SCREENSHOTS`` where that is set.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="the package selenium is not installed")

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from lib_ti.pocket import CHECKPOINT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
ROOT = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
_STEADY = """
const [element, done] = arguments;
element.scrollIntoView({block: "center"});
const place = () => element.getBoundingClientRect();
const before = place();
window.setTimeout(() => window.requestAnimationFrame(() => window.requestAnimationFrame(function () {
    const now = place();
    const hit = document.elementFromPoint(now.x + now.width / 2, now.y + now.height / 2);
    done(now.x === before.x && now.y === before.y && hit !== null && (element === hit || element.contains(hit)));
})), 150);
"""
"""Whether an element stays where it is in the middle of the window, with nothing above it."""
_PAINT_ALL = """
if (!document.querySelector("#paint-all")) {
    document.head.insertAdjacentHTML(
        "beforeend", "<style id=paint-all>#ti_tabs * { content-visibility: visible !important; }</style>");
}
"""
_SEEN = 4000
"""Letters of a page's text in the report of a failed test."""
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with chromedriver is installed here")
needs_browser_and_model = [
    pytest.mark.slow,
    needs_browser,
    pytest.mark.skipif(not CHECKPOINT.exists(), reason="the small model is not there"),
]
"""Marks of tests of the tab with the pocket model."""


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[str]:
    """The tab, served by the command in a folder; its address."""
    command = [sys.executable, "-m", "lib_ti", "tab", "--port", "0", *arguments]
    environment = {**os.environ, "PYTHONPATH": PATH, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "http://" in line)
            yield line.split("The tab is at ")[1].split()[0]
        finally:
            process.terminate()
            process.wait(60)


class Page:
    """A browser at the tab's page, in the words of someone who uses it.

    Parameters
    ----------
    patience
        Seconds that the page has for an answer.
    """

    def __init__(self, address: str, width: int = 1280, *, patience: float = 60) -> None:
        self.address, self._patience = address, patience
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.add_argument(f"--window-size={width},1400")
        # Gradio's page asks for fonts and a script of other machines; tests work without a network.
        options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.open()

    def open(self, tab: str = "Dataset") -> None:
        """Open the page, and one of its sub-tabs where the whole of it can be seen."""
        self.driver.get(self.address)
        self.until(lambda: self.find("ti_tabs"))
        if self.find("ti_tabs").is_displayed() and self.driver.find_elements(By.ID, "ti_tab_start"):
            self.tab(tab)

    def find(self, name: str, inside: str = "") -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, f"#{name} {inside}".strip())

    def text(self, name: str) -> str:
        return self.find(name).text

    def until(self, what: Callable[[], Any], seconds: float | None = None, *, wanted: str = "") -> Any:
        """The first true result of ``what``; the test fails with all that the page shows when none comes in time."""
        seconds = seconds or self._patience
        end = time.monotonic() + seconds
        while True:
            problem: object = "nothing of the kind"
            try:
                if found := what():
                    return found
            except Exception as error:  # noqa: BLE001 - the page changes under our hands
                problem = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            if time.monotonic() >= end:
                pytest.fail(f"after {seconds:g} s the page does not show {wanted or 'it'} ({problem})\n{self.seen()}")
            time.sleep(0.2)

    def seen(self) -> str:
        """What the page shows now, for the report of a failed test; also kept as a screenshot."""
        self.shot("failed")
        return f"It shows:\n{self.driver.find_element(By.CSS_SELECTOR, '#ti_tabs').text[:_SEEN]}"

    def click(self, element: Any) -> None:
        """A click of the mouse in the middle of the window, once the element has stopped moving.

        At the window's edge a bar may hide it; while a page still loads, a click lands where the element was.
        """
        self.until(lambda: self.driver.execute_async_script(_STEADY, element), wanted="an element that can be clicked")
        element.click()

    def click_first(self, selector: str, fits: Callable[[Any], bool], wanted: str) -> None:
        """Click the first visible element of a selector that fits."""

        def press() -> bool:
            elements = self.driver.find_elements(By.CSS_SELECTOR, selector)
            self.click(next(one for one in elements if one.is_displayed() and fits(one)))
            return True

        self.until(press, wanted=wanted)

    def tab(self, title: str, inside: str = "#ti_tabs") -> None:
        """Open a tab by its title, a step of Dataset without its number."""
        titled = re.compile(rf"(\d )?{re.escape(title)}( \(optional\))?")
        self.click_first(f"{inside} button", lambda one: titled.fullmatch(one.text.strip()), f"a tab {title!r}")

    def unfold(self, title: str, kind: str = ".label-wrap") -> None:
        """Open what is folded away under a title."""
        self.click_first(f"#ti_tabs {kind}", lambda one: one.text.strip().startswith(title), f"a folded part {title!r}")

    def value(self, name: str) -> str:
        return str(self.find(name, ":is(textarea, input:not([type=range]))").get_attribute("value"))

    def tick(self, name: str) -> None:
        self.click(self.until(lambda: self.find(name, "input"), wanted=f"#{name}"))

    def fill(self, name: str, text: str) -> None:
        field = self.until(lambda: self.find(name, ":is(textarea, input:not([type=range]))"), wanted=f"#{name}")
        self.until(field.is_displayed, wanted=f"#{name} in sight")
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text, Keys.TAB)

    def press(self, name: str) -> None:
        button = self.until(lambda: self.find(name), wanted=f"#{name}")
        self.until(button.is_enabled, wanted=f"#{name} enabled")
        # A click of the page's own: no matter what lies above the button in a small window.
        self.driver.execute_script("arguments[0].click()", button)

    def says(self, name: str, words: str, seconds: float | None = None) -> str:
        self.until(lambda: words in self.text(name), seconds, wanted=f"{words!r} in #{name}")
        return self.text(name)

    def check(self, seconds: float | None = None) -> str:
        """Press Check, and unfold what it has found right; the whole answer."""
        self.press("ti_check")
        # What was found by itself, and stands there before, is no status.
        self.until(lambda: self.find("ti_check_result", ".ti-check[role=status]"), seconds, wanted="what Check found")
        self.says("ti_check_result", "Ready", seconds)
        self.driver.execute_script("arguments[0].open = true", self.find("ti_check_result", "details"))
        return self.text("ti_check_result")

    def shown(self, element: Any) -> Any:
        """The element, in the middle of the window."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        return element

    def open_image(self, step: str, name: str) -> None:
        """Choose an image for painting, by a press on its thumbnail."""
        script = "document.querySelector(arguments[0]).click()"
        small = f'#ti_{step}_row .ti-thumb[data-name="{name}"]'
        self.until(lambda: self.driver.execute_script(script, small) is None)
        self.until(lambda: name in self.text(f"ti_{step}_stage"))
        self.until(lambda: self.find(f"ti_{step}_stage", ".ti-paint.ti-ready"))

    def paint(self, step: str, points: list[tuple[float, float]]) -> None:
        """One stroke through points in shares of the image."""
        canvas = self.shown(self.find(f"ti_{step}_stage", "canvas"))
        width, height = canvas.rect["width"], canvas.rect["height"]
        places = [(round((x - 0.5) * width), round((y - 0.5) * height)) for x, y in points]
        chain = webdriver.ActionChains(self.driver).move_to_element_with_offset(canvas, *places[0]).click_and_hold()
        for x, y in places[1:]:
            chain = chain.move_to_element_with_offset(canvas, x, y)
        chain.release().perform()

    def shot(self, name: str) -> None:
        """The whole page as an image, where ``TI_SCREENSHOTS`` names a folder."""
        folder = os.environ.get("TI_SCREENSHOTS")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        # What is outside the window is otherwise not painted.
        self.driver.execute_script(_PAINT_ALL)
        # Not by a larger window for the moment: clicks after that landed where things had been before.
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        area = {"x": 0, "y": 0, "width": size["width"], "height": min(4000, size["height"]), "scale": 1}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": area})
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
