"""The tab in a real browser, on the small model that comes along: create, train, reload, see, use.

Needs the packages chromium and chromium-driver (Debian's names) and selenium; see :mod:`tests.ui.browser`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from lib_ti.embedding import files
from tests.ui.browser import PATH, By, Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model

EVIL = "<img src=x onerror=document.title='broken'>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tab")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(folder, "--sample-images", "images") as address:
        yield address


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    made = Page(address)
    yield made
    made.driver.quit()


def test_the_page_has_style_and_script(address: str) -> None:
    with urlopen(address) as answer:
        content = answer.read().decode()
    assert "ti_busy_refresh" in content
    assert ".ti-notice" in content


def test_images_are_shown_and_captions_are_text(page: Page, folder: Path) -> None:
    (folder / "images" / "01.txt").write_text(EVIL)
    page.press("ti_inspect_start")
    page.says("ti_dataset_overview", "30 images")
    page.until(lambda: EVIL in page.text("ti_inspect_images"))
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_inspect_images img")) == 30
    assert page.driver.title != "broken"
    page.shot("dataset")


def test_the_prepared_folder_follows_until_it_is_named(page: Page, folder: Path) -> None:
    def follows(name: str, expected: str) -> None:
        page.fill("ti_dataset_folder", name)
        page.until(lambda: page.value("ti_prepare_output") == expected)

    page.unfold("Prepared folder and image size")
    follows("elsewhere", "elsewhere-prepared")
    follows("images", "images-prepared")
    page.fill("ti_prepare_output", "mine")
    page.press("ti_inspect_start")
    follows("images", "mine")
    page.unfold("Prepared folder and image size")


def test_an_embedding_is_created_and_chosen(page: Page, folder: Path) -> None:
    page.tab("Create")
    page.fill("ti_create_name", "a/b")
    page.says("ti_create_name_remarks", "holds parts of a path")
    page.fill("ti_create_name", "tab-style")
    page.says("ti_create_name_remarks", "is free")
    page.fill("ti_create_text", "style")
    page.fill("ti_create_vectors", "4")
    page.says("ti_create_tokens_left", "71 remain")
    page.press("ti_create")
    page.says("ti_create_result", "Created tab-style with 4 vectors")
    assert files.load(folder / "embeddings" / "tab-style.safetensors").count == 4
    page.shot("create")
    page.tab("Train")
    page.until(lambda: page.find("ti_train_name", "input").get_attribute("value") == "tab-style")


def test_what_is_wrong_is_listed_before_the_run(page: Page) -> None:
    page.fill("ti_train_dataset", "nowhere")
    page.press("ti_check")
    page.says("ti_check_result", "does not exist")
    page.shot("problems")
    page.fill("ti_train_dataset", "images")
    page.fill("ti_train_max_steps", "2000")
    page.fill("ti_train_save_image_every", "10")
    page.until(lambda: "fits the model" in page.check(), wanted="the check of the prompts")


def test_a_run_continues_when_the_page_is_reloaded_and_can_be_interrupted(page: Page) -> None:
    page.press("ti_start")
    page.says("ti_status", "LOSS" if "LOSS" in page.text("ti_status") else "Loss")
    page.until(lambda: page.find("ti_previews", "img"))
    page.until(lambda: page.find("ti_curve", "svg"))
    page.shot("training")
    page.open()
    page.tab("Train")
    before = page.says("ti_status", "of 2000")
    # Without a hand: the page's script asks for news.
    page.until(lambda: page.text("ti_status") != before)
    assert not page.find("ti_start").is_enabled()
    assert page.value("ti_train_max_steps") == "2000"
    page.press("ti_stop")
    page.says("ti_status", "was stopped by Interrupt after step")
    page.until(lambda: page.find("ti_start").is_enabled())


def test_a_run_finishes(page: Page, folder: Path) -> None:
    page.until(lambda: page.find("ti_train_name", "input").is_displayed())
    page.tab("Create")
    page.fill("ti_create_name", "other-style")
    page.press("ti_create")
    page.says("ti_create_result", "Created other-style")
    page.tab("Train")
    page.fill("ti_train_max_steps", "12")
    page.fill("ti_train_save_image_every", "6")
    page.fill("ti_train_save_embedding_every", "6")
    page.press("ti_start")
    page.says("ti_status", "is finished: 12 steps", 120)
    assert files.load(folder / "embeddings" / "other-style.safetensors").step == 12
    page.shot("finished")


def test_results_show_it_and_an_earlier_copy_is_used(page: Page, folder: Path) -> None:
    page.tab("Results")
    # What was trained last, and of it the best step.
    page.until(lambda: page.value("ti_checkpoint") == "best", wanted="the best checkpoint")
    assert page.value("ti_results_name") == "other-style"
    page.fill("ti_results_step", "12")
    page.says("ti_results_preview", "step 12")
    assert "other-style (seed" in page.text("ti_results_preview")
    page.fill("ti_checkpoint", "6")
    page.says("ti_results_preview", "step 6")
    page.until(lambda: page.value("ti_results_step") == "6", wanted="the slider at the step")
    page.press("ti_restore_checkpoint")
    page.says("ti_checkpoint_message", "is now the checkpoint of step 6")
    assert files.load(folder / "embeddings" / "other-style.safetensors").step == 6
    page.press("ti_download_card")
    page.says("ti_download", "other-style.png")
    page.shot("results")
    page.press("ti_train_more")
    page.until(lambda: page.find("ti_start").is_displayed())
    page.until(lambda: page.find("ti_train_max_steps", "input").get_attribute("value") == "24")


WAKE_UPS = """
window.wakeUps = 0;
for (const name of ["setTimeout", "setInterval"]) {
    const original = window[name].bind(window);
    window[name] = function (task, ...rest) {
        const ours = !new Error().stack.includes("/assets/");  // Gradio's code comes from there
        return original(function (...given) {
            window.wakeUps += ours;
            return task(...given);
        }, ...rest);
    };
}
"""


def test_an_idle_page_does_not_poll(page: Page) -> None:
    hook = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WAKE_UPS})
    page.open()
    page.tab("Train")
    time.sleep(2)  # until all is loaded
    before = page.driver.execute_script("return window.wakeUps")
    time.sleep(4)
    after = page.driver.execute_script("return window.wakeUps")
    page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", hook)
    assert before > 0, "the hook counts nothing"
    assert after - before < 8  # one request to the server, and what it changes


def test_a_taken_port_is_one_sentence(address: str, folder: Path) -> None:
    port = address.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "lib_ti", "tab", "--port", port]
    environment = {**os.environ, "PYTHONPATH": PATH}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: Port {port} of 127.0.0.1 cannot be used")
    assert done.stderr.count("\n") == 1
