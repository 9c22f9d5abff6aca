"""What the Train page shows beside its fields: the images of the folder, and settings that have no effect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import TrainConfig, to_mapping
from lib_ti.errors import BadInput
from lib_ti.training.checks.findings import Finding
from lib_ti.training.snapshot import Snapshot
from lib_ti.ui.controller import Controller
from lib_ti.ui.tab import build
from lib_ti.ui.train import effects, view
from tests.fakes import FakeHost, draw_images


def test_the_strip_shows_ten_images_and_counts_all(controller: Controller, tmp_path: Path) -> None:
    folder = draw_images(tmp_path / "images", 12)
    draw_images(folder / "more", 3, size=16)
    shown = view.dataset_strip(*controller.train.images(str(folder), subfolders=False))
    assert shown.count("<img") == 10
    assert "12 images" in shown
    assert "sub-folder" in shown
    assert "15 images" in view.dataset_strip(*controller.train.images(str(folder), subfolders=True))
    assert controller.train.images(" ", subfolders=False) == ([], ())
    with pytest.raises(BadInput):
        controller.train.images(str(folder / "nowhere"), subfolders=False)


def test_settings_without_effect_are_named() -> None:
    values = to_mapping(TrainConfig())
    assert set(effects.without_effect(values, from_txt2img=False)) == {"clip_value"}
    assert {"preview_prompt", "preview_seed"} <= set(effects.without_effect(values, from_txt2img=True))
    fixed = {**values, "vector_norm": "fixed", "clip": "norm", "validate_every": 0}
    found = effects.without_effect(fixed, from_txt2img=False)
    assert set(found) == {"weight_decay", "validation_split", "restore_best"}
    assert "Vector norm is fixed" in found["weight_decay"]
    # Check refuses these values together, and a greyed field could not be corrected.
    assert effects.without_effect({**fixed, "weight_decay": 0.1, "validate_every": 1}, from_txt2img=False) == {}


def test_settings_without_effect_in_this_host_are_greyed_with_the_reason(host: FakeHost) -> None:
    host.models.without_effect = {"optimization": "Without effect here."}
    fields = {block.elem_id: block for block in build(host).blocks.values() if hasattr(block, "info")}
    optimization, learning_rate = fields["ti_train_optimization"], fields["ti_train_learning_rate"]
    assert (optimization.interactive, optimization.info) == (False, "Without effect here.")
    assert learning_rate.interactive is not False
    clip_value = fields["ti_train_clip_value"]  # has none beside the defaults
    assert (clip_value.interactive, clip_value.info) == (False, "Without effect: Gradient clipping is disabled.")


def test_previews_of_several_prompts_are_a_grid_with_the_newest_step_first(
    controller: Controller, values: dict[str, Any]
) -> None:
    controller.train.start({**values, "preview_prompt": "a <house>, [name]\na cat by [name]"})
    assert controller.runs.wait(20)
    shown = view.previews(controller.runs.snapshot())
    assert "a &lt;house&gt;, my-style" in shown
    assert shown.count("<img") == 6
    rows = [shown.index(f'<th scope="row">{step}</th>') for step in ("step 6", "step 3", "before training")]
    assert rows == sorted(rows)
    assert "<table" not in view.previews(Snapshot())


def test_the_prompt_of_txt2img_is_one_prompt_however_many_lines_it_has(
    controller: Controller, values: dict[str, Any]
) -> None:
    controller.train.start({**values, "preview_prompt": "a\nb"}, {"prompt": "a house,\n\nby my-style", "seed": 5})
    assert controller.runs.wait(20)
    assert {one.prompt for one in controller.runs.snapshot().previews} == {"a house, by my-style"}


def test_what_check_found_is_one_line_with_the_problems_above() -> None:
    good, warning, error = Finding("good", "A good."), Finding("warning", "A warning."), Finding("error", "An error.")
    shown = view.checked([warning, good])
    assert "<summary>✓ Ready, 1 warning</summary>" in shown
    assert shown.index("A warning.") < shown.index("<details") < shown.index("A good.")
    assert "✗ 2 problems" in view.checked([error, error])
