"""A WebUI that keeps its folders to itself: what its pages may name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import Page, needs_browser
from tests.webui.instance import Instance, running

pytestmark = needs_browser


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui"), "--hide-ui-dir-config") as instance:
        yield instance


def test_pages_name_folders_of_the_webui_only(webui: Instance) -> None:
    sample_set(webui.folder / "datasets" / "mine", "striped", count=9)
    sample_set(webui.folder / "secret", "striped", count=9)
    page = Page(webui.address)
    try:
        page.tab("Textual Inversion", "#tabs > .tab-nav")
        page.tab("Dataset")
        page.fill("ti_dataset_folder", str(webui.folder / "secret"))
        page.press("ti_inspect_start")
        said = page.says("ti_inspect_message", "is outside the folders this server allows")
        assert str(webui.folder / "datasets") in said
        page.shot("webui-out-of-reach")
        choose_in_browser(page, webui)
        page.press("ti_inspect_start")
        page.says("ti_dataset_overview", "9 images")
        assert page.value("ti_prepare_output") == str(webui.folder / "datasets" / "mine-prepared")
        page.tab("Train")
        page.unfold("See and edit the template")
        page.fill("ti_train_template", str(webui.folder / "config.json"))
        page.says("ti_template_message", "is outside the folders this server allows")
    finally:
        page.driver.quit()
    webui.post("options", {"ti_folders": str(webui.folder / "secret")})
    assert webui.get("options")["ti_folders"] == ""


def choose_in_browser(page: Page, webui: Instance) -> None:
    """Choose datasets/mine with the folder browser, which shows nothing else and refuses what is typed."""
    datasets = webui.folder / "datasets"
    page.press("ti_dataset_folder_browse")
    page.until(lambda: page.value("ti_folders_location") == str(datasets), wanted="the WebUI's datasets")
    page.until(lambda: "mine (9 images)" in page.text("ti_folders_list"), wanted="the folder of images")
    page.fill("ti_folders_location", str(webui.folder / "secret"))
    page.press("ti_folders_open")
    page.says("ti_folders_message", f"'{webui.folder / 'secret'}' is outside the folders this server allows")
    assert "secret" not in page.text("ti_folders_list")
    page.shot("webui-folders")
    page.fill("ti_folders_location", str(datasets / "mine"))
    page.press("ti_folders_choose")
    page.until(lambda: page.value("ti_dataset_folder") == str(datasets / "mine"), wanted="the chosen folder")
    kept = webui.folder / "textual_inversion" / ".preparations" / "recent-folders.txt"
    assert kept.read_text().splitlines()[0] == str(datasets / "mine")
