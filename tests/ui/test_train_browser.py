"""The Train page in a real browser: the closed form at a glance, help on demand, and buttons that stay in view."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ui.browser import By, Page, needs_browser_and_model, serving, webdriver

pytestmark = needs_browser_and_model
_SCREEN = 1000
_PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
_BOTTOM = "return document.querySelector('#ti_tab_train').getBoundingClientRect().bottom + window.scrollY"
_PLACE = "return document.getElementById(arguments[0]).getBoundingClientRect().bottom"
_INFO = "#ti_train_learning_rate [data-testid=block-info]"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with serving(tmp_path_factory.mktemp("train"), "--sample-images", "images") as address:
        page = Page(address)
        page.open("Train")
        yield page
        page.driver.quit()


def bottom(page: Page, name: str) -> float:
    return float(page.driver.execute_script(_PLACE, name))


def help_opacity(page: Page) -> float:
    script = "return getComputedStyle(document.querySelector(arguments[0] + ' + div')).opacity"
    return float(page.driver.execute_script(script, _INFO))


def test_the_closed_form_fits_one_screen(page: Page) -> None:
    page.until(lambda: page.value("ti_train_width") == "64", wanted="the model's size")
    page.says("ti_train_images", "30 images")
    assert page.driver.execute_script(_BOTTOM) <= _SCREEN
    page.shot("train-page")


def test_the_images_of_the_folder_are_shown_and_counted(page: Page) -> None:
    page.says("ti_train_images", "30 images")
    images = page.driver.find_elements("css selector", "#ti_train_images img")
    assert len({image.get_attribute("src") for image in images}) == 10
    loaded = "return arguments[0].naturalWidth > 0"
    page.until(lambda: all(page.driver.execute_script(loaded, image) for image in images), wanted="loaded images")
    page.fill("ti_train_dataset", "nowhere")
    page.until(lambda: page.text("ti_train_images") == "", wanted="no images")
    page.fill("ti_train_dataset", "images")
    page.says("ti_train_images", "30 images")


def test_settings_without_effect_are_greyed(page: Page) -> None:
    def editable(name: str) -> bool:
        return bool(page.driver.execute_script("return !arguments[0].disabled", page.find(f"ti_train_{name}", "input")))

    assert editable("weight_decay")
    page.click(page.find("ti_train_preset", "input[value='style']"))
    page.until(lambda: not editable("weight_decay"), wanted="weight decay greyed")
    assert editable("learning_rate")
    page.click(page.find("ti_train_preset", "input[value='none']"))
    page.until(lambda: editable("weight_decay"), wanted="weight decay editable")


def test_help_is_shown_at_the_pointer_and_everywhere_on_demand(page: Page) -> None:
    assert help_opacity(page) == 0
    label = page.driver.find_element("css selector", _INFO)
    webdriver.ActionChains(page.driver).move_to_element(label).perform()
    page.until(lambda: help_opacity(page) == 1, wanted="the help of the learning rate")
    webdriver.ActionChains(page.driver).move_to_element(page.find("ti_check")).perform()
    page.until(lambda: help_opacity(page) == 0, wanted="no help")
    page.tick("ti_train_help")
    page.until(lambda: help_opacity(page) == 1, wanted="all help")
    page.tick("ti_train_help")
    page.until(lambda: help_opacity(page) == 0, wanted="no help")


def test_new_leads_to_create(page: Page) -> None:
    page.press("ti_train_name_new")
    page.until(lambda: page.find("ti_create").is_displayed(), wanted="the tab Create")
    page.tab("Train")


@pytest.mark.parametrize(("tab", "button"), [("Start", "ti_make_it"), ("Create", "ti_create"), ("Train", "ti_start")])
def test_on_a_phone_the_buttons_stay_in_view_and_nothing_is_wider_than_the_screen(
    page: Page, tab: str, button: str
) -> None:
    page.tab(tab)
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", _PHONE)
    try:
        for place in (0, 1e5):
            page.driver.execute_script("window.scrollTo(0, arguments[0])", place)
            page.until(lambda: 0 < bottom(page, button) <= _PHONE["height"], 10, wanted="the button")
        assert page.driver.execute_script("return document.documentElement.scrollWidth") <= _PHONE["width"]
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_change_is_checked_by_itself_without_polling_afterwards(page: Page) -> None:
    page.press("ti_train_name_new")
    page.fill("ti_create_name", "checked-style")
    page.press("ti_create")
    page.says("ti_create_result", "Created checked-style")
    page.tab("Train")
    page.says("ti_check_result", "✓ Ready")
    page.fill("ti_train_template", "nowhere")
    page.says("ti_check_result", "✗ 1 problem")
    asking = (By.CSS_SELECTOR, "#ti_check_result [data-refresh]")
    page.until(lambda: not page.driver.find_elements(*asking), wanted="the end of the check")
    page.fill("ti_train_template", "style_filewords")
    page.says("ti_check_result", "✓ Ready")
