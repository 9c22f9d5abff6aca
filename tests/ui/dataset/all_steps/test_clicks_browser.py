"""The step-by-step way in a real browser, counting its clicks: from an untouched page to a training run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_blip import make_blip
from tests.ui.browser import Page, needs_browser_and_model, serving

pytestmark = needs_browser_and_model

MOST = 9
_COUNT = """
window.clicks = [];
document.addEventListener("click", function (event) {
    if (event.isTrusted) { // a click of the mouse, and none of a script's
        window.clicks.push(event.target.closest("button").textContent.trim());
    }
}, true);
"""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """An untouched page, with a captioner."""
    make_blip(tmp_path / "models" / "BLIP")
    with serving(tmp_path) as address:
        page = Page(address)
        page.driver.get(address)
        page.until(lambda: page.find("ti_tabs"))
        yield page
        page.driver.quit()


def click(page: Page, name: str) -> None:
    button: Any = page.until(lambda: page.find(name), wanted=f"#{name}")
    page.until(lambda: button.is_displayed() and button.is_enabled(), wanted=f"#{name} to click")
    page.click(button)


def test_the_full_way_by_hand_takes_at_most_nine_clicks(page: Page, found: Path, tmp_path: Path) -> None:
    page.driver.execute_script(_COUNT)
    page.tab("Dataset")
    page.fill("ti_dataset_folder", str(found))
    click(page, "ti_inspect_start")
    page.says("ti_inspect_summary", "5 of 5 images are in use")
    click(page, "ti_next_inspect")
    page.until(lambda: page.find("ti_crop_grid", ".ti-crop-box").is_displayed(), wanted="the crop boxes")
    page.shot("clicks-crop")
    click(page, "ti_past_crop")
    page.says("ti_prepare_message", "is ready to train on")
    click(page, "ti_next_prepare")
    page.until(lambda: page.find("ti_captions_generate").is_displayed(), wanted="the captioners, unfolded")
    page.shot("clicks-captions")
    click(page, "ti_captions_generate")
    page.says("ti_captions_result", "Images: 5 captioned")
    page.says("ti_todo_captions", "Done")
    click(page, "ti_past_captions")
    page.says("ti_create_for", f"The Train tab uses 5 images of {found}-prepared.")
    page.shot("clicks-create")
    page.fill("ti_create_name", "my-style")
    click(page, "ti_create")
    page.until(lambda: page.find("ti_start").is_displayed(), wanted="the Train tab")
    assert page.value("ti_train_name") == "my-style"
    click(page, "ti_start")
    page.says("ti_status", "step", 120)
    clicks = page.driver.execute_script("return window.clicks")
    page.press("ti_stop")
    assert len(clicks) <= MOST, clicks
    assert (tmp_path / "embeddings" / "my-style.safetensors").is_file()
