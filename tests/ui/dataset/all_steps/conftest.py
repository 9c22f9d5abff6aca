"""A folder of photographs and a page, for tests of several steps; needs what :mod:`tests.ui.browser` needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import PrepareConfig
from lib_ti.data.preparations import RELATIVE_NOTES
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from tests.prep.photographs import photograph, resize
from tests.ui.browser import By, Page, serving

selenium = pytest.importorskip("selenium", reason="the package selenium is not installed")

from selenium.webdriver import ActionChains  # noqa: E402 - after it is known that selenium is there

NAMES = ("camera", "chelsea", "china", "coffee", "rocket")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the program runs in."""
    return tmp_path_factory.mktemp("dataset")


@pytest.fixture(scope="module")
def address(server: Path) -> Iterator[str]:
    with serving(server) as address:
        yield address


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """Photographs, and files that only their names make images."""
    folder = tmp_path / "found"
    folder.mkdir()
    for name in NAMES:
        resize(0.5)(photograph(name)).save(folder / f"{name}.jpg", quality=92)
    whole = (folder / "china.jpg").read_bytes()
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2] + b"other")
    (folder / "broken.jpg").write_bytes(b"no image")
    (folder / "empty.png").write_bytes(b"")
    return folder


@pytest.fixture
def prepared(found: Path, server: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The images prepared at 256 pixels, named mine_001 and so on."""
    monkeypatch.setattr("lib_ti.data.preparations.NOTES", server / RELATIVE_NOTES)
    output = found.with_name("found-prepared")
    config = PrepareConfig(source=str(found), output=str(output), width=256, height=256, name="mine", framing="centre")
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    return output


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    made = Page(address)
    yield made
    made.driver.quit()


def step(page: Page, title: str) -> None:
    page.tab(title, "#ti_dataset_tabs")


def name_folders(page: Page, found: Path, output: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.until(lambda: page.value("ti_prepare_output").startswith(str(found.parent)))
    page.unfold("Prepared folder and image size")
    before = page.value("ti_dataset_shown")
    if page.value("ti_prepare_output") != str(output):
        page.fill("ti_prepare_output", str(output))
        page.until(lambda: page.value("ti_dataset_shown") != before)


def exclude(page: Page, name: str, output: Path) -> None:
    step(page, "Inspect")
    before = page.value("ti_dataset_task_done")
    page.press("ti_inspect_start")
    page.until(lambda: page.value("ti_dataset_task_done") != before)
    page.until(lambda: "are in use" in page.text("ti_inspect_summary"))
    page.until(lambda: "other folders" not in page.text("ti_inspect_summary"))
    page.shown(element(page, f'.ti-inspected[data-name="{name}"] .ti-switch')).click()
    page.until(lambda: name in excluded(output))


def decided(folder: Path) -> dict[str, Any]:
    edits = read_manifest(PreparedFolder(folder)).edits
    return {one.name: one for one in edits.by_digest.values()}


def excluded(folder: Path) -> set[str]:
    return {name for name, one in decided(folder).items() if one.excluded}


def element(page: Page, css: str) -> Any:
    return page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, css))


def keys(page: Page, *pressed: str) -> None:
    chain = ActionChains(page.driver)
    for key in pressed[:-1]:
        chain = chain.key_down(key)
    chain = chain.send_keys(pressed[-1])
    for key in pressed[:-1]:
        chain = chain.key_up(key)
    chain.perform()


def focus_nothing(page: Page) -> None:
    page.driver.execute_script("document.activeElement.blur()")


def refused(page: Page) -> list[str]:
    """What the browser's console says of answers that are errors."""
    return [one["message"] for one in page.driver.get_log("browser") if "status of 4" in one["message"]]
