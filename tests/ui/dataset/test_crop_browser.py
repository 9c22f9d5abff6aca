"""The steps Crop, Remove and Masks in a real browser, on real photographs, by mouse, keys and finger.

Needs what :mod:`tests.ui.browser` needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_ti.config import PrepareConfig
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.pocket import CHECKPOINT
from lib_ti.prep.manifest import read_manifest
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe.plan import make_plan
from tests.prep.photographs import letter, photograph
from tests.ui.browser import By, Keys, Page, needs_browser, serving

selenium = pytest.importorskip("selenium", reason="the package selenium is not installed")

from selenium.webdriver import ActionChains  # noqa: E402 - after it is known that selenium is there
from selenium.webdriver.common.actions.action_builder import ActionBuilder  # noqa: E402
from selenium.webdriver.common.actions.pointer_input import PointerInput  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    needs_browser,
    pytest.mark.skipif(not CHECKPOINT.exists(), reason="the small model is not there"),
]
SIZE = 256


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crop")


@pytest.fixture(scope="module")
def found(folder: Path) -> Path:
    """Photographs of several shapes, one with text on it, one that is partly transparent."""
    found = folder / "found"
    found.mkdir()
    for name in ("china", "chelsea", "motorcycle", "rocket"):
        photograph(name).save(found / f"{name}.png")
    with_text = letter("© my coffee blog", height=0.06, place=(0.1, 0.9), font="DejaVuSans-Bold")
    with_text(photograph("coffee")).save(found / "coffee.png")
    image = photograph("astronaut").copy()
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 100, 512))
    image.putalpha(alpha)
    image.save(found / "astronaut.png")
    return found


@pytest.fixture(scope="module")
def page(folder: Path, found: Path) -> Iterator[Page]:
    with serving(folder) as address:
        made = Page(address)
        try:
            choose(made, found)
            yield made
        finally:
            made.driver.quit()


def choose(page: Page, found: Path) -> None:
    page.fill("ti_dataset_folder", str(found))
    page.press("ti_dataset_show")
    page.says("ti_dataset_overview", "for training")
    page.unfold("Prepared folder and image size")
    page.fill("ti_prepare_width", str(SIZE))
    page.fill("ti_prepare_height", str(SIZE))


def config(found: Path) -> PrepareConfig:
    output = found.with_name("found-prepared")
    return PrepareConfig(source=str(found), output=str(output), width=SIZE, height=SIZE)


def decided(found: Path) -> dict[str, Any]:
    """What is in the manifest by the images' names."""
    edits = read_manifest(PreparedFolder(Path(config(found).output))).edits
    return {one.name: one for one in edits.by_digest.values()}


def undo(page: Page) -> None:
    ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()


def kept(found: Path, name: str) -> list[list[float]]:
    """An image's crop boxes in the manifest."""
    return [[one.x, one.y, one.width, one.height] for one in decided(found)[name].crop_boxes]


def card(page: Page, name: str) -> Any:
    return page.driver.find_element(By.CSS_SELECTOR, f'#ti_tabs .ti-card[data-name="{name}"]')


def crop_boxes(page: Page, name: str) -> list[Any]:
    return card(page, name).find_elements(By.CSS_SELECTOR, ".ti-crop-box")


def box(crop_box: Any) -> list[float]:
    return [float(share) for share in crop_box.get_attribute("data-box").split()]


def keys(page: Page, *pressed: str) -> None:
    ActionChains(page.driver).send_keys(*pressed).perform()


def saved(page: Page, found: Path, name: str, **expected: Any) -> None:
    """Wait until the manifest has it."""
    page.until(lambda: all(getattr(decided(found)[name], key) == value for key, value in expected.items()), 20)


# Crop


def test_crop_boxes_are_shown_where_prepare_would_crop(page: Page, found: Path) -> None:
    page.tab("Crop")
    page.press("ti_crop_show")
    page.until(lambda: len(page.driver.find_elements(By.CSS_SELECTOR, "#ti_tabs .ti-card")) == 6)
    page.until(lambda: page.driver.execute_script("return document.querySelector('.ti-card img').naturalWidth > 0"))
    assert "ti-default" in crop_boxes(page, "china.png")[0].get_attribute("class")
    page.shot("crop")


def test_a_crop_box_is_moved_and_resized_by_the_mouse(page: Page, found: Path) -> None:
    crop_box = page.shown(crop_boxes(page, "china.png")[0])
    before = box(crop_box)
    ActionChains(page.driver).drag_and_drop_by_offset(crop_box, 20, 0).perform()
    moved = box(crop_box)
    assert moved[0] > before[0] + 0.05
    assert moved[1:] == before[1:]
    corner = crop_box.find_element(By.CSS_SELECTOR, '[data-corner="ne"]')
    ActionChains(page.driver).drag_and_drop_by_offset(corner, -30, 20).perform()
    smaller = box(crop_box)
    assert smaller[2] < moved[2] - 0.05
    assert smaller[1] + smaller[3] == pytest.approx(moved[1] + moved[3], abs=2e-6)  # its lower side stays
    width, height = photograph("china").size
    assert smaller[2] * width == pytest.approx(smaller[3] * height, abs=0.01)  # as square as what is trained
    assert "ti-default" not in crop_box.get_attribute("class")
    page.says("ti_crop_message", "1 image cropped by hand")
    page.until(lambda: kept(found, "china.png") == [pytest.approx(smaller, abs=2e-6)], 20)


def test_crop_boxes_are_added_moved_and_removed_by_keys(page: Page, found: Path) -> None:
    first = page.shown(crop_boxes(page, "motorcycle.png")[0])
    page.driver.execute_script("arguments[0].focus()", first)
    keys(page, "a")
    assert len(crop_boxes(page, "motorcycle.png")) == 2
    before = box(crop_boxes(page, "motorcycle.png")[1])
    keys(page, Keys.ARROW_LEFT, Keys.ARROW_LEFT, Keys.ARROW_DOWN, "-", "-")
    after = box(page.driver.switch_to.active_element)
    assert after[2] < before[2]
    assert after[0] + after[2] / 2 < before[0] + before[2] / 2
    page.until(lambda: len(decided(found)["motorcycle.png"].crop_boxes) == 2, 20)
    keys(page, Keys.DELETE)
    page.until(lambda: len(decided(found)["motorcycle.png"].crop_boxes) == 1, 20)
    undo(page)
    page.until(lambda: len(decided(found)["motorcycle.png"].crop_boxes) == 2, 20)
    assert box(crop_boxes(page, "motorcycle.png")[1]) == pytest.approx(after, abs=2e-6)


def test_images_are_excluded_and_tab_moves_on(page: Page, found: Path) -> None:
    page.driver.execute_script("arguments[0].focus()", crop_boxes(page, "motorcycle.png")[1])
    keys(page, Keys.TAB)
    active = page.driver.switch_to.active_element
    assert active.get_attribute("aria-label").startswith("Crop box on rocket.png")
    keys(page, "l")
    saved(page, found, "rocket.png", excluded=True)
    assert "ti-is-excluded" in card(page, "rocket.png").get_attribute("class")
    page.shot("crop-by-hand")
    button = page.shown(card(page, "rocket.png").find_element(By.CSS_SELECTOR, '[data-do="exclude"]'))
    assert button.text == "Include"
    button.click()
    page.until(lambda: "rocket.png" not in decided(found), 20)


def test_a_double_click_adds_and_default_resets(page: Page, found: Path) -> None:
    image = page.shown(card(page, "chelsea.png").find_element(By.CSS_SELECTOR, ".ti-crop-image"))
    ActionChains(page.driver).double_click(image).perform()
    page.until(lambda: len(decided(found)["chelsea.png"].crop_boxes) == 2, 20)
    card(page, "chelsea.png").find_element(By.CSS_SELECTOR, '[data-do="default"]').click()
    page.until(lambda: "chelsea.png" not in decided(found), 20)
    assert ["ti-default" in crop_box.get_attribute("class") for crop_box in crop_boxes(page, "chelsea.png")] == [True]


def test_a_finger_moves_the_crop_box_that_it_tapped(page: Page, found: Path) -> None:
    crop_box = page.shown(crop_boxes(page, "rocket.png")[0])
    before = box(crop_box)
    place = crop_box.rect
    top = page.driver.execute_script("return window.scrollY")
    x, y = int(place["x"] + place["width"] / 2), int(place["y"] - top + place["height"] / 2)
    finger = PointerInput("touch", "finger")
    for way in (0, 40):
        actions = ActionBuilder(page.driver, mouse=finger)
        actions.pointer_action.move_to_location(x, y).pointer_down()
        for step in range(1, 5):
            actions.pointer_action.move_to_location(x + way * step // 4, y)
        actions.pointer_action.pointer_up()
        actions.perform()
    assert box(crop_box)[0] > before[0] + 0.05
    page.until(lambda: decided(found)["rocket.png"].crop_boxes, 20)


def test_labels_say_what_prepare_will_make(page: Page, found: Path) -> None:
    plan = make_plan(config(found))
    for name in ("china.png", "motorcycle.png", "chelsea.png"):
        made = [one.spec for one in plan.results if one.spec.item.path.name == name]
        labels = [crop_box.text for crop_box in crop_boxes(page, name)]
        expected = [
            f"{one.crop_size[0]}×{one.crop_size[1]}" + (f"×{one.factor:.3g}" if one.factor > 1 else "") for one in made
        ]
        assert [label.replace(" ", "").replace("\n", "") for label in labels] == expected


def test_crop_boxes_are_read_and_written_as_text(page: Page, found: Path) -> None:
    page.unfold("Crop boxes as text")
    page.press("ti_crop_read")
    page.until(lambda: "motorcycle.png:" in page.value("ti_crop_text"))
    lines = [line for line in page.value("ti_crop_text").splitlines() if "china" not in line]
    area = page.find("ti_crop_text", "textarea")
    area.send_keys(Keys.CONTROL, "a")
    area.send_keys("\n".join([*lines, "china.png: 10 20 300 300"]))
    page.press("ti_crop_save")
    page.until(lambda: box(crop_boxes(page, "china.png")[0])[2] == pytest.approx(300 / 640, abs=1e-5))
    page.shot("crop-as-text")
    area = page.find("ti_crop_text", "textarea")
    area.send_keys(Keys.CONTROL, "a")
    area.send_keys("china.png: 10 20 3000 300")
    page.press("ti_crop_save")
    page.says("ti_crop_message", "the crop box 10 20 3000 300 is not within china.png, which is 640×427")


def test_a_new_page_has_the_crop_boxes_as_they_were(page: Page, found: Path) -> None:
    page.open()
    choose(page, found)
    page.tab("Crop")
    page.until(lambda: len(crop_boxes(page, "motorcycle.png")) == 2)
    assert box(crop_boxes(page, "china.png")[0])[2] == pytest.approx(300 / 640, abs=1e-5)
    unchanged = json.loads((Path(config(found).output) / "preparation.json").read_text())
    assert len(unchanged["edits"]) == 3


def test_crop_boxes_of_another_folder_are_not_shown(page: Page, found: Path) -> None:
    (other := found.with_name("other")).mkdir()
    photograph("rocket").save(other / "rocket.png")
    page.open()
    page.fill("ti_dataset_folder", str(other))
    page.press("ti_dataset_show")
    page.says("ti_dataset_overview", "for training")
    page.tab("Crop")
    page.says("ti_crop_grid", "Press “Show crop boxes”")
    assert not page.driver.find_elements(By.CSS_SELECTOR, "#ti_tabs .ti-card")
    page.open()
    choose(page, found)


# Remove


def painted(page: Page, step: str) -> np.ndarray:
    """The layer that the page shows, (H, W) in 0..255."""
    script = (
        "const c = document.querySelector(arguments[0]);"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "const a = []; for (let i = 3; i < d.length; i += 4) a.push(d[i]); return [c.width, c.height, a];"
    )
    width, height, levels = page.driver.execute_script(script, f"#ti_{step}_stage canvas")
    return np.array(levels, dtype=np.uint8).reshape(height, width)


def drag(page: Page, step: str, slider: str, value: int) -> None:
    script = (
        "const s = document.querySelector(arguments[0]); s.value = arguments[1];"
        "s.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.driver.execute_script(script, f"#ti_{step}_stage [data-paint={slider}]", value)


def test_found_text_is_corrected_and_removed(page: Page, found: Path) -> None:
    page.tab("Remove")
    page.open_image("remove", "coffee.png")
    page.press("ti_remove_find_text")
    page.says("ti_remove_message", "Possible text is painted over")
    page.until(lambda: painted(page, "remove").any())
    before = painted(page, "remove")
    page.driver.execute_script("document.querySelector('#ti_remove_stage [data-tool=eraser]').click()")
    rows, columns = np.nonzero(before)
    place = (columns[0] / before.shape[1], rows[0] / before.shape[0])
    page.paint("remove", [place, (place[0] + 0.02, place[1])])
    assert painted(page, "remove").sum() < before.sum()
    page.driver.execute_script("document.querySelector('#ti_remove_stage [data-act=undo]').click()")
    assert np.array_equal(painted(page, "remove"), before)
    page.shot("remove-proposed")
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in coffee.png, by telea")
    (region,) = decided(found)["coffee.png"].removed_regions
    assert region.method == "telea"
    page.until(lambda: page.find("ti_remove_stage", ".ti-before"))
    page.until(lambda: not painted(page, "remove").any())
    drag(page, "remove", "before", 60)
    assert page.find("ti_remove_row", "b:not(:empty)").get_attribute("textContent") == "1 removed"
    page.shot("remove-before-and-after")


def test_undoing_gives_the_paint_back_for_another_method(page: Page, found: Path) -> None:
    page.press("ti_remove_undo")
    page.says("ti_remove_message", "Undone in coffee.png")
    page.until(lambda: "coffee.png" not in decided(found))
    page.until(lambda: painted(page, "remove").any())
    page.driver.find_elements(By.CSS_SELECTOR, "#ti_prepare_fill input")[1].click()
    page.press("ti_remove_start")
    page.says("ti_remove_message", "by ns")
    assert decided(found)["coffee.png"].removed_regions[0].method == "ns"
    page.press("ti_remove_undo")
    page.says("ti_remove_message", "Undone")
    page.press("ti_remove_redo")
    page.says("ti_remove_message", "Redone in coffee.png")
    assert decided(found)["coffee.png"].removed_regions[0].method == "ns"


def test_what_was_just_painted_is_removed_without_waiting(page: Page, found: Path) -> None:
    page.press("ti_remove_next")
    page.until(lambda: "motorcycle.png" in page.text("ti_remove_stage"))
    page.until(lambda: page.find("ti_remove_stage", ".ti-paint.ti-ready"))
    page.driver.execute_script("document.querySelector('#ti_remove_stage [data-tool=brush]').click()")
    page.paint("remove", [(0.3, 0.5), (0.4, 0.5), (0.4, 0.6)])
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in motorcycle.png")
    (region,) = decided(found)["motorcycle.png"].removed_regions
    width, height = photograph("motorcycle").size
    assert region.box[0] / width == pytest.approx(0.3, abs=0.05)
    assert region.box[3] / height == pytest.approx(0.6, abs=0.07)
    assert len(decided(found)["motorcycle.png"].crop_boxes) == 2  # the crop boxes stay


def test_keys_paint_too(page: Page, found: Path) -> None:
    page.open_image("remove", "chelsea.png")
    canvas = page.shown(page.find("ti_remove_stage", "canvas"))
    page.driver.execute_script("arguments[0].focus()", canvas)
    chain = ActionChains(page.driver).key_down(" ").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).key_up(" ")
    chain.perform()
    layer = painted(page, "remove")
    rows, columns = np.nonzero(layer > 127)
    assert columns.min() < layer.shape[1] / 2 < columns.max()
    assert columns.max() - columns.min() > rows.max() - rows.min()
    undo(page)
    assert not painted(page, "remove").any()
    keys(page, Keys.PAGE_DOWN)
    page.until(lambda: "china.png" in page.text("ti_remove_stage"))


def left_half(path: Path, size: tuple[int, int]) -> str:
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 2, size[1]))
    mask.save(path)
    return str(path)


def test_a_mask_from_a_file_is_painted(page: Page, folder: Path) -> None:
    mask = left_half(folder / "wide.png", photograph("china").size)
    page.unfold("Load a mask from a file")
    page.until(lambda: page.find("ti_remove_file", "input[type=file]")).send_keys(mask)
    page.says("ti_remove_message", "The mask is painted")
    page.until(lambda: painted(page, "remove")[:, :300].min() > 127)
    assert not painted(page, "remove")[:, 340:].any()


def test_a_model_fills_as_work_that_the_page_follows(page: Page, found: Path) -> None:
    page.open_image("remove", "rocket.png")
    page.driver.find_elements(By.CSS_SELECTOR, "#ti_prepare_fill input")[2].click()
    page.fill("ti_remove_seed", "5")
    page.paint("remove", [(0.8, 0.2), (0.85, 0.25)])
    page.press("ti_remove_start")
    page.says("ti_remove_message", "Removed in rocket.png, by model", 180)
    (region,) = decided(found)["rocket.png"].removed_regions
    assert (region.method, region.seed) == ("model", 5)
    page.shot("remove-by-model")


# Masks


def test_masks_are_painted_on_prepared_images(page: Page, found: Path) -> None:
    page.tab("Masks")
    page.until(lambda: "press Prepare first" in page.text("ti_step_masks"))
    page.tab("Prepare")
    page.press("ti_prepare_run")
    page.says("ti_prepare_message", "is ready to train on", 120)
    page.tab("Masks")
    page.until(lambda: page.find("ti_masks_stage", ".ti-paint.ti-ready"))
    page.paint("masks", [(0.2, 0.2), (0.8, 0.2), (0.8, 0.3)])
    page.says("ti_masks_message", "of the image is trained")
    prepared = Path(config(found).output)
    with Image.open(prepared / "picture_001-mask.png") as mask:
        level = np.asarray(mask)
    assert level[int(0.2 * SIZE), int(0.5 * SIZE)] == 0
    assert level[int(0.8 * SIZE), int(0.5 * SIZE)] == 255
    assert page.find("ti_masks_row", "b:not(:empty)").get_attribute("textContent") == "mask"
    page.shot("masks")


def test_a_mask_is_saved_when_the_next_image_is_opened_at_once_and_reloaded(page: Page, found: Path) -> None:
    page.driver.execute_script("document.querySelector('#ti_masks_stage [data-act=invert]').click()")
    page.press("ti_masks_next")
    page.until(lambda: "picture_002.png" in page.text("ti_masks_stage"))
    with Image.open(Path(config(found).output) / "picture_001-mask.png") as mask:
        assert np.asarray(mask).mean() < 127
    page.press("ti_masks_previous")
    page.until(lambda: "picture_001.png" in page.text("ti_masks_stage"))
    page.until(lambda: painted(page, "masks").mean() > 127)


def test_masks_are_made_from_transparency_and_removed(page: Page, found: Path) -> None:
    page.press("ti_masks_transparency")
    page.says("ti_masks_message", "of the image is trained")
    page.until(lambda: painted(page, "masks")[:, :10].min() > 127)
    assert not painted(page, "masks")[:, SIZE // 2 :].any()
    page.press("ti_masks_remove")
    page.says("ti_masks_message", "it has no mask. The previous mask is now")
    page.until(lambda: not painted(page, "masks").any())
    page.press("ti_masks_next")
    page.until(lambda: "picture_002.png" in page.text("ti_masks_stage"))
    page.press("ti_masks_transparency")
    page.says("ti_masks_message", "has no transparent parts; paint the mask instead")


def test_masks_are_loaded_from_files_and_training_uses_them(page: Page, found: Path, folder: Path) -> None:
    page.unfold("Load a mask from a file")
    mask = left_half(folder / "square.png", (64, 64))
    page.until(lambda: page.find("ti_masks_file", "input[type=file]")).send_keys(mask)
    page.says("ti_masks_message", "50% of the image is trained")
    page.until(lambda: painted(page, "masks")[:, SIZE // 2 + 8 :].min() > 127)
    dataset = scan(Path(config(found).output), Rules(SIZE, SIZE, use_alpha=True, validation_split=0))
    assert [item.path.name for item in dataset.items if item.mask] == ["picture_002.png"]
    page.tab("Prepare")
    page.press("ti_prepare_use")
    page.until(lambda: page.find("ti_train_use_alpha", "input").is_selected())


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (500, "light")])
def test_pages_fit_the_dark_and_the_phone(page: Page, found: Path, width: int, theme: str) -> None:
    other = Page(f"{page.address}/?__theme={theme}", width)
    try:
        choose(other, found)
        other.tab("Crop")
        other.until(lambda: len(crop_boxes(other, "motorcycle.png")) == 2)
        other.shot(f"crop-{theme}-{width}")
        for step, title, name in (("remove", "Remove", "coffee.png"), ("masks", "Masks", "picture_002.png")):
            other.tab(title)
            other.open_image(step, name)
            other.shot(f"{step}-{theme}-{width}")
            assert other.driver.execute_script("return document.documentElement.scrollWidth") <= width
    finally:
        other.driver.quit()
