"""The step Inspect in a real browser, on real photographs: inspected, searched, excluded and included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.prep.edits import Edits
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from tests.prep.photographs import blur, brightness, crop, noise, photograph, resize
from tests.ui.browser import By, Keys, Page, needs_browser_and_model, serving, webdriver

pytestmark = needs_browser_and_model

EVIL = "<img src=x onerror=document.title='broken'>.jpg"
SHARP = ("astronaut", "camera", "china", "flower", "ihc", "motorcycle", "rocket")
IMAGES = ".ti-inspected"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inspect") / "found"
    folder.mkdir()
    for name in SHARP:
        photograph(name).save(folder / f"{name}.jpg", quality=92)
        (folder / f"{name}.txt").write_text(f"a photograph, {name}")
    resize(0.6)(photograph("astronaut")).save(folder / "astronaut (1).jpg", quality=85)
    crop(0.05, 0.03, 0.06, 0.02)(photograph("astronaut")).save(folder / "astronaut crop.jpg", quality=85)
    blur(6)(photograph("retina")).save(folder / "retina soft.png")
    noise(40)(photograph("coffee")).save(folder / "coffee grain.png")
    brightness(0.15)(photograph("moon")).save(folder / "moon night.jpg")
    (folder / "copy of china.jpg").write_bytes((folder / "china.jpg").read_bytes())
    photograph("chelsea").save(folder / EVIL, quality=92)
    (folder / "broken.jpg").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def prepared(found: Path) -> PreparedFolder:
    return PreparedFolder(found.with_name("found-prepared"))


@pytest.fixture(scope="module")
def address(found: Path) -> Iterator[str]:
    with serving(found.parent) as address:
        yield address


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    made = Page(address)
    yield made
    made.driver.quit()


def open_step(page: Page) -> None:
    page.tab("Inspect", "#ti_dataset_tabs")


def names(page: Page) -> list[str]:
    return [one.get_attribute("data-name") or "" for one in page.driver.find_elements(By.CSS_SELECTOR, IMAGES)]


def shows(page: Page, *expected: str) -> None:
    """What is shown, in any order."""
    page.until(lambda: sorted(names(page)) == sorted(expected))


def click(page: Page, css: str) -> None:
    page.shown(page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, css))).click()


def figure(name: str, inside: str = "") -> str:
    return f"#ti_inspect_images [data-name={json.dumps(name)}] {inside}"


def layout(page: Page, title: str) -> None:
    page.click_first("#ti_inspect_layout label", lambda label: label.text.strip() == title, f"a layout {title!r}")


def search(page: Page, text: str) -> None:
    page.find("ti_inspect_find", ":is(textarea, input)").send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE, text)


def excluded(prepared: PreparedFolder) -> set[str]:
    return {one.name for one in read_manifest(prepared).edits.by_digest.values() if one.excluded}


def focused(page: Page, attribute: str) -> str | None:
    return page.driver.switch_to.active_element.get_attribute(attribute)


def test_the_step_says_what_comes_first(page: Page) -> None:
    open_step(page)
    page.says("ti_about_inspect", "Enter the folder with your images or drop them here, then press Inspect.")
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#ti_tab_dataset .ti-error")
    page.shot("inspect-first-sight")
    page.press("ti_inspect_start")
    page.says("ti_inspect_message", "No folder is chosen")
    page.fill("ti_dataset_folder", "nowhere")
    page.press("ti_inspect_start")
    page.says("ti_inspect_message", "does not exist")


def test_all_images_are_inspected_and_shown_with_their_issues(page: Page, found: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.unfold("Prepared folder and image size")
    page.fill("ti_prepare_output", str(found.with_name("found-prepared")))
    for side in ("width", "height"):
        page.fill(f"ti_prepare_{side}", "448")
    page.unfold("Prepared folder and image size")
    page.press("ti_inspect_start")
    page.says("ti_inspect_summary", "images are good")
    page.says(
        "ti_inspect_summary",
        "13 of 13 images are in use, 0 excluded. Inspected at the training size, 448 × 448",
    )
    assert len(names(page)) == 14
    assert page.text("ti_inspect_message") == ""
    assert EVIL in names(page)
    assert page.driver.title != "broken"
    for name, issue in (("retina soft.png", "blurry"), ("coffee grain.png", "noise"), ("moon night.jpg", "dark")):
        assert issue in page.driver.find_element(By.CSS_SELECTOR, figure(name)).text
    page.until(lambda: page.driver.execute_script(_LOADED))
    page.unfold("Files that cannot be used (1)", "summary")
    page.says("ti_inspect_summary", "broken.jpg cannot be used")
    page.shot("inspect-gallery")


_LOADED = """return Array.from(document.querySelectorAll('#ti_inspect_images img'))
    .filter(image => image.getBoundingClientRect().top < innerHeight).every(image => image.naturalWidth > 0)"""


def test_a_press_on_a_word_shows_what_it_says_and_words_can_be_typed(page: Page) -> None:
    click(page, "#ti_inspect_summary [data-word='noise']")
    shows(page, "coffee grain.png")
    page.until(lambda: focused(page, "data-word") == "noise")
    assert focused(page, "aria-pressed") == "true"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: len(names(page)) == 14)
    search(page, "dark, noise")
    shows(page, "coffee grain.png", "moon night.jpg")
    search(page, "Astro")
    shows(page, "astronaut.jpg", "astronaut (1).jpg", "astronaut crop.jpg")
    search(page, "no such thing")
    page.says("ti_inspect_images", "No image matches “no such thing”")
    search(page, "")
    page.until(lambda: len(names(page)) == 14)


def test_a_table_is_sorted_by_its_column_headers(page: Page) -> None:
    layout(page, "Table")
    click(page, "#ti_inspect_images [data-sort='noise']")
    page.until(lambda: names(page)[0] == "coffee grain.png")
    page.until(lambda: focused(page, "data-sort") == "noise")
    page.shot("inspect-table")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: names(page)[-1] == "coffee grain.png")
    assert page.find("ti_inspect_order", "input").get_attribute("value") == "least noise first"
    click(page, "#ti_inspect_images [data-sort='name']")
    page.until(lambda: names(page)[1] == "astronaut (1).jpg")


def test_near_duplicates_stand_side_by_side_and_one_is_used(page: Page, prepared: PreparedFolder) -> None:
    layout(page, "Side by side")
    shows(page, "astronaut.jpg", "astronaut (1).jpg", "astronaut crop.jpg", "china.jpg", "copy of china.jpg")
    assert "Same file as china.jpg" in page.text("ti_inspect_images")
    page.shot("inspect-beside")
    click(page, figure("astronaut crop.jpg", ".ti-inspect-only"))
    page.until(lambda: excluded(prepared) == {"astronaut.jpg", "astronaut (1).jpg"})
    page.says("ti_inspect_summary", "11 of 13")
    page.press("ti_inspect_undo")
    page.says("ti_inspect_message", "Undone: exclude 2 images.")
    assert excluded(prepared) == set()
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, ".ti-inspected.ti-is-excluded [role=switch]"))


def test_switches_are_saved_at_once_and_undone_one_by_one(page: Page, prepared: PreparedFolder) -> None:
    layout(page, "Gallery")
    page.until(lambda: len(names(page)) == 14)
    for name in ("camera.jpg", EVIL):
        click(page, figure(name, ".ti-switch"))
    page.until(lambda: excluded(prepared) == {"camera.jpg", EVIL})
    page.says("ti_inspect_summary", "11 of 13")
    assert page.text("ti_inspect_message") == "Saved."
    page.until(lambda: page.text("ti_inspect_undo").startswith("Undo: exclude <img src=x"))
    page.press("ti_inspect_undo")
    page.until(lambda: excluded(prepared) == {"camera.jpg"})
    page.says("ti_inspect_undo", "Undo: exclude camera.jpg")
    page.says("ti_inspect_summary", "12 of 13")
    page.press("ti_inspect_undo")
    page.until(lambda: excluded(prepared) == set())
    page.until(lambda: not page.find("ti_inspect_undo").is_enabled())


def test_a_range_of_images_is_selected_and_excluded_at_once(page: Page, prepared: PreparedFolder) -> None:
    with_key(page, "camera.jpg")
    with_key(page, "coffee grain.png", Keys.SHIFT)
    with_key(page, "flower.jpg", Keys.CONTROL)
    with_key(page, "china.jpg", Keys.CONTROL)
    assert selected(page) == ["camera.jpg", "coffee grain.png", "flower.jpg"]
    page.says("ti_inspect_images", "3 selected")
    page.shot("inspect-selected")
    click(page, "#ti_inspect_images [data-select=exclude]")
    page.until(lambda: excluded(prepared) == {"camera.jpg", "coffee grain.png", "flower.jpg"})
    page.says("ti_inspect_undo", "Undo: exclude 3 images")
    assert len(selected(page)) == 3
    page.press("ti_inspect_undo")
    page.until(lambda: excluded(prepared) == set())
    page.says("ti_inspect_redo", "Redo: exclude 3 images")


def test_images_are_selected_by_keys(page: Page, prepared: PreparedFolder) -> None:
    with_key(page, "astronaut.jpg")
    keyboard(page, Keys.ARROW_RIGHT)
    page.driver.switch_to.active_element.send_keys(Keys.SHIFT, Keys.ARROW_RIGHT)
    assert selected(page) == ["astronaut.jpg", "camera.jpg", "china.jpg"] or len(selected(page)) == 3
    keyboard(page, "l")
    page.until(lambda: len(excluded(prepared)) == 3)
    keyboard(page, "l")
    page.until(lambda: excluded(prepared) == set())
    keyboard(page, Keys.ESCAPE)
    assert selected(page) == []
    keyboard(page, Keys.SPACE)
    assert len(selected(page)) == 1
    keyboard(page, Keys.CONTROL + "a")
    assert len(selected(page)) == 13
    keyboard(page, Keys.ENTER)
    page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, "dialog[open].ti-large-image"))
    keyboard(page, Keys.ESCAPE)
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"))
    keyboard(page, Keys.ESCAPE)
    reachable = "return document.querySelectorAll('#ti_inspect_images .ti-select:not([tabindex=\"-1\"])').length"
    assert page.driver.execute_script(reachable) == 1


def with_key(page: Page, name: str, key: str = "") -> None:
    """Click an image while a key is held."""
    image = page.shown(page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, figure(name, "img"))))
    chain = webdriver.ActionChains(page.driver)
    chain = chain.key_down(key).click(image).key_up(key) if key else chain.click(image)
    chain.perform()


def keyboard(page: Page, keys: str) -> None:
    page.driver.switch_to.active_element.send_keys(keys)


def selected(page: Page) -> list[str]:
    shown = page.driver.find_elements(By.CSS_SELECTOR, ".ti-inspected.ti-selected")
    return [one.get_attribute("data-name") or "" for one in shown]


def test_suggested_images_are_excluded_also_from_the_plan(page: Page, prepared: PreparedFolder) -> None:
    advised = {"astronaut (1).jpg", "astronaut crop.jpg", "retina soft.png", "coffee grain.png", "moon night.jpg"}
    page.press("ti_inspect_exclude_suggested")
    page.says("ti_inspect_message", "Excluded: ")
    assert excluded(prepared) >= advised
    assert "china.jpg" not in excluded(prepared)
    page.until(lambda: not page.find("ti_inspect_exclude_suggested").is_enabled())
    page.shot("inspect-advised")
    page.tab("Prepare", "#ti_dataset_tabs")
    page.press("ti_prepare_plan")
    assert "moon night.jpg" in page.says("ti_prepare_message", "Excluded by hand").split("Excluded by hand")[1]
    open_step(page)


def test_a_list_of_names_does_the_same(page: Page, prepared: PreparedFolder) -> None:
    page.unfold("Advanced")
    page.until(lambda: set(page.value("ti_inspect_names").splitlines()) == excluded(prepared))
    page.fill("ti_inspect_names", "nobody.jpg")
    page.press("ti_inspect_save_names")
    page.says("ti_inspect_message", "There is no image 'nobody.jpg'")
    page.fill("ti_inspect_names", "flower.jpg")
    page.press("ti_inspect_save_names")
    page.says("ti_inspect_message", "Changed: ")
    assert excluded(prepared) == {"flower.jpg"}
    page.unfold("Advanced")


def test_all_shown_images_are_excluded_and_included(page: Page, prepared: PreparedFolder) -> None:
    search(page, "astronaut")
    page.until(lambda: len(names(page)) == 3)
    page.press("ti_inspect_exclude")
    page.says("ti_inspect_message", "Excluded: 3 images.")
    assert len(excluded(prepared)) == 4
    search(page, "excluded")
    page.until(lambda: len(names(page)) == 4)
    page.press("ti_inspect_include")
    page.says("ti_inspect_message", "Included: 4 images.")
    assert excluded(prepared) == set()
    search(page, "")


def test_thresholds_are_followed_to_the_last_of_many_quick_steps(page: Page) -> None:
    page.unfold("Thresholds")
    page.until(lambda: page.find("ti_inspect_dark").is_displayed())
    slider = page.find("ti_inspect_dark", "input[type=range]")
    slider.send_keys(*[Keys.ARROW_LEFT] * 24)  # from 12 by halves
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "#ti_inspect_summary [data-word='dark']"))
    page.shot("inspect-thresholds")
    slider.send_keys(Keys.END)
    page.says("ti_inspect_message", "is not below Too bright above")
    page.press("ti_inspect_reset")
    page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, "#ti_inspect_summary [data-word='dark']"))
    page.until(lambda: page.text("ti_inspect_message") == "")
    page.unfold("Thresholds")


def test_images_are_seen_large_one_after_the_other(page: Page, prepared: PreparedFolder) -> None:
    page.until(lambda: len(names(page)) == 14)
    click(page, figure("motorcycle.jpg", ".ti-zoom"))
    large = page.until(lambda: page.driver.find_element(By.CSS_SELECTOR, "dialog[open].ti-large-image"))
    page.until(lambda: page.driver.execute_script("return document.querySelector('dialog img').naturalWidth") == 741)
    keyboard(page, Keys.ARROW_LEFT)
    page.until(lambda: "moon night.jpg" in large.text)
    assert "Half of it is darker than" in large.text
    assert "L to exclude or include" in large.text
    page.shot("inspect-large")
    keyboard(page, "l")
    page.until(lambda: excluded(prepared) == {"moon night.jpg"})
    page.until(lambda: "ti-is-excluded" in (large.get_attribute("class") or ""))
    large.find_element(By.CSS_SELECTOR, ".ti-switch").click()
    page.until(lambda: excluded(prepared) == set())
    keyboard(page, "l")
    page.until(lambda: excluded(prepared) == {"moon night.jpg"})
    for key, place in ((Keys.HOME, "1 of 14"), (Keys.END, "14 of 14"), (Keys.ARROW_RIGHT, "1 of 14")):
        keyboard(page, key)
        page.until(lambda: place in large.text)  # noqa: B023 - asked at once
    while "moon night.jpg" not in large.text:
        keyboard(page, Keys.ARROW_RIGHT)
    keyboard(page, Keys.ESCAPE)
    page.until(lambda: not page.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"))
    assert "ti-is-excluded" in (
        page.find("ti_inspect_images", "[data-name='moon night.jpg']").get_attribute("class") or ""
    )
    assert focused(page, "aria-label") == "Select moon night.jpg"


def test_a_new_page_and_another_steps_decisions_are_shown(page: Page, prepared: PreparedFolder) -> None:
    page.open()
    open_step(page)
    page.says("ti_inspect_summary", "12 of 13")
    page.until(lambda: page.value("ti_dataset_folder") == str(prepared.path.with_name("found")))
    assert len(names(page)) == 14
    page.tab("Crop", "#ti_dataset_tabs")

    def nothing_excluded(edits: Edits) -> Edits:
        return Edits({digest: replace(one, excluded=False) for digest, one in edits.by_digest.items()})

    update_edits(prepared, nothing_excluded)
    open_step(page)
    page.says("ti_inspect_summary", "13 of 13")


def test_it_fits_a_phone(address: str) -> None:
    phone = Page(address, 500)
    try:
        open_step(phone)
        phone.until(lambda: len(names(phone)) == 14)
        for title in ("Gallery", "Side by side", "Table"):
            layout(phone, title)
            phone.until(lambda: phone.find("ti_inspect_images", IMAGES))
            over = phone.driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0
        phone.shot("inspect-phone")
    finally:
        phone.driver.quit()
