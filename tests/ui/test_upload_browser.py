"""Bringing files in by a real browser: what else happens on the page, a failure or a second drop loses none of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import draw_images
from tests.ui.browser import By, Keys, Page, needs_browser_and_model, serving, webdriver

pytestmark = needs_browser_and_model

_HOLD = """
window.held = window.failing = null;
const upload = (address) => /\\/upload(\\?|$)/.test(String(address));
const wait = () => new Promise(function ask(done) {
    window.held ? window.setTimeout(ask, 20, done) : done();
});
const before = {fetch: window.fetch, open: XMLHttpRequest.prototype.open, send: XMLHttpRequest.prototype.send};
window.fetch = async function (address, ...more) {
    if (upload(address && address.url || address)) { await wait(); }
    return before.fetch.call(window, address, ...more);
};
XMLHttpRequest.prototype.open = function (method, address, ...more) {
    this.uploads = upload(address);
    return before.open.call(this, method, address, ...more);
};
XMLHttpRequest.prototype.send = async function (form) {
    if (this.uploads) {
        await wait();
        const status = window.failing && window.failing(form.getAll("files"));
        if (status) { Object.defineProperty(this, "status", {value: status}); }
    }
    return before.send.call(this, form);
};
"""
"""Uploads wait while ``held`` is true; ``failing`` returns the status with which the server refuses files, if any."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upload")


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        made.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _HOLD})
        yield made
        made.driver.quit()


@pytest.fixture
def page(browser: Page) -> Page:
    browser.open("Start")
    return browser


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return sorted(draw_images(tmp_path / "images", count=4).glob("*.png"))


def script(page: Page, text: str) -> Any:
    return page.driver.execute_script(text)


def choose(page: Page, name: str, *files: Path) -> None:
    page.find(name, "input[type=file]").send_keys("\n".join(map(str, files)))


def drop(page: Page, target: Any, *files: Path) -> None:
    """Drop files as the mouse does it."""
    place = page.shown(target).rect
    scrolled = script(page, "return [window.scrollX, window.scrollY]")
    x, y = place["x"] - scrolled[0] + place["width"] / 2, place["y"] - scrolled[1] + place["height"] / 2
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        page.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})


def uploaded(page: Page, name: str) -> list[str]:
    """The names that the server gave to what a field holds."""
    return [Path(one).name for one in json.loads(page.value(f"{name}_uploaded") or '{"files": []}')["files"]]


def holds(page: Page, number: int) -> None:
    """Wait until the field Start shows that so many files are uploaded."""
    counted = "1 file, " if number == 1 else f"{number} files, "
    page.until(lambda: re.search(rf"^{counted}", page.text("ti_make_files"), re.M), wanted=f"{counted}uploaded")


def listed(page: Page) -> list[str]:
    return [one.text for one in page.driver.find_elements(By.CSS_SELECTOR, "#ti_make_files li > span")]


def test_an_upload_arrives_although_something_else_on_the_page_ends_meanwhile(page: Page, images: list[Path]) -> None:
    script(page, "window.held = true")
    choose(page, "ti_make_files", *images)
    page.says("ti_make_files", "Uploading 1 of 4 files, 0%")
    page.fill("ti_make_keyword", "glow-style")
    page.says("ti_make_keyword_remarks", "The keyword is free")
    page.press("ti_make_it")
    page.says("ti_make_message", "4 files are not uploaded yet: wait for the upload to finish, or cancel it")
    script(page, "window.held = false")
    holds(page, 4)
    assert uploaded(page, "ti_make_files") == [one.name for one in images]


def test_files_are_added_to_those_in_the_field_and_removed_one_by_one(page: Page, images: list[Path]) -> None:
    script(page, "window.held = true")
    drop(page, page.find("ti_make_files", ".ti-upload-hint"), *images[:2])
    page.says("ti_make_files", "Uploading 1 of 2 files")
    drop(page, page.find("ti_make_files", ".ti-upload-hint"), *images[1:])
    page.says("ti_make_files", f"Already here: {images[1].name}.")
    page.says("ti_make_files", "Uploading 1 of 4 files")
    script(page, "window.held = false")
    holds(page, 4)
    assert uploaded(page, "ti_make_files") == listed(page) == [one.name for one in images]
    page.find("ti_make_files", f'[aria-label="Remove {images[1].name}"]').click()
    holds(page, 3)
    assert uploaded(page, "ti_make_files") == [images[0].name, *(one.name for one in images[2:])]
    choose(page, "ti_make_files", images[1])
    holds(page, 4)
    page.find("ti_make_files", "[data-upload=removeAll]").click()
    page.until(lambda: not listed(page), wanted="an empty field")
    assert uploaded(page, "ti_make_files") == []


def test_a_canceled_upload_leaves_what_was_in_the_field_before(page: Page, images: list[Path]) -> None:
    choose(page, "ti_make_files", images[0])
    holds(page, 1)
    script(page, "window.held = true")
    choose(page, "ti_make_files", *images[1:])
    page.says("ti_make_files", "Uploading 1 of 3 files")
    page.find("ti_make_files", "[data-upload=cancel]").click()
    page.says("ti_make_files", "Canceled: 3 files were not added.")
    script(page, "window.held = false")
    holds(page, 1)
    assert uploaded(page, "ti_make_files") == [images[0].name]


def test_names_arrive_as_they_are_and_another_file_of_a_name_is_reported(page: Page, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("my photo 1.jpg", "žluťoučký кот 猫.png", "100 percent.jpg", "e\u0301.jpg")]
    for file in files:
        file.write_bytes(file.name.encode())
    choose(page, "ti_make_files", *files)
    holds(page, 4)
    assert uploaded(page, "ti_make_files") == [*(one.name for one in files[:3]), "\u00e9.jpg"]
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / "My Photo 1.JPG"
    other.write_bytes(b"another one")
    choose(page, "ti_make_files", other)
    page.says("ti_make_files", "1 file was not added, since another file has the same name: My Photo 1.JPG. Rename it")
    assert len(listed(page)) == 4


def test_an_upload_continues_after_the_server_was_away(page: Page, images: list[Path]) -> None:
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**conditions, "offline": True})
    choose(page, "ti_make_files", *images)
    page.says("ti_make_files", "The server does not answer: check that it is still running, then try again.")
    page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**conditions, "offline": False})
    page.find("ti_make_files", "[data-upload=again]").click()
    holds(page, 4)
    assert uploaded(page, "ti_make_files") == [one.name for one in images]


def test_what_the_server_refuses_is_named_and_the_rest_is_uploaded(page: Page, images: list[Path]) -> None:
    script(page, f"window.failing = (files) => files.some((one) => one.name === '{images[2].name}') ? 413 : 0")
    choose(page, "ti_make_files", *images)
    page.says("ti_make_files", f"{images[2].name} was not added: the server does not accept files of this size.")
    holds(page, 3)
    assert uploaded(page, "ti_make_files") == [one.name for one in images if one != images[2]]
    script(page, "window.failing = () => 500")
    choose(page, "ti_make_files", images[2])
    page.says("ti_make_files", "The server did not accept the upload (status 500).")
    script(page, "window.failing = () => 401")
    page.find("ti_make_files", "[data-upload=again]").click()
    page.says("ti_make_files", "sign in again: reload the page")
    page.find("ti_make_files", "[data-upload=cancel]").click()
    page.says("ti_make_files", "Canceled: 1 file was not added.")
    holds(page, 3)


def test_a_file_that_is_gone_is_named_and_the_rest_is_uploaded(page: Page, images: list[Path]) -> None:
    script(page, "window.held = true")
    choose(page, "ti_make_files", *images)
    page.says("ti_make_files", "Uploading 1 of 4 files")
    images[0].unlink()
    script(page, "window.held = false")
    page.says("ti_make_files", f"{images[0].name} was not added: it cannot be read; choose it again.")
    holds(page, 3)


def test_a_dropped_folder_is_brought_in_with_its_sub_folders(page: Page, images: list[Path]) -> None:
    inner = images[0].parent / "inner"
    inner.mkdir()
    images[0].rename(inner / "10.png")
    drop(page, page.find("ti_make_files", ".ti-upload-hint"), images[0].parent)
    holds(page, 8)  # and the captions
    assert [name for name in listed(page) if name.endswith(".png")] == ["01.png", "02.png", "03.png", "10.png"]


def test_files_that_miss_the_field_do_not_replace_the_page(page: Page, images: list[Path]) -> None:
    drop(page, page.find("ti_make_first_sight"), images[0])
    drop(page, page.find("ti_make_keyword", ":is(textarea, input)"), images[0])
    drop(page, page.find("ti_make_files", ".ti-upload-hint"), images[1])
    holds(page, 1)
    assert listed(page) == [images[1].name]


def test_the_field_is_reached_and_used_by_keyboard(page: Page, images: list[Path]) -> None:
    choose(page, "ti_make_files", *images[:2])
    holds(page, 2)
    field = page.find("ti_make_files", "input[type=file]")
    assert field.accessible_name.startswith("Images, or a zip of images")
    script(page, "document.querySelector('#ti_make_files input').focus()")
    webdriver.ActionChains(page.driver).send_keys(Keys.TAB, Keys.TAB).perform()
    cross = page.driver.switch_to.active_element
    assert cross.accessible_name == f"Remove {images[1].name}"
    cross.send_keys(Keys.ENTER)
    holds(page, 1)
    assert page.driver.switch_to.active_element.accessible_name == f"Remove {images[0].name}"


def test_images_dropped_on_dataset_one_after_the_other_are_all_brought_in(
    page: Page, images: list[Path], folder: Path
) -> None:
    page.tab("Dataset")
    script(page, "window.held = true")
    zone = page.find("ti_dataset_files", ".ti-upload-hint")
    drop(page, zone, images[0])
    page.says("ti_dataset_files", "Uploading 1 of 1 file,")
    drop(page, zone, *images[1:])
    page.says("ti_dataset_files", "Uploading 1 of 4 files")
    page.press("ti_dataset_task_refresh")
    script(page, "window.held = false")
    page.says("ti_dataset_files", "uploaded.")
    page.says("ti_inspect_summary", "of 4 images")
    assert sorted(one.name for one in (folder / "datasets" / "images").iterdir()) == [one.name for one in images]
    drop(page, zone, *images[:2])
    page.until(lambda: page.value("ti_dataset_folder").endswith("images-2"), wanted="a folder of its own")
    page.says("ti_inspect_summary", "of 2 images")


def test_a_canceled_upload_brings_nothing_in(page: Page, images: list[Path]) -> None:
    page.tab("Dataset")
    script(page, "window.held = true")
    choose(page, "ti_dataset_files", *images)
    page.says("ti_dataset_files", "Uploading 1 of 4 files")
    page.find("ti_dataset_files", "[data-upload=cancel]").click()
    page.says("ti_dataset_files", "Canceled: 4 files were not added.")
    script(page, "window.held = false")
    assert not page.text("ti_inspect_message")
    assert not page.value("ti_dataset_files_uploaded")
