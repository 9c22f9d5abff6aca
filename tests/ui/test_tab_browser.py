"""The tab in a real browser: lists, what is typed into them, messages that come and go, and buttons during a run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from tests.ui.browser import By, Keys, Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tab")
    for name in ("my-style", "other-style"):
        assert (
            main(["create", name, "--text", "style", "--vectors", "2", "--embeddings-dir", str(made / "embeddings")])
            == 0
        )
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with serving(folder, "--sample-images", "images") as address:
        made = Page(address)
        made.until(lambda: made.value("ti_train_width") == "64", wanted="the model's size")
        yield made
        made.driver.quit()


def offered(page: Page, name: str) -> list[str]:
    """What a list offers when it is opened."""
    field = page.find(name, "input")
    page.click(field)
    entries = page.until(lambda: page.driver.find_elements(By.CSS_SELECTOR, "ul.options li"), wanted=f"#{name} open")
    texts = [entry.text.removeprefix("✓").strip() for entry in entries]
    field.send_keys(Keys.TAB)
    return texts


def choose(page: Page, name: str, text: str, key: str) -> None:
    """Type into a list."""
    field = page.find(name, "input")
    page.click(field)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text, key)


def test_files_that_appear_on_disk_are_listed_by_the_button_beside_the_list(page: Page, folder: Path) -> None:
    page.tab("Train")
    assert "new-style" not in offered(page, "ti_train_name")
    shutil.copy(folder / "embeddings" / "my-style.safetensors", folder / "embeddings" / "new-style.safetensors")
    (folder / "textual_inversion_templates").mkdir()
    (folder / "textual_inversion_templates" / "mine.txt").write_text("a photo by [name]\n")
    choose(page, "ti_train_name", "my-style", Keys.TAB)
    page.press("ti_train_name_refresh")
    page.press("ti_train_template_refresh")
    page.until(lambda: "new-style" in offered(page, "ti_train_name"), wanted="new-style")
    page.until(lambda: "mine" in offered(page, "ti_train_template"), wanted="mine")
    assert page.value("ti_train_name") == "my-style"
    assert page.value("ti_train_template") == "style_filewords"
    assert page.find("ti_train_name_refresh").get_attribute("title") == "Refresh list"


@pytest.mark.parametrize("key", [Keys.TAB, Keys.ENTER])
def test_what_is_typed_into_a_list_is_what_is_checked(page: Page, key: str) -> None:
    page.tab("Train")
    choose(page, "ti_train_name", "my", key)
    page.press("ti_check")
    page.says("ti_check_result", "There is no embedding 'my' in")
    choose(page, "ti_train_name", "my-style", key)
    choose(page, "ti_train_template", "sub", key)
    page.says("ti_template_message", "There is no prompt template 'sub'")
    page.press("ti_check")
    page.says("ti_check_result", "There is no prompt template 'sub'")
    choose(page, "ti_train_template", "style_filewords", key)
    page.until(lambda: page.text("ti_template_message") == "", wanted="no error at the template")


def test_an_unknown_sampler_is_found_by_the_check(page: Page) -> None:
    page.tab("Train")
    choose(page, "ti_train_name", "my-style", Keys.TAB)
    page.unfold("Preview settings")
    choose(page, "ti_train_preview_sampler", "Eul", Keys.ENTER)
    page.press("ti_check")
    try:
        # The first check that reads the model and tries a step, which takes its time on a busy machine.
        page.says("ti_check_result", "Sampler 'Eul' is not known", 240)
    finally:
        choose(page, "ti_train_preview_sampler", "Euler a", Keys.ENTER)


def test_saving_a_template_answers_the_error_of_its_name(page: Page, folder: Path) -> None:
    choose(page, "ti_train_template", "fresh", Keys.TAB)
    page.says("ti_template_message", "no prompt template 'fresh'")
    page.unfold("See and edit the template")
    page.fill("ti_template_text", "by [name]")
    page.fill("ti_template_name", "style")
    page.press("ti_template_save")
    page.says("ti_template_saved", "comes with the program")
    page.fill("ti_template_name", "fresh")
    page.press("ti_template_save")
    page.says("ti_template_saved", "Saved")
    page.until(lambda: page.text("ti_template_message") == "", wanted="no error at the template")
    page.press("ti_template_save")
    page.says("ti_template_saved", "turn on Replace")
    page.shot("template")
    page.tick("ti_template_replace")
    page.press("ti_template_save")
    page.says("ti_template_saved", "is kept as")
    page.until(lambda: not page.find("ti_template_replace", "input").is_selected(), wanted="Replace off again")
    page.fill("ti_template_name", "elsewhere")
    page.unfold("See and edit the template")


def test_an_error_stands_on_the_step_whose_button_it_is(page: Page) -> None:
    page.tab("Dataset")
    page.fill("ti_dataset_folder", "images")
    page.tab("Prepare", "#ti_dataset_tabs")
    page.press("ti_prepare_use")
    page.says("ti_prepare_used", "does not exist")
    page.press("ti_prepare_run")
    page.says("ti_prepare_message", "30 made", 120)
    page.until(lambda: page.text("ti_prepare_used") == "", wanted="no error left")
    page.tab("Captions", "#ti_dataset_tabs")
    page.unfold("Generate captions with a model")
    page.press("ti_captions_generate")
    page.says("ti_captions_result", "BLIP")
    page.shot("failed-work")
    assert page.text("ti_dataset_task") == ""
    page.tab("Prepare", "#ti_dataset_tabs")
    assert "BLIP" not in page.driver.find_element(By.CSS_SELECTOR, "#ti_tab_dataset").text


def test_during_a_run_what_needs_the_model_says_so_at_once(page: Page) -> None:
    page.tab("Train")
    choose(page, "ti_train_name", "my-style", Keys.TAB)
    choose(page, "ti_train_template", "style_filewords", Keys.TAB)
    page.fill("ti_train_dataset", "images")
    page.fill("ti_train_max_steps", "4000")
    page.fill("ti_train_save_embedding_every", "10")
    if not page.find("ti_train_preview_prompt").is_displayed():
        page.unfold("Preview settings")
    page.fill("ti_train_preview_prompt", "a red circle by my-style")
    page.press("ti_start")
    page.says("ti_status", "of 4000", 240)
    page.until(lambda: page.value("ti_train_preview_prompt") == "a red circle by [name]", wanted="[name]")
    expected = "Training my-style is in progress (step"
    page.press("ti_check")
    page.says("ti_check_result", expected, 15)
    page.shot("busy-check")
    page.tab("Create")
    page.fill("ti_create_name", "third-style")
    page.press("ti_create")
    page.says("ti_create_result", expected, 15)
    page.shot("busy-create")
    page.tab("Results")

    def listed() -> str:
        """The run is there to be chosen once it has saved its first state."""
        page.press("ti_results_name_refresh")
        return page.value("ti_checkpoint")

    page.until(listed, 120, wanted="a checkpoint")
    page.unfold("Contact sheet")
    page.press("ti_sheet_generate")
    page.says("ti_sheet_message", expected, 15)
    page.shot("busy-sheet")


def test_after_the_run_a_retry_answers_and_a_typed_run_is_refused(page: Page) -> None:
    page.tab("Train")
    page.press("ti_stop")
    page.says("ti_status", "was stopped", 240)
    for tab, box in (("Train", "ti_check_result"), ("Create", "ti_create_result"), ("Results", "ti_sheet_message")):
        page.tab(tab)
        page.until(
            lambda box=box: "is in progress" not in page.text(box), 15, wanted=f"nothing of the ended run in #{box}"
        )
    page.fill("ti_sheet_prompts", "\n".join(["a red circle by [name]"] * 24))
    page.press("ti_sheet_generate")
    # On a slow machine the page may pass over numbers, and the run has saved fewer checkpoints.
    progress = re.compile(r"Contact sheet of my-style: [1-9]\d* of \d+")
    page.until(lambda: progress.search(page.text("ti_sheet_task")), 240, wanted="the number of finished images")
    page.shot("sheet-progress")
    page.press("ti_sheet_task_stop")
    page.says("ti_sheet_message", "was stopped after", 60)
    assert page.text("ti_sheet_task") == ""
    page.tab("Create")
    page.press("ti_create")
    page.says("ti_create_result", "Created third-style", 240)
    page.tab("Results")
    page.fill("ti_sheet_prompts", "a red circle by [name]")
    page.press("ti_sheet_generate")
    page.until(lambda: page.find("ti_sheet", "img"), 240, wanted="the sheet")
    assert page.text("ti_sheet_message") == ""
    page.shot("sheet")
    choose(page, "ti_results_run", "no-such-run", Keys.TAB)
    page.says("ti_results_message", "no run of")
    page.until(
        lambda: not page.driver.find_elements(By.CSS_SELECTOR, "#ti_sheet img"), wanted="no sheet of another run"
    )
    # Once, at the choice of the run, also when the slider is moved.
    page.fill("ti_results_step", "5")
    page.until(lambda: page.text("ti_results_preview") == "", wanted="no preview of another run")
    assert "no run of" in page.text("ti_results_message")


def test_a_preset_fills_in_the_form_and_none_resets_it(page: Page) -> None:
    page.tab("Train")
    choose_preset(page, "style")
    page.until(lambda: page.value("ti_train_learning_rate") == "1.1x", wanted="the learning rate of the preset")
    assert page.value("ti_train_max_steps") == "0"
    page.fill("ti_train_learning_rate", "0.5x")
    choose_preset(page, "none")
    page.until(lambda: page.value("ti_train_learning_rate") == "0.005", wanted="the usual learning rate")
    assert page.value("ti_train_max_steps") == "5000"


def choose_preset(page: Page, name: str) -> None:
    page.click(page.find("ti_train_preset", f"input[value='{name}']"))
