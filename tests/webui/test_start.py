"""Start in a genuine WebUI and a real browser: one press, the WebUI killed during the run, and it continues."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from tests.ui.browser import Page, needs_browser
from tests.webui.instance import Instance, running

pytestmark = needs_browser
OUTER = "#tabs > .tab-nav"
NAME = "zqtest-start"
STEPS = 40
_SECONDS = 300


@contextmanager
def opened(webui: Instance) -> Iterator[Page]:
    """The sub-tab Start, which a new page opens on."""
    page = Page(webui.address)
    try:
        page.tab("Textual Inversion", OUTER)
        page.until(lambda: page.find("ti_make_it").is_displayed(), wanted="Start")
        yield page
    finally:
        page.driver.quit()


def test_one_press_makes_a_keyword_also_when_the_webui_is_killed_meanwhile(tmp_path: Path) -> None:
    sample_set(tmp_path / "found", "outlined+glowing", count=12)
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "found")
    folder = tmp_path / "webui"
    folder.mkdir()
    with running(folder) as webui, opened(webui) as page:
        page.find("ti_make_files", "input[type=file]").send_keys(archive)
        page.says("ti_make_files", "1 file,")  # it is uploaded
        page.fill("ti_make_keyword", NAME)
        page.says("ti_make_keyword_remarks", "The keyword is free")
        page.fill("ti_make_what", "drawing")
        page.unfold("More settings")
        page.fill("ti_make_max_steps", str(STEPS))
        page.press("ti_make_it")
        page.until(lambda: files.load(folder / "embeddings" / f"{NAME}.safetensors"), _SECONDS, wanted="an embedding")
        page.says("ti_make_status", f"of {STEPS}", _SECONDS)
        assert len(list((folder / "datasets" / NAME).glob("*.png"))) == 12
        assert len(list((folder / "datasets" / f"{NAME}-prepared").glob("*.png"))) >= 8  # some are excluded
    with running(folder) as webui, opened(webui) as page:
        page.says("ti_make_message", f"{NAME} is not finished", 60)
        assert page.value("ti_make_keyword") == NAME
        page.press("ti_make_it")
        page.until(lambda: page.find("ti_make_result", "figure img"), _SECONDS, wanted="the images before and after")
        page.shot("webui-start")
        assert webui.get("embeddings")["loaded"][NAME]["vectors"] == 4
        assert len(list((folder / "runs").glob(f"*/{NAME}"))) == 1
        page.press("ti_make_use")
        page.until(lambda: page.find("txt2img_prompt").is_displayed(), wanted="the txt2img tab")
        assert page.value("txt2img_prompt").endswith(f", by {NAME}")
