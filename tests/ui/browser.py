"""A browser at the tab, in the words of someone who uses it: Debian's Chromium, driven by selenium.

Nothing is downloaded. Screenshots go to the folder in ``TI_SCREENSHOTS`` where that is set.
"""

from __future__ import annotations

import os
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

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
ROOT = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
needs_browser = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium with chromedriver is installed here")


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
    """A browser at the tab's page, in the words of someone who uses it."""

    def __init__(self, address: str, width: int = 1280) -> None:
        self.address = address
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.add_argument(f"--window-size={width},1400")
        # Gradio's page asks for fonts and a script of other machines; tests work without a network.
        options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1")
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        self.open()

    def open(self) -> None:
        self.driver.get(self.address)
        self.until(lambda: self.find("ti_tabs"))

    def find(self, name: str, inside: str = "") -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, f"#{name} {inside}".strip())

    def text(self, name: str) -> str:
        return self.find(name).text

    def until(self, what: Callable[[], Any], seconds: float = 60) -> Any:
        end = time.monotonic() + seconds
        while True:
            try:
                if found := what():
                    return found
            except Exception:  # noqa: BLE001 - the page changes under our hands
                found = None
            assert time.monotonic() < end, "the page did not come to show it"
            time.sleep(0.2)

    def tab(self, title: str, inside: str = "#ti_tabs") -> None:
        def press() -> bool:
            buttons = self.driver.find_elements(By.CSS_SELECTOR, f"{inside} button")
            next(button for button in buttons if button.text.strip() == title).click()
            return True

        self.until(press)

    def unfold(self, title: str, kind: str = ".label-wrap") -> None:
        """Open what is folded away under a title."""

        def press() -> bool:
            titles = self.driver.find_elements(By.CSS_SELECTOR, f"#ti_tabs {kind}")
            next(one for one in titles if one.is_displayed() and one.text.strip().startswith(title)).click()
            return True

        self.until(press)

    def value(self, name: str) -> str:
        return str(self.find(name, ":is(textarea, input:not([type=range]))").get_attribute("value"))

    def tick(self, name: str) -> None:
        self.until(lambda: self.find(name, "input")).click()

    def fill(self, name: str, text: str) -> None:
        field = self.until(lambda: self.find(name, ":is(textarea, input:not([type=range]))"))
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text, Keys.TAB)

    def press(self, name: str) -> None:
        button = self.until(lambda: self.find(name))
        self.until(button.is_enabled)
        # A click of the page's own: no matter what lies above the button in a small window.
        self.driver.execute_script("arguments[0].click()", button)

    def says(self, name: str, words: str, seconds: float = 60) -> str:
        try:
            self.until(lambda: words in self.text(name), seconds)
        except AssertionError:
            self.shot(f"failed-{name}")
            pytest.fail(f"{name} says {self.text(name)!r}, and not {words!r}")
        return self.text(name)

    def shown(self, element: Any) -> Any:
        """The element, in the middle of the window."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        return element

    def open_picture(self, step: str, name: str) -> None:
        """Choose a picture for painting, by a press on its small copy."""
        script = "document.querySelector(arguments[0]).click()"
        small = f'#ti_{step}_row .ti-thumb[data-name="{name}"]'
        self.until(lambda: self.driver.execute_script(script, small) is None)
        self.until(lambda: name in self.text(f"ti_{step}_stage"))
        self.until(lambda: self.find(f"ti_{step}_stage", ".ti-paint.ti-ready"))

    def paint(self, step: str, points: list[tuple[float, float]]) -> None:
        """One stroke through points in shares of the picture."""
        canvas = self.shown(self.find(f"ti_{step}_stage", "canvas"))
        width, height = canvas.rect["width"], canvas.rect["height"]
        places = [(round((x - 0.5) * width), round((y - 0.5) * height)) for x, y in points]
        chain = webdriver.ActionChains(self.driver).move_to_element_with_offset(canvas, *places[0]).click_and_hold()
        for x, y in places[1:]:
            chain = chain.move_to_element_with_offset(canvas, x, y)
        chain.release().perform()

    def shot(self, name: str) -> None:
        """The whole page as a picture, where ``TI_SCREENSHOTS`` names a folder."""
        folder = os.environ.get("TI_SCREENSHOTS")
        if not folder:
            return
        Path(folder).mkdir(parents=True, exist_ok=True)
        size = self.driver.get_window_size()
        height = self.driver.execute_script("return document.documentElement.scrollHeight")
        self.driver.set_window_size(size["width"], min(4000, height + 150))
        self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))
        self.driver.set_window_size(size["width"], size["height"])
