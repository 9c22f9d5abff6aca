"""What a page shows of earlier work after the WebUI was ended and started again, in another directory."""

from __future__ import annotations

from pathlib import Path

from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import Page, needs_browser
from tests.webui.instance import running

pytestmark = needs_browser
OUTER = "#tabs > .tab-nav"


def test_a_prepared_folder_is_found_again(tmp_path: Path) -> None:
    source, prepared, folder = tmp_path / "found", tmp_path / "made of them", tmp_path / "webui"
    sample_set(source, "striped", count=9)
    folder.mkdir()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with running(folder, directory=tmp_path / "first") as webui:
        page = Page(webui.address)
        try:
            page.tab("Textual Inversion", OUTER)
            page.tab("Dataset")
            page.fill("ti_dataset_folder", str(source))
            suggested = str(tmp_path / "found-prepared")
            page.until(lambda: page.value("ti_prepare_output") == suggested, wanted=suggested)
            page.unfold("Prepared folder")
            page.fill("ti_prepare_output", str(prepared))
            page.tab("Prepare", "#ti_dataset_tabs")
            page.press("ti_prepare_run")
            page.says("ti_prepare_message", "is ready to train on", 120)
        finally:
            page.driver.quit()
    with running(folder, directory=tmp_path / "second") as webui:
        page = Page(webui.address)
        try:
            page.tab("Textual Inversion", OUTER)
            page.tab("Dataset")
            page.until(lambda: page.value("ti_dataset_folder") == str(source), wanted="the folder of the last session")
            page.until(lambda: page.value("ti_prepare_output") == str(prepared), wanted="its prepared folder")
        finally:
            page.driver.quit()
