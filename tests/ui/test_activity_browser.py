"""The strip above the sub-tabs in a real browser: on all of them, after a reload, in the title, and gone at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from tests.ui.browser import Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model
_COUNT = """
window.asked = 0;
document.querySelector("#ti_activity_refresh").addEventListener("click", () => window.asked += 1);
"""
_NOTIFICATIONS = """
window.notified = [];
window.Notification = function (title, options) { window.notified.push(options.body); };
window.Notification.permission = "granted";
document.hasFocus = () => false;
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("strip")
    made = ["create", "my-style", "--text", "style", "--embeddings-dir", str(folder / "embeddings")]
    assert main(made) == 0
    with serving(folder, "--sample-images", "images") as address:
        page = Page(address)
        yield page
        page.driver.quit()


def test_a_run_is_shown_on_every_tab_and_in_the_title_until_it_is_interrupted(page: Page) -> None:
    title = page.driver.title
    page.tab("Train")
    page.fill("ti_train_name", "my-style")
    page.fill("ti_train_max_steps", "3000")
    page.unfold("Preview settings")
    page.fill("ti_train_preview_steps", "2")
    assert not page.find("ti_activity").is_displayed()
    page.press("ti_start")
    page.until(lambda: page.find("ti_activity").is_displayed(), wanted="the strip")
    page.tab("Create")
    page.says("ti_activity_model", "Training my-style: step")
    page.until(lambda: page.find("ti_activity_model", "img").is_displayed(), wanted="the newest preview")
    before = page.text("ti_activity_model")
    page.until(lambda: page.text("ti_activity_model") != before, wanted="progress")
    page.until(lambda: page.driver.title.startswith("[") and page.driver.title.endswith("] " + title))
    page.shot("strip")
    page.open("Dataset")
    page.until(lambda: page.find("ti_activity").is_displayed(), wanted="the strip on a new page")
    page.driver.execute_script(_NOTIFICATIONS)
    page.press("ti_activity_model_stop")
    page.until(lambda: not page.find("ti_activity").is_displayed(), wanted="no strip")
    page.until(lambda: page.driver.title == title, wanted="the title as before")
    assert page.driver.execute_script("return window.notified") == ["Training my-style was stopped."]
    page.driver.execute_script(_COUNT)
    page.tab("Train")
    page.says("ti_status", "was stopped by Interrupt")
    assert page.driver.execute_script("return window.asked") == 0
