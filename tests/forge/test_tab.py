"""The tab in a genuine Forge or reForge and a real browser: what the reader of a tutorial does, word by word."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.snapshot import ACTIVE
from tests.forge.instance import POCKET, fork
from tests.ui.browser import By, Page, needs_browser
from tests.webui.instance import Instance

pytestmark = needs_browser
OUTER = "#tabs > .tab-nav"
NAME = "zqtest-style"
_RUN_SECONDS = 400


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with fork(tmp_path_factory.mktemp("fork"), settings={"sd_model_checkpoint": POCKET}) as instance:
        yield instance


@pytest.fixture(scope="module")
def pictures(webui: Instance) -> Path:
    folder = webui.folder / "pictures"
    sample_set(folder, "striped", count=12)
    return folder


@pytest.fixture(scope="module")
def browser(webui: Instance) -> Iterator[Page]:
    made = Page(webui.address)
    yield made
    made.driver.quit()


@pytest.fixture
def page(webui: Instance, browser: Page) -> Iterator[Page]:
    """A page that was just opened; a run that a failed test leaves is ended."""
    browser.open()
    browser.tab("Textual Inversion", OUTER)
    yield browser
    webui.call("stop")
    while webui.call("watched")["state"] in ACTIVE:
        time.sleep(0.2)


def test_start_and_dataset_are_shown(page: Page, pictures: Path) -> None:
    page.shot("fork-start")
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(pictures))
    page.says("ti_dataset_overview", "12 images")
    page.shot("fork-dataset")


def test_an_embedding_is_created_checked_trained_and_sent_to_txt2img(
    webui: Instance, page: Page, pictures: Path
) -> None:
    page.tab("Create")
    page.fill("ti_create_name", NAME)
    page.says("ti_create_name_remarks", "is free")
    page.fill("ti_create_text", "striped drawing")
    page.fill("ti_create_vectors", "8")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {NAME} with 8 vectors")
    page.tab("Train")
    page.until(lambda: page.value("ti_train_name") == NAME, wanted="the new embedding in the Train tab")
    page.fill("ti_train_dataset", str(pictures))
    page.fill("ti_train_max_steps", "30")
    page.fill("ti_train_save_image_every", "10")
    page.fill("ti_train_save_embedding_every", "10")
    said = page.check()
    assert "Model pocket" in said
    assert "The model was not loaded for this check" in said
    page.shot("fork-check")
    page.press("ti_start")
    page.says("ti_status", "is finished: 30 steps", _RUN_SECONDS)
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_previews img")) == 4
    page.shot("fork-finished")
    assert files.load(webui.embeddings / f"{NAME}.safetensors").model_name == "pocket"
    page.tab("Results")
    page.until(lambda: page.value("ti_results_name") == NAME, wanted="the embedding that was trained")
    page.press("ti_results_show")
    page.says("ti_results_preview", "step 30")
    page.shot("fork-results")
    page.fill("ti_results_step", "20")
    page.press("ti_send_txt2img")
    page.until(lambda: page.find("txt2img_prompt").is_displayed(), wanted="the tab txt2img")
    assert NAME in page.value("txt2img_prompt")


def test_a_run_continues_through_a_reload_of_the_page_and_is_interrupted(
    webui: Instance, page: Page, pictures: Path
) -> None:
    webui.call("create", name=f"{NAME}-2", text="striped", vectors=2, overwrite=True)
    page.tab("Train")
    page.fill("ti_train_name", f"{NAME}-2")
    page.fill("ti_train_dataset", str(pictures))
    page.fill("ti_train_max_steps", "100000")
    page.fill("ti_train_save_image_every", "0")
    page.press("ti_start")
    page.says("ti_status", "of 100000", _RUN_SECONDS)
    page.open()
    page.tab("Textual Inversion", OUTER)
    page.tab("Train")
    before = page.says("ti_status", "of 100000")
    page.until(lambda: page.text("ti_status") != before, wanted="another step, without a hand")
    page.shot("fork-training")
    page.press("ti_stop")
    page.says("ti_status", "was stopped by Interrupt after step", _RUN_SECONDS)


def test_a_sampler_of_txt2img_that_previews_lack_is_replaced_and_said(
    webui: Instance, page: Page, pictures: Path
) -> None:
    webui.call("create", name=f"{NAME}-3", text="striped", vectors=2, overwrite=True)
    # Forge writes it with a capital.
    page.click_first(f"{OUTER} button", lambda one: one.text.strip().casefold() == "txt2img", "the tab txt2img")
    page.fill("txt2img_sampling", "Restart")
    page.tab("Textual Inversion", OUTER)
    page.tab("Train")
    page.fill("ti_train_name", f"{NAME}-3")
    page.fill("ti_train_dataset", str(pictures))
    page.fill("ti_train_max_steps", "4")
    page.fill("ti_train_save_image_every", "2")
    page.tick("ti_from_txt2img")
    page.press("ti_start")
    page.says("ti_status", "is finished: 4 steps", _RUN_SECONDS)
    assert "Sampler Restart of txt2img is not available here" in page.text("ti_check_result")
