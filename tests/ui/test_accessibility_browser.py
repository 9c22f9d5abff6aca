"""Accessibility of the tab's pages, as axe-core judges them in a real browser, in both themes.

axe-core (by Deque, MPL-2.0) is no part of this repository. npm fetches the pinned release once, into pytest's cache;
without npm, or without a network at that time, these tests are skipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.pocket.sample_set import sample_set
from lib_ti.signals import Control
from lib_ti.training.create import create
from lib_ti.training.run import train
from tests.fakes import FakeHost
from tests.ui.browser import Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model
RELEASE, FILE = "axe-core@4.14.1", "package/axe.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
NPM_SECONDS = 60
NAME = "my-style"
MAKE_SECONDS = 240
OF_GRADIO: tuple[str, ...] = ()
"""Selectors of elements that are Gradio's own and break a rule, each with the reason why it cannot be fixed here."""
_FIND = """
const [excluded, rules, done] = arguments;
const options = {resultTypes: ["violations"], ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {})};
axe.run({include: [["#ti_tabs"]], exclude: excluded.map((one) => [one])}, options).then(function (found) {
    const grave = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
    const shown = (rule, node) => `${rule.id}: ${node.failureSummary} ${node.html.slice(0, 200)}`;
    done(grave.flatMap((rule) => rule.nodes.map((node) => shown(rule, node))));
}, (error) => done([String(error)]));
"""
WIDTHS, PHONE = (1280, 390), 600
_WIDE = """
if (document.documentElement.scrollWidth <= arguments[0]) {
    return [];
}
const wide = Array.from(document.querySelectorAll("#ti_tabs *")).filter(function (one) {
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.right > arguments[0] + 1;
});
return ["the page", ...wide.slice(0, 5).map((one) => `${one.tagName} ${one.id} ${one.className}`)];
"""
_UNFOLD = "document.querySelectorAll('#ti_tab_train .label-wrap:not(.open)').forEach((title) => title.click())"

_BAD = """
document.getElementById("ti_tab_start").insertAdjacentHTML("beforeend", "<div id='ti_bad'><img src='data:,'>" +
    "<p style='color: color-mix(in srgb, var(--body-text-color) 25%, transparent)'>too faint</p></div>");
"""


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core."""
    cache = getattr(request.config, "cache", None)
    folder = cache.mkdir("axe-core") if cache else tmp_path_factory.mktemp("axe-core")
    script = folder / f"{RELEASE}.js"
    if not script.is_file():
        script.write_bytes(fetched(tmp_path_factory.mktemp("npm")))
    source = script.read_bytes()
    if hashlib.sha256(source).hexdigest() != SHA256:
        script.unlink()
        pytest.fail(f"{script} was not {RELEASE}; it is removed")
    return source.decode()


def fetched(folder: Path) -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed, which fetches {RELEASE}")
    try:
        subprocess.run([npm, "pack", RELEASE, "--silent"], cwd=folder, check=True, timeout=NPM_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"npm cannot fetch {RELEASE}: {error}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        member = archive.extractfile(FILE)
        assert member is not None
        return member.read()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, an embedding and a run of it."""
    made = tmp_path_factory.mktemp("accessibility")
    sample_set(made / "images", "striped", count=4)
    host = FakeHost(made)
    create(host, CreateConfig(name=NAME, text="style", vectors=2))
    config = TrainConfig(
        name=NAME,
        dataset=str(made / "images"),
        log_directory=str(made / "textual_inversion"),
        max_steps=6,
        save_image_every=3,
        save_embedding_every=3,
        validate_every=3,
        preview_prompt="a house, [name]",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)
        train(host, config, lambda event: None, Control())
    return made


@pytest.fixture(scope="module")
def page(folder: Path, axe: str) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        made.driver.execute_script(axe)
        yield made
        made.driver.quit()


def problems(page: Page) -> list[str]:
    """The rules that the page as it is now breaks seriously; in the dark theme only colors are others."""
    found: list[str] = []
    for theme, rules in (("light", []), ("dark", ["color-contrast"])):
        page.driver.execute_script("document.body.classList.toggle('dark', arguments[0] === 'dark')", theme)
        found += (f"{theme}, {one}" for one in page.driver.execute_async_script(_FIND, list(OF_GRADIO), rules))
    page.driver.execute_script("document.body.classList.remove('dark')")
    return found


def too_wide(page: Page) -> list[str]:
    """The window widths in pixels at which the page scrolls sideways, with the elements that make it do so."""
    found: list[str] = []
    try:
        for width in WIDTHS:
            size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < PHONE}
            page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            if wide := page.driver.execute_script(_WIDE, width):
                found.append(f"wider than {width} pixels: {', '.join(wide)}")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return found


def check(page: Page, state: str) -> None:
    found = problems(page) + too_wide(page)
    assert not found, "\n".join([f"{state}:", *found])


def images(page: Page, name: str, seconds: float = 60) -> Any:
    return page.until(lambda: page.find(name, "img"), seconds, wanted=f"images in #{name}")


def test_what_cannot_be_read_or_has_no_name_is_found(page: Page) -> None:
    page.tab("Start")
    page.driver.execute_script(_BAD)
    found = problems(page)
    page.driver.execute_script("document.getElementById('ti_bad').remove()")
    assert sorted(one.split(":")[0] for one in found) == [
        "dark, color-contrast", "light, color-contrast", "light, image-alt",
    ]  # fmt: skip


def test_start_and_the_folder_browser(page: Page) -> None:
    page.tab("Start")
    check(page, "Start, untouched")
    page.unfold("More settings")
    page.fill("ti_make_images", "nowhere")
    page.fill("ti_make_keyword", "circle")
    page.until(lambda: page.text("ti_make_keyword_remarks"), wanted="what speaks against the keyword")
    page.press("ti_make_it")
    page.until(lambda: page.find("ti_tab_start", ".ti-error"), wanted="a refusal")
    check(page, "Start, refused")
    page.press("ti_make_images_browse")
    page.until(lambda: page.find("ti_folders_list", "input:checked").is_displayed(), wanted="the folder browser")
    check(page, "folder browser")
    page.press("ti_folders_cancel")


def test_the_steps_of_dataset(page: Page) -> None:
    page.tab("Dataset")
    for title in ("Inspect", "Crop", "Remove", "Prepare", "Captions", "Masks"):
        page.tab(title, "#ti_dataset_tabs")
        check(page, f"{title}, untouched")
    page.tab("Inspect", "#ti_dataset_tabs")
    page.fill("ti_dataset_folder", "images")
    page.press("ti_inspect_start")
    images(page, "ti_inspect_images")
    page.unfold("Prepared folder and image size")
    page.unfold("Thresholds of issues")
    check(page, "Inspect, done")
    page.tab("Crop", "#ti_dataset_tabs")
    page.press("ti_crop_show")
    images(page, "ti_crop_grid")
    check(page, "Crop, with boxes")
    page.tab("Prepare", "#ti_dataset_tabs")
    page.press("ti_prepare_run")
    page.until(lambda: page.text("ti_prepare_message"), wanted="what was prepared")
    check(page, "Prepare, done")
    for title, name in (("Remove", "ti_remove_row"), ("Captions", "ti_captions_list"), ("Masks", "ti_masks_row")):
        page.tab(title, "#ti_dataset_tabs")
        images(page, name)
        check(page, f"{title}, with images")


def test_create(page: Page) -> None:
    page.tab("Create")
    check(page, "Create, untouched")
    page.fill("ti_create_name", "circle")
    page.until(lambda: page.text("ti_create_name_remarks"), wanted="what speaks against the name")
    page.press("ti_create")
    page.until(lambda: page.text("ti_create_result"), wanted="a refusal")
    check(page, "Create, refused")


def test_train(page: Page) -> None:
    page.tab("Train")
    check(page, "Train, untouched")
    page.fill("ti_train_dataset", "images")
    page.until(lambda: page.find("ti_train_images", "img"), wanted="images of the dataset")
    page.driver.execute_script(_UNFOLD)
    page.press("ti_check")
    page.until(lambda: page.text("ti_check_result"), wanted="what Check found")
    check(page, "Train, checked and unfolded")


def test_results(page: Page) -> None:
    page.tab("Results")
    check(page, "Results, untouched")
    page.fill("ti_results_name", NAME)
    page.press("ti_results_show")
    page.until(lambda: page.value("ti_checkpoint"), wanted="a checkpoint")
    check(page, "Results, of a run")
    page.click(page.find("ti_results_preview", "a[data-viewer]"))
    page.until(lambda: page.find("ti_tabs", "dialog.ti-large-image").is_displayed(), wanted="the viewer")
    check(page, "Results, an image opened large")
    page.driver.find_element("css selector", "dialog [data-go=close]").click()
    page.unfold("Compare with another run")
    page.unfold("Delete or archive checkpoints")
    check(page, "Results, unfolded")


def test_start_during_and_after_a_make_it_with_the_strip(page: Page, folder: Path) -> None:
    page.tab("Start")
    page.fill("ti_make_images", "images")
    page.fill("ti_make_keyword", "zqaxe")
    page.fill("ti_make_what", "drawing")
    page.fill("ti_make_max_steps", "4")
    page.press("ti_make_it")
    page.until(lambda: page.find("ti_activity").is_displayed(), wanted="the strip")
    check(page, "Start and the strip, during a Make it")
    images(page, "ti_make_result", MAKE_SECONDS)
    check(page, "Start, after a Make it")
