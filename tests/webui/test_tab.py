"""The tab in a genuine WebUI and a real browser: what the reader of a tutorial does, and what goes wrong meanwhile.

Each test has an embedding of its own and a page that was just opened, and makes by itself what it needs.
"""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_ti.embedding import files
from lib_ti.host.model import ImageRequest
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.snapshot import ACTIVE
from tests.ui.browser import By, Keys, Page, needs_browser
from tests.webui.instance import Instance, running

pytestmark = needs_browser
OUTER = "#tabs > .tab-nav"
TEMPLATE = "[filewords], by [name]\n[filewords], [name] style"
TEMPLATE_NAME = "my_style_filewords"
PROMPT = "a big circle, by [name]"
TXT2IMG = {"neg_prompt": "triangle", "steps": "4", "width": "64", "height": "64", "seed": "7", "cfg_scale": "5"}
PREVIEWS: dict[str, Any] = {
    "preview_prompt": PROMPT,
    "preview_negative": "triangle",
    "preview_sampler": "DPM++ 2M",
    "preview_steps": 4,
    "preview_seed": 7,
    "preview_width": 64,
    "preview_height": 64,
    "preview_cfg": 5.0,
}
"""The same as settings of a run."""
_RUN_SECONDS = 180
_ENDLESS = 100_000
"""Steps that no test waits for."""


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


_numbers = itertools.count(1)


@pytest.fixture
def free_name(webui: Instance) -> Iterator[str]:
    """A name that no embedding has; a run that a failed test leaves is ended."""
    yield f"zqtest-style-{next(_numbers)}"
    webui.call("stop")
    while webui.call("watched")["state"] in ACTIVE:
        time.sleep(0.2)


@pytest.fixture
def name(webui: Instance, free_name: str) -> str:
    """The name of a fresh embedding."""
    webui.call("create", name=free_name, text="striped drawing", vectors=8)
    return free_name


@pytest.fixture
def template(webui: Instance) -> str:
    (webui.folder / "templates" / f"{TEMPLATE_NAME}.txt").write_text(f"{TEMPLATE}\n")
    return TEMPLATE_NAME


@pytest.fixture
def settings(webui: Instance, name: str, template: str, pictures: Path) -> dict[str, Any]:
    """Settings of a short run with previews and checkpoints every ten steps."""
    return {
        "name": name,
        "dataset": str(pictures),
        "template": template,
        "max_steps": 30,
        "save_image_every": 10,
        "save_embedding_every": 10,
        "restore_best": False,
        "log_directory": str(webui.folder / "runs"),
        **PREVIEWS,
    }


@pytest.fixture
def trained(webui: Instance, settings: dict[str, Any]) -> str:
    """The name of an embedding that was trained for 30 steps."""
    assert webui.call("train", **settings)["problem"] == ""
    return str(settings["name"])


@pytest.fixture(scope="module")
def browser(webui: Instance) -> Iterator[Page]:
    made = Page(webui.address)
    yield made
    made.driver.quit()


@pytest.fixture
def page(browser: Page, free_name: str) -> Page:
    """A page that was just opened."""
    browser.open()
    browser.tab("Textual Inversion", OUTER)
    return browser


def run_folder(webui: Instance, name: str) -> Path:
    return next((webui.folder / "runs").glob(f"*/{name}"))


def generated(webui: Instance, prompt: str) -> np.ndarray:
    request = ImageRequest(prompt, "triangle", sampler="DPM++ 2M", steps=4, seed=7, width=64, height=64, cfg_scale=5)
    return webui.draw(request)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(np.int16)


def open_train(page: Page, name: str, folder: Path, max_steps: int) -> None:
    """The Train tab, filled in."""
    page.tab("Train")
    page.fill("ti_train_name", name)
    page.fill("ti_train_dataset", str(folder))
    page.fill("ti_train_max_steps", str(max_steps))


def open_results(page: Page, name: str) -> None:
    def chosen() -> bool:
        if page.value("ti_results_name") != name:  # the opened tab chooses the last run's, maybe while one types
            page.fill("ti_results_name", name)
        return page.value("ti_results_name") == name

    page.tab("Results")
    page.until(chosen, wanted=f"the embedding {name}")
    page.press("ti_results_show")
    page.until(lambda: page.value("ti_checkpoint") == "best", wanted="the run's checkpoints")
    page.until(lambda: page.find("ti_results_preview", "img"), wanted="the preview of the best step")


def test_an_embedding_is_created(webui: Instance, page: Page, free_name: str) -> None:
    page.tab("Create")
    page.fill("ti_create_name", free_name)
    page.says("ti_create_name_remarks", "is free")
    page.fill("ti_create_text", "striped drawing")
    page.fill("ti_create_vectors", "8")
    page.says("ti_create_tokens_left", "67 remain")
    page.press("ti_create")
    page.says("ti_create_result", f"Created {free_name} with 8 vectors")
    assert webui.get("embeddings")["loaded"][free_name]["vectors"] == 8
    page.shot("webui-create")
    page.tab("Train")
    assert page.value("ti_train_name") == free_name


def test_images_are_inspected_and_used_for_training(page: Page, pictures: Path) -> None:
    folder = shutil.copytree(pictures, pictures.with_name("shown"))  # no run had these
    before = page.value("ti_train_dataset")
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(folder))
    page.press("ti_inspect_start")
    page.says("ti_inspect_summary", "12 of 12 images are in use")
    page.says("ti_dataset_overview", "12 images")
    page.shot("webui-dataset")
    assert page.value("ti_train_dataset") == before
    page.press("ti_dataset_use")
    page.until(lambda: page.value("ti_train_dataset") == str(folder), wanted="the folder in the Train tab")


def test_a_template_is_written_and_chosen(webui: Instance, page: Page, name: str) -> None:
    path = webui.folder / "templates" / "my_written_template.txt"
    page.tab("Train")
    page.fill("ti_train_name", name)
    page.unfold("See and edit the template")
    text = page.until(lambda: page.find("ti_template_text", "textarea"))
    text.send_keys(Keys.CONTROL, "a")
    text.send_keys(TEMPLATE, Keys.TAB)
    page.press("ti_template_prompts")
    page.says("ti_template_rendered", f"by {name}")
    page.fill("ti_template_name", path.stem)
    page.press("ti_template_save")
    page.says("ti_template_saved", path.name)
    page.until(lambda: page.value("ti_train_template") == path.stem, wanted="the template chosen")
    assert path.read_text() == f"{TEMPLATE}\n"
    page.shot("webui-template")


def test_a_replaced_template_is_kept_where_the_webui_does_not_list_it(webui: Instance, page: Page) -> None:
    path = webui.folder / "templates" / "my_replaced_template.txt"
    path.write_text("first [name]\n")
    page.tab("Train")
    page.unfold("See and edit the template")
    text = page.until(lambda: page.find("ti_template_text", "textarea"))
    text.send_keys(Keys.CONTROL, "a")
    text.send_keys(TEMPLATE, Keys.TAB)
    page.fill("ti_template_name", path.stem)
    page.press("ti_template_save")
    page.says("ti_template_saved", "turn on Replace")
    page.tick("ti_template_replace")
    page.press("ti_template_save")
    said = page.says("ti_template_saved", "What it replaced is kept as")
    assert path.read_text() == f"{TEMPLATE}\n"
    (kept,) = (webui.folder / "templates-replaced").iterdir()
    assert (kept.read_text(), str(kept) in said) == ("first [name]\n", True)
    assert [name for name in webui.call("listed_templates") if path.stem in name] == [path.name]


def test_check_finds_nothing_wrong(page: Page, name: str, template: str, pictures: Path) -> None:
    open_train(page, name, pictures, 30)
    page.fill("ti_train_template", template)
    assert page.value("ti_train_width") == "64"  # the model's own
    said = page.check()
    assert "fits the model" in said
    assert "A step needs about" in said
    assert "Model pocket" in said
    page.shot("webui-check")


def test_previews_during_a_run_are_what_txt2img_generates(
    webui: Instance, page: Page, name: str, template: str, pictures: Path
) -> None:
    prompt = PROMPT.replace("[name]", name)
    page.tab("txt2img", OUTER)
    for field, value in {"prompt": prompt, **TXT2IMG}.items():
        page.fill(f"txt2img_{field}", value)
    page.tab("Textual Inversion", OUTER)
    open_train(page, name, pictures, 30)
    page.fill("ti_train_template", template)
    page.fill("ti_train_save_image_every", "10")
    page.fill("ti_train_save_embedding_every", "10")
    page.tick("ti_from_txt2img")
    page.unfold("Learning")
    page.tick("ti_train_restore_best")
    page.press("ti_start")
    page.says("ti_status", "is finished: 30 steps", _RUN_SECONDS)
    page.unfold("Preview settings", "summary")
    shown = page.text("ti_status")
    for words in (PROMPT, "triangle", "DPM++ 2M, Automatic, 4 steps", "64 × 64", "Seed 7"):
        assert words in shown
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_previews img")) == 4
    page.shot("webui-finished")
    run = run_folder(webui, name)
    names = {path.relative_to(run).as_posix() for path in run.rglob("*.*")}
    assert {f"images/{name}-{step}.png" for step in (0, 10, 20, 30)} <= names
    assert {f"embeddings/{name}-{step}.safetensors" for step in (10, 20, 30)} <= names
    assert files.load(run / "image_embeddings" / f"{name}-30.png").step == 30
    assert np.abs(generated(webui, prompt) - pixels(run / "images" / f"{name}-30.png")).mean() < 1


def test_the_webuis_own_list_shows_its_preview(webui: Instance, page: Page, trained: str) -> None:
    assert (webui.embeddings / f"{trained}.preview.png").exists()
    page.tab("txt2img", OUTER)
    page.tab("Textual Inversion", "#txt2img_extra_tabs > .tab-nav")
    page.press("txt2img_textual_inversion_extra_refresh")
    card = page.until(
        lambda: page.driver.find_element(By.CSS_SELECTOR, f"#txt2img_extra_tabs .card[data-name='{trained}']"),
        wanted="the embedding's card",
    )
    picture = page.until(lambda: card.find_element(By.CSS_SELECTOR, "img"), wanted="an image on the card")
    assert f"{trained}.preview.png" in str(picture.get_attribute("src"))


def test_a_checkpoint_is_restored_and_sent_to_txt2img(webui: Instance, page: Page, trained: str) -> None:
    prompt = PROMPT.replace("[name]", trained)
    open_results(page, trained)
    page.unfold("Recipe")
    page.says("ti_results_recipe", TEMPLATE_NAME)
    page.shot("webui-results")
    page.fill("ti_checkpoint", "10")
    page.press("ti_restore_checkpoint")
    page.says("ti_checkpoint_message", "is now the checkpoint of step 10")
    kept = run_folder(webui, trained) / "images" / f"{trained}-10.png"
    assert np.abs(generated(webui, prompt) - pixels(kept)).mean() < 1
    page.fill("ti_results_step", "20")
    page.says("ti_results_preview", "step 20")
    page.press("ti_send_txt2img")
    page.until(lambda: page.find("txt2img_prompt").is_displayed(), wanted="the tab txt2img")
    sent = {field: page.value(f"txt2img_{field}") for field in ("prompt", *TXT2IMG)}
    assert sent == {"prompt": prompt, **TXT2IMG}
    assert page.value("txt2img_sampling") == "DPM++ 2M"
    page.tab("Textual Inversion", OUTER)
    page.press("ti_undo_restore")
    page.says("ti_checkpoint_message", "is again the embedding of step 30")


def test_train_more_continues_the_run(page: Page, trained: str) -> None:
    open_results(page, trained)
    page.press("ti_train_more")
    page.until(lambda: page.value("ti_train_max_steps") == "60", wanted="more steps in the Train tab")
    page.fill("ti_train_max_steps", "40")
    page.press("ti_start")
    page.says("ti_status", "is finished: 40 steps", _RUN_SECONDS)


def test_a_run_continues_through_a_reload_a_refresh_and_a_change_of_model(
    webui: Instance, page: Page, settings: dict[str, Any]
) -> None:
    webui.call("begin", **{**settings, "max_steps": _ENDLESS, "save_image_every": 0})
    webui.until("textual-inversion", 2)
    first = webui.call("loaded")
    webui.call("switch_model", title="other/other.safetensors")
    webui.call("refresh")
    page.open()
    page.tab("Textual Inversion", OUTER)
    page.tab("Train")
    before = page.says("ti_status", f"of {_ENDLESS}")
    page.until(lambda: page.text("ti_status") != before, wanted="another step, without a hand")
    page.shot("webui-training")
    assert not page.find("ti_start").is_enabled()
    assert page.value("ti_train_name") == settings["name"]  # the new page has the run's settings
    assert page.value("ti_train_max_steps") == str(_ENDLESS)
    page.press("ti_stop")
    page.says("ti_status", "was stopped by Interrupt after step")
    assert files.load(webui.embeddings / f"{settings['name']}.safetensors").model_name == "pocket"
    page.until(lambda: webui.call("loaded").startswith("other/"), wanted="the model that was chosen meanwhile")
    webui.post("options", {"sd_model_checkpoint": first})


def test_a_second_page_can_neither_begin_another_run_nor_lose_this_one(
    webui: Instance, page: Page, settings: dict[str, Any]
) -> None:
    webui.call("begin", **{**settings, "max_steps": _ENDLESS, "save_image_every": 0})
    page.tab("Train")
    page.says("ti_status", f"of {_ENDLESS}")
    page.driver.execute_script("document.querySelector('#ti_start').disabled = false")
    page.fill("ti_train_dataset", "x")
    page.driver.execute_script("document.querySelector('#ti_start').click()")
    page.says("ti_check_result", "is in progress")
    assert webui.call("watched")["state"] == "training"


def test_a_run_that_waits_for_its_turn_can_be_ended(webui: Instance, page: Page, name: str, pictures: Path) -> None:
    webui.call("busy", seconds=6.0)
    open_train(page, name, pictures, _ENDLESS)
    page.press("ti_start")
    page.says("ti_status", "Waiting until the WebUI has finished")
    page.shot("webui-waiting")
    page.press("ti_stop")
    page.says("ti_status", "was stopped before its first step", 5)
    assert files.load(webui.embeddings / f"{name}.safetensors").step == 0
    generated(webui, "a circle")  # the place in the queue was passed on


def test_an_error_is_shown_in_the_tab(webui: Instance, page: Page, pictures: Path) -> None:
    open_train(page, "<b>none</b>", pictures, 30)
    page.press("ti_start")
    said = page.says("ti_status", "ended with an error")
    assert "There is no embedding '<b>none</b>'" in said
    page.shot("webui-error")
    generated(webui, "a circle")
