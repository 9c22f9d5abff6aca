"""The tab in a genuine WebUI and a real browser: what the reader of a tutorial does, and what goes wrong meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lib_ti.embedding import files
from lib_ti.host.base import PictureRequest
from lib_ti.pocket.world import sample_set
from tests.ui.browser import By, Keys, Page, needs_browser
from tests.webui.instance import Instance, running

pytestmark = needs_browser
NAME = "zqtest-style"
OUTER = "#tabs > .tab-nav"
TEMPLATE = "[filewords], by [name]\n[filewords], [name] style"
PROMPT = f"a big circle, by {NAME}"


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("webui")
    (folder / "templates").mkdir()
    with running(folder, "--textual-inversion-templates-dir", str(folder / "templates")) as instance:
        yield instance


@pytest.fixture(scope="module")
def pictures(webui: Instance) -> Path:
    folder = webui.folder / "pictures"
    sample_set(folder, "striped", count=12)
    return folder


@pytest.fixture(scope="module")
def page(webui: Instance) -> Iterator[Page]:
    made = Page(webui.address)
    made.tab("Textual Inversion", OUTER)
    yield made
    made.driver.quit()


def run_folder(webui: Instance) -> Path:
    return next((webui.folder / "runs").glob(f"*/{NAME}"))


def drawn(webui: Instance, prompt: str) -> np.ndarray:
    request = PictureRequest(prompt, "triangle", sampler="DPM++ 2M", steps=4, seed=7, width=64, height=64, cfg_scale=5)
    return webui.draw(request)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(np.int16)


def test_an_embedding_is_created(webui: Instance, page: Page) -> None:
    page.tab("Create")
    page.fill("ti_create_name", NAME)
    page.says("ti_create_name_remarks", "is free")
    page.fill("ti_create_text", "striped drawing")
    page.fill("ti_create_vectors", "8")
    page.says("ti_create_tokens_left", "67 are left")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {NAME} with 8 vectors")
    assert webui.get("embeddings")["loaded"][NAME]["vectors"] == 8
    page.shot("webui-create")


def test_pictures_are_looked_at(page: Page, pictures: Path) -> None:
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(pictures))
    page.press("ti_dataset_show")
    page.says("ti_dataset_overview", "11 pictures to train on, 1 held out")
    page.shot("webui-dataset")
    assert page.value("ti_train_dataset") == ""
    page.press("ti_dataset_use")
    page.until(lambda: page.value("ti_train_dataset") == str(pictures), wanted="the folder in the Train tab")


def test_a_template_is_written_and_chosen(webui: Instance, page: Page) -> None:
    page.tab("Train")
    assert page.value("ti_train_name") == NAME
    page.unfold("See and edit the template")
    text = page.until(lambda: page.find("ti_template_text", "textarea"))
    text.send_keys(Keys.CONTROL, "a")
    text.send_keys(TEMPLATE, Keys.TAB)
    page.press("ti_template_prompts")
    page.says("ti_template_rendered", f"by {NAME}")
    page.fill("ti_template_name", "my_style_filewords")
    page.press("ti_template_save")
    page.says("ti_template_saved", "my_style_filewords.txt")
    page.until(lambda: page.value("ti_train_template") == "my_style_filewords")
    assert (webui.folder / "templates" / "my_style_filewords.txt").read_text() == f"{TEMPLATE}\n"
    page.shot("webui-template")


def test_the_check_has_good_news(page: Page) -> None:
    assert page.value("ti_train_width") == "64"  # the model's own
    page.fill("ti_train_max_steps", "30")
    page.fill("ti_train_save_image_every", "10")
    page.fill("ti_train_save_embedding_every", "10")
    page.press("ti_check")
    said = page.says("ti_check_result", "fits the model")
    assert "A step needs about" in said
    assert "Model pocket" in said
    page.shot("webui-check")


def test_it_trains_with_previews_as_txt2img_would_draw_them(webui: Instance, page: Page) -> None:
    page.tab("txt2img", OUTER)
    for name, value in {
        "prompt": PROMPT, "neg_prompt": "triangle", "steps": "4", "width": "64", "height": "64", "seed": "7",
        "cfg_scale": "5",
    }.items():  # fmt: skip
        page.fill(f"txt2img_{name}", value)
    page.tab("Textual Inversion", OUTER)
    page.tick("ti_from_txt2img")
    page.press("ti_start")
    page.says("ti_status", "is finished: 30 steps", 180)
    page.unfold("Previews are drawn with", "summary")
    shown = page.text("ti_status")
    for words in (PROMPT.replace(NAME, "[name]"), "triangle", "DPM++ 2M, Automatic, 4 steps", "64 × 64", "Seed 7"):
        assert words in shown
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_previews img")) == 4
    page.shot("webui-finished")
    run = run_folder(webui)
    names = {path.relative_to(run).as_posix() for path in run.rglob("*.*")}
    assert {f"images/{NAME}-{step}.png" for step in (0, 10, 20, 30)} <= names
    assert {f"embeddings/{NAME}-{step}.safetensors" for step in (10, 20, 30)} <= names
    assert files.load(run / "image_embeddings" / f"{NAME}-30.png").step == 30
    assert np.abs(drawn(webui, PROMPT) - pixels(run / "images" / f"{NAME}-30.png")).mean() < 1


def test_the_webuis_own_list_shows_its_picture(webui: Instance, page: Page) -> None:
    assert (webui.embeddings / f"{NAME}.preview.png").exists()
    page.tab("txt2img", OUTER)
    page.tab("Textual Inversion", "#txt2img_extra_tabs > .tab-nav")
    page.press("txt2img_textual_inversion_extra_refresh")
    card = page.until(
        lambda: page.driver.find_element(By.CSS_SELECTOR, f"#txt2img_extra_tabs .card[data-name='{NAME}']")
    )
    picture = page.until(lambda: card.find_element(By.CSS_SELECTOR, "img"))
    assert f"{NAME}.preview.png" in str(picture.get_attribute("src"))
    page.tab("Generation", "#txt2img_extra_tabs > .tab-nav")
    page.tab("Textual Inversion", OUTER)


def test_an_earlier_step_is_used_and_sent_to_txt2img(webui: Instance, page: Page) -> None:
    page.tab("Results")
    page.until(lambda: page.value("ti_checkpoint") == "best")
    page.says("ti_results_picture", "step 30")
    page.unfold("Recipe")
    page.says("ti_results_recipe", "my_style_filewords")
    page.shot("webui-results")
    page.fill("ti_checkpoint", "10")
    page.press("ti_restore_checkpoint")
    page.says("ti_checkpoint_message", "is now the checkpoint of step 10")
    assert np.abs(drawn(webui, PROMPT) - pixels(run_folder(webui) / "images" / f"{NAME}-10.png")).mean() < 1
    page.fill("ti_results_step", "20")
    page.press("ti_send_txt2img")
    page.until(lambda: page.find("txt2img_prompt").is_displayed())
    assert (page.value("txt2img_prompt"), page.value("txt2img_seed")) == (PROMPT, "7")
    page.tab("Textual Inversion", OUTER)
    page.fill("ti_checkpoint", "30")
    page.press("ti_restore_checkpoint")
    page.says("ti_checkpoint_message", "is now the checkpoint of step 30")


def test_training_more_goes_on_through_a_reload_a_refresh_and_a_change_of_model(webui: Instance, page: Page) -> None:
    page.press("ti_train_more")
    page.until(lambda: page.value("ti_train_max_steps") == "60")
    page.fill("ti_train_max_steps", "100000")
    page.press("ti_start")
    page.says("ti_status", "of 100000")
    webui.until("textual-inversion", 2)
    first = webui.call("loaded")
    webui.call("switch_model", title="other/other.safetensors")
    webui.call("refresh")
    page.open()
    page.tab("Textual Inversion", OUTER)
    page.tab("Train")
    before = page.says("ti_status", "of 100000")
    page.until(lambda: page.text("ti_status") != before)  # without a hand
    page.shot("webui-training")
    assert not page.find("ti_start").is_enabled()
    assert page.value("ti_train_name") == NAME  # the new page has the run's settings
    assert page.value("ti_train_max_steps") == "100000"
    other = Page(webui.address)  # a second page cannot begin another one, nor lose this one
    try:
        other.tab("Textual Inversion", OUTER)
        other.tab("Train")
        other.says("ti_status", "of 100000")
        other.driver.execute_script("document.querySelector('#ti_start').disabled = false")
        other.fill("ti_train_name", NAME)
        other.fill("ti_train_dataset", "x")
        other.driver.execute_script("document.querySelector('#ti_start').click()")
        other.says("ti_check_result", "is being trained already")
    finally:
        other.driver.quit()
    page.press("ti_stop")
    page.says("ti_status", "was stopped by Interrupt after step")
    assert files.load(webui.embeddings / f"{NAME}.safetensors").model_name == "pocket"
    page.until(lambda: webui.call("loaded").startswith("other/"))
    webui.post("options", {"sd_model_checkpoint": first})


def test_a_run_that_waits_for_its_turn_can_be_ended(webui: Instance, page: Page) -> None:
    before = files.load(webui.embeddings / f"{NAME}.safetensors")
    webui.call("busy", seconds=6.0)
    page.fill("ti_train_name", NAME)
    page.fill("ti_train_dataset", str(webui.folder / "pictures"))
    page.fill("ti_train_max_steps", "100000")
    page.press("ti_start")
    page.says("ti_status", "Waiting until the WebUI has finished")
    page.shot("webui-waiting")
    page.press("ti_stop")
    page.says("ti_status", "was ended before its first step", 5)
    assert files.load(webui.embeddings / f"{NAME}.safetensors").step == before.step
    drawn(webui, "a circle")  # the place in the queue was passed on


def test_what_goes_wrong_is_said_in_the_tab(webui: Instance, page: Page) -> None:
    page.fill("ti_train_name", "<b>none</b>")
    page.press("ti_start")
    said = page.says("ti_status", "ended with an error")
    assert "There is no embedding '<b>none</b>'" in said
    page.shot("webui-error")
    drawn(webui, "a circle")
