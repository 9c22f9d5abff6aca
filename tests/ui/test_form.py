"""The layout: every setting has its field, every component its id, and nothing is kept in ui-config.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import CreateConfig, TrainConfig, described
from tests.fakes import FakeHost

gradio = pytest.importorskip("gradio", reason="Gradio is not installed")

from lib_ti.ui import tab  # noqa: E402 - after it is known that Gradio is there
from lib_ti.ui.widgets.form import Form  # noqa: E402

SIDES = ("width", "height")
LAYOUT = {"row", "column", "group", "form", "accordion", "tabs", "tabitem", "state"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tab.build(FakeHost(tmp_path_factory.mktemp("host")), dataset="images")


def by_id(blocks: Any) -> dict[str, Any]:
    return {block.elem_id: block for block in blocks.blocks.values() if getattr(block, "elem_id", None)}


def test_every_setting_has_a_field_with_its_label_and_help(alone: Any) -> None:
    found = by_id(alone)
    for kind, prefix in ((CreateConfig, "ti_create"), (TrainConfig, "ti_train")):
        for name, _, default, item in described(kind):
            field = found[f"{prefix}_{name}"]
            assert field.label == item.label
            if name in SIDES:
                continue
            if field.interactive is False:
                assert field.info.startswith("Without effect: ")
            else:
                assert field.info == item.help
            if default != "" and name != "dataset":
                assert field.value == default


def test_the_image_sides_always_show_a_number(alone: Any) -> None:
    assert {by_id(alone)[f"ti_train_{name}"].value for name in SIDES} == {512}


def test_settings_of_the_host_are_the_defaults_of_fields(tmp_path: Path) -> None:
    defaults = {"log_directory": "elsewhere", "file_format": "pt", "seconds": 7}
    found = by_id(tab.build(FakeHost(tmp_path), defaults=defaults))
    assert found["ti_train_log_directory"].value == "elsewhere"
    assert found["ti_create_file_format"].value == "pt"
    assert 'data-seconds="7"' in found["ti_status"].value


def test_ids_start_with_ti_and_are_unique(alone: Any) -> None:
    parts = [block for block in alone.blocks.values() if block.get_block_name() not in LAYOUT]
    ids = [block.elem_id for block in parts]
    assert all(name and name.startswith("ti_") for name in ids), ids
    assert len(set(ids)) == len(ids)


def test_the_webui_saves_no_value(alone: Any) -> None:
    assert all(block.do_not_save_to_config for block in alone.blocks.values())


def test_the_chosen_folder_is_in_both_fields(alone: Any) -> None:
    found = by_id(alone)
    assert found["ti_dataset_folder"].value == found["ti_train_dataset"].value == "images"


def test_txt2img_adds_what_needs_it(tmp_path: Path) -> None:
    with gradio.Blocks():
        components = {"prompt": gradio.Textbox(), "seed": gradio.Number(), "steps": gradio.Slider(1, 150)}
    blocks = tab.build(FakeHost(tmp_path), txt2img=components, samplers=("Heun",), schedulers=("Karras",))
    found = by_id(blocks)
    assert "ti_from_txt2img" in found
    assert "ti_send_txt2img" in found
    assert "ti_send_txt2img" not in by_id(tab.build(FakeHost(tmp_path)))


def test_what_a_program_fills_in_is_remembered_apart_from_what_a_person_chose(alone: Any) -> None:
    with gradio.Blocks():
        form = Form(TrainConfig, "x")
        form.add("preset", "max_steps")
        filled = form.filled("preset")
    assert filled.value == "none"
    updates = dict(zip(form.components, form.updates({"preset": "style"}), strict=True))
    assert updates[filled] == "style"
    assert "value" not in updates[form["max_steps"]]
    assert form.values(dict.fromkeys(form.components, 7)) == {"preset": 7, "max_steps": 7}
