"""Fewer vectors in a real browser: compare, stop, read the table, keep the first ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model
TRAIN = "train my-style --dataset images --max-steps 2 --save-embedding-every 2 --save-image-every 0 --nested-dropout"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after a run of two steps."""
    made = tmp_path_factory.mktemp("vectors")
    sample_set(made / "images", "striped", count=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        assert main("create my-style --text style --vectors 3".split()) == 0
        assert main(TRAIN.split()) == 0
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        yield made
        made.driver.quit()


def test_numbers_of_vectors_are_compared_and_the_first_kept(page: Page, folder: Path) -> None:
    page.tab("Results")
    page.until(lambda: page.find("ti_results_name_refresh").is_displayed(), wanted="the lists")
    page.fill("ti_results_name", "my-style")
    page.press("ti_results_show")
    page.until(lambda: page.value("ti_checkpoint"), wanted="a checkpoint")
    page.fill("ti_checkpoint", "2")
    page.unfold("Fewer vectors")
    page.press("ti_vectors_compare")
    page.says("ti_vectors_task", "Comparing the numbers of vectors of my-style: ", 120)
    page.press("ti_vectors_task_stop")
    page.says("ti_vectors_message", "stopped", 120)
    page.press("ti_vectors_compare")
    page.until(lambda: page.find("ti_vectors", "img"), 240, wanted="the images")
    assert "Gain kept" in page.text("ti_vectors") and "none" in page.text("ti_vectors")
    assert page.text("ti_vectors_message") == ""
    page.shot("vectors")
    page.fill("ti_vectors_keep", "9")
    page.press("ti_vectors_cut")
    page.says("ti_vectors_kept", "give a number from 1 to 2")
    page.fill("ti_vectors_keep", "2")
    page.press("ti_vectors_cut")
    page.says("ti_vectors_kept", "now has 2 vectors, the first of 3 after step 2.")
    page.shot("vectors-kept")
    assert files.load(folder / "embeddings" / "my-style.safetensors").count == 2
