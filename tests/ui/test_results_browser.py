"""Results in a real browser: one choice of a step for everything, large images, downloads, the empty page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import By, Keys, Page, needs_browser_and_model, serving, webdriver

pytestmark = needs_browser_and_model
TRAIN = (
    "train my-style --dataset images --max-steps 4 --save-embedding-every 2 --save-image-every 2 --validate-every 1 "
    "--preview-steps 2 --preview-seed 7"
).split()
PROMPTS = ["--preview-prompt", "a big circle, by [name]", "--preview-prompt", "a star, by [name]"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after two runs of an embedding, the second with previews of two prompts."""
    made = tmp_path_factory.mktemp("results")
    sample_set(made / "images", "striped", count=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        patch.setattr("lib_ti.training.images.plot.loss_plot", lambda folder: folder.loss_plot)
        for overwrite, prompts in (((), ()), (("--overwrite",), PROMPTS)):
            assert main(["create", "my-style", "--text", "style", "--vectors", "2", *overwrite]) == 0
            assert main([*TRAIN, *prompts]) == 0
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        yield made
        made.driver.quit()


def shown(page: Page) -> tuple[str, str, str, str]:
    """Slider, list, images and the button that restores: all are of one step."""
    images = page.driver.find_elements(By.CSS_SELECTOR, "#ti_results_preview figcaption")
    names = {one.text.split("\n")[0] for one in images}
    return (
        page.value("ti_results_step"),
        page.value("ti_checkpoint"),
        "/".join(names),
        page.text("ti_restore_checkpoint"),
    )


def marked(page: Page) -> str:
    """Step and prompt of the image that the strip marks."""
    return str(page.find("ti_results_strip", "[aria-current]").get_attribute("data-pick"))


def press_key(page: Page, key: str) -> None:
    webdriver.ActionChains(page.driver).send_keys(key).perform()


def test_without_runs_the_page_says_what_it_is_for_and_where_to_begin(tmp_path: Path) -> None:
    with serving(tmp_path) as address:
        page = Page(address)
        page.tab("Results")
        page.says("ti_results_first_sight", "There is no run yet")
        assert not page.find("ti_results_show").is_displayed()
        page.shot("results-empty")
        page.press("ti_results_to_start")
        page.until(lambda: page.find("ti_make_it").is_displayed(), wanted="the sub-tab Start")
        page.driver.quit()


def test_whatever_chooses_a_step_moves_all_the_rest(page: Page) -> None:
    page.tab("Results")
    page.until(lambda: page.value("ti_checkpoint") == "best", wanted="what was trained last, and its best step")
    page.fill("ti_checkpoint", "4")
    expected = ("4", "4", "step 4", "Restore step 4")
    page.until(lambda: shown(page) == expected, wanted="all of step 4")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_results_preview img")) == 2
    page.until(lambda: marked(page) == "4 1", wanted="the image in the strip")
    page.click(page.find("ti_results_strip", "[data-pick='2 2']"))
    expected = ("2", "2", "step 2", "Restore step 2")
    page.until(lambda: shown(page) == expected, wanted="all of step 2")
    page.until(lambda: marked(page) == "2 2", wanted="the image that was pressed")
    page.fill("ti_results_step", "4")
    page.until(lambda: shown(page)[1:] == ("4", "step 4", "Restore step 4"), wanted="all of step 4")
    page.until(lambda: marked(page) == "4 2", wanted="the image of the same prompt")
    page.shot("results-chosen")


def test_values_of_the_curve_are_read_by_pointer_and_keys_and_a_step_chosen(page: Page) -> None:
    plot = page.find("ti_results_curve", ".ti-plot")
    values = page.find("ti_results_curve", ".ti-values")
    webdriver.ActionChains(page.driver).move_to_element(page.shown(plot)).perform()
    page.until(lambda: values.text.startswith("step 2"), wanted="the values in the middle")
    assert " without the keyword)" in values.text
    page.driver.execute_script("arguments[0].focus()", plot)
    plot.send_keys(Keys.HOME)
    assert values.text.startswith("step 0")
    plot.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert plot.get_attribute("aria-valuetext") == values.text
    assert values.text.startswith("step 2")
    plot.send_keys(Keys.ENTER)
    page.until(lambda: shown(page) == ("2", "2", "step 2", "Restore step 2"), wanted="all of step 2")
    assert page.driver.find_elements(By.CSS_SELECTOR, "#ti_results_curve .ti-other-run")  # the first run


def test_an_image_opens_large_with_the_next_by_key_and_what_was_seen_last_is_chosen(page: Page) -> None:
    page.click(page.find("ti_results_preview", "a"))
    dialog = page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, "dialog.ti-large-image"), wanted="the viewer")
    assert "step 2\na big circle, by my-style (seed 7)" in dialog.text and "2 of 6" in dialog.text
    page.shot("results-viewer")
    press_key(page, Keys.ARROW_RIGHT)
    assert "step 4" in dialog.text and "3 of 6" in dialog.text
    press_key(page, Keys.END)
    assert "a star, by my-style" in dialog.text and "6 of 6" in dialog.text
    press_key(page, Keys.ARROW_LEFT)
    press_key(page, Keys.ARROW_LEFT)
    assert "before training" in dialog.text
    press_key(page, Keys.ESCAPE)
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "dialog"), wanted="no viewer")
    page.until(lambda: (marked(page), shown(page)[2]) == ("0 2", "before training"), wanted="what was seen last")
    assert "There is no checkpoint of step 0" in page.text("ti_checkpoint_chosen")


def test_a_restore_is_undone_and_a_file_is_downloaded_with_one_press(page: Page, folder: Path) -> None:
    path = folder / "embeddings" / "my-style.safetensors"
    before = files.load(path).step
    page.fill("ti_checkpoint", "2")
    page.until(lambda: page.text("ti_restore_checkpoint") == "Restore step 2", wanted="the button")
    page.press("ti_restore_checkpoint")
    page.says("ti_checkpoint_message", "is now the checkpoint of step 2")
    assert files.load(path).step == 2
    page.until(lambda: page.text("ti_undo_restore") == f"Undo: restore step {before}", wanted="the button")
    page.shot("results-restored")
    page.press("ti_undo_restore")
    page.says("ti_checkpoint_message", f"is again the embedding of step {before}")
    assert files.load(path).step == before
    page.until(lambda: not page.find("ti_undo_restore").is_displayed(), wanted="nothing more to undo")
    page.driver.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    page.press("ti_download_pt")
    page.until((folder / "my-style.pt").exists, wanted="the file in the folder of downloads")
    assert files.load(folder / "my-style.pt").step == 2
    page.press("ti_download_images")
    link = page.until(lambda: page.find("ti_download", "a[download$='.zip']"), wanted="a link to the zip")
    with urlopen(link.get_attribute("href")) as answer:
        assert answer.read(2) == b"PK"


def test_another_run_is_compared_and_checkpoints_are_archived_after_a_question(page: Page, folder: Path) -> None:
    page.unfold("Compare with another run")
    field = page.find("ti_compare_other", "input")
    page.click(field)
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    page.says("ti_compare_pair", "Preview prompt")  # in which the runs differ
    page.until(lambda: page.value("ti_compare_checkpoint") == "best", wanted="the best checkpoint of the other run")
    other = page.find("ti_compare_checkpoint", "input")
    page.click(other)
    other.send_keys(Keys.CONTROL, "a")
    other.send_keys("2", Keys.TAB)
    page.fill("ti_compare_prompts", "a big circle, by [name]")
    page.press("ti_compare_generate")
    page.until(lambda: page.find("ti_compare_sheet", "img"), 240, wanted="the images of both")
    page.says("ti_compare_sheet", "at step 2")
    page.unfold("Delete or archive checkpoints")
    page.says("ti_cleanup_kept", "best, which has the lowest validation loss")
    page.press("ti_cleanup_archive")
    page.says("ti_cleanup_question", "into a zip in the run's folder?")
    page.press("ti_cleanup_cancel")
    page.until(lambda: page.text("ti_cleanup_question") == "", wanted="no question")
    page.press("ti_cleanup_delete")
    page.says("ti_cleanup_question", "They cannot be had back")
    page.press("ti_cleanup_archive")
    page.says("ti_cleanup_question", "into a zip in the run's folder?")
    page.shot("results-archive")
    page.press("ti_cleanup_confirm")
    said = page.says("ti_cleanup_message", "are free again")
    assert "Archived" in said
    (archive,) = folder.glob("textual_inversion/*/my-style-2/checkpoints-*.zip")
    assert archive.name in said
    page.until(lambda: "best" in page.text("ti_cleanup_choice"), wanted="what is left")
    assert page.text("ti_cleanup_choice").count("KB") < 3
