"""Crop boxes of the source images: proposed, sent by a page, saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from lib_ti.background.tasks import TaskContext
from lib_ti.config import PrepareConfig
from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.crop_box import CropBox
from lib_ti.prep.edits import Edits, ImageEdits, RemovedRegion
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.recipe.execute import execute_plan
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.ui.dataset.crop import state
from lib_ti.ui.dataset.crop.state import FolderCrops
from tests.fakes import FakeHost
from tests.ui.dataset.crop.conftest import crops_of, digest, sent, task


def test_images_are_in_natural_order_and_unusable_files_are_listed(found: FolderCrops) -> None:
    assert [one.name for one in found.images] == ["2 corner.png", "10 coffee.png", "cat.jpg"]
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        ("broken.jpg", "it is not an image of a known kind")
    ]


def test_boxes_belong_to_the_folder_that_a_page_names(
    config: PrepareConfig, found: FolderCrops, tmp_path: Path
) -> None:
    for same in (config.source, f' "{config.source}/" ', ""):
        assert found.is_of(same)
    assert not found.is_of(str(tmp_path / "other"))


def test_default_crop_boxes_are_those_that_prepare_uses(config: PrepareConfig, found: FolderCrops) -> None:
    execute_plan(make_plan(config), progress=lambda *_: None, stop=lambda: False)
    made = {one.source: one.crop_box for one in read_manifest(found.folder).results}
    assert len(made) == 3
    for one in found.images:
        (default,) = one.default
        crop_box = made[one.name]
        assert crop_box is not None
        assert default.pixels(one.item.source_size) == crop_box.pixels(one.item.source_size)


def test_long_images_have_a_crop_box_for_each_part(config: PrepareConfig) -> None:
    Image.new("RGB", (900, 200), "red").save(Path(config.source) / "long.png")
    found = state.propose(PrepareConfig(**{**vars(config), "split": True}), (), task())
    assert len(crops_of(found, "long.png").default) == 6


def test_the_same_settings_reopen_no_image(config: PrepareConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    first = state.propose(config, (), task())
    looked_at: list[str] = []
    original = state.proposed_crop_boxes

    def counted(item: Any, *args: Any) -> Any:
        looked_at.append(item.path.name)
        return original(item, *args)

    monkeypatch.setattr(state, "proposed_crop_boxes", counted)
    Image.fromarray(skimage.data.coffee()[:, ::-1]).save(Path(config.source) / "new.png")
    second = state.propose(config, (), task(), first)
    assert looked_at == ["new.png"]
    assert crops_of(second, "cat.jpg").default == crops_of(first, "cat.jpg").default
    other = PrepareConfig(**{**vars(config), "width": 512})
    assert not second.matches(other)
    state.propose(other, (), task(), second)
    assert len(looked_at) == 5


def test_progress_is_reported_and_a_stop_ends_the_search(config: PrepareConfig) -> None:
    seen: list[dict[str, Any]] = []
    state.propose(config, (), TaskContext(lambda **changes: seen.append(changes)))
    assert {"done": 0, "total": 3} in seen
    assert {"done": 3, "total": 3} in seen
    asked = task()
    asked.control.stop()
    with pytest.raises(Stopped, match="stopped after 1 of 3 images"):
        state.propose(config, (), asked)


def test_what_a_page_sends_is_in_the_next_plan(config: PrepareConfig, found: FolderCrops) -> None:
    host = FakeHost(Path(config.source).parent)
    two = [[0, 0, 0.5, 0.75], [0.4, 0.25, 0.5, 0.75]]
    for message in (sent(found, "10 coffee.png", two), sent(found, "cat.jpg", [], excluded=True)):
        state.save(host.folders, state.read_message(message))
    plan = make_plan(config)
    assert plan.excluded == ("cat.jpg",)
    sizes = [one.spec.crop_size for one in plan.results if one.spec.item.path.name == "10 coffee.png"]
    assert sizes == [(300, 300)] * 2


def test_resetting_to_default_crop_boxes_leaves_no_decision(config: PrepareConfig, found: FolderCrops) -> None:
    host = FakeHost(Path(config.source).parent)
    state.save(host.folders, state.read_message(sent(found, "cat.jpg", [[0, 0, 0.5, 0.5]])))
    edits = state.save(host.folders, state.read_message(sent(found, "cat.jpg", [])))
    assert edits == Edits()


def test_crop_boxes_keep_removed_regions_unchanged(found: FolderCrops) -> None:
    erased = RemovedRegion("abc", (0, 0, 9, 9), "telea")
    key = digest(found, "cat.jpg")
    update_edits(
        found.folder,
        lambda edits: edits.with_image(key, ImageEdits("cat.jpg", excluded=True, removed_regions=(erased,))),
    )
    edits = state.decide(found.folder, {key: ImageEdits("cat.jpg", crop_boxes=(CropBox(0, 0, 0.5, 0.5),))})
    assert edits.by_digest[key] == ImageEdits(
        "cat.jpg", crop_boxes=(CropBox(0, 0, 0.5, 0.5),), removed_regions=(erased,)
    )


def test_a_crop_box_ends_at_the_edge_that_rounding_took_it_over(found: FolderCrops) -> None:
    changes = state.read_message(sent(found, "cat.jpg", [[-0.000001, 0.333334, 1.000002, 0.666667]]))
    (crop_box,) = changes.decisions[digest(found, "cat.jpg")].crop_boxes
    assert (crop_box.x, crop_box.width, crop_box.y + crop_box.height) == (0, 1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"images": {"../../etc": {"name": "a", "excluded": False, "crop_boxes": []}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[0, 0, 1]]}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[0, 0, "x", 1]]}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[0.5, 0, 0, 1]]}}},
        {"images": {"a" * 64: {"name": "a", "excluded": False, "crop_boxes": [[float("nan"), 0, 1, 1]]}}},
        {"images": []},
    ],
)
def test_what_is_no_message_is_refused(found: FolderCrops, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="reload the page"):
        state.read_message(sent(found, "cat.jpg", [], **change))
    for text in ("", "[]", "{", "7"):
        with pytest.raises(BadInput, match="reload the page"):
            state.read_message(text)


def test_a_page_writes_only_where_it_may(found: FolderCrops, tmp_path: Path) -> None:
    host = FakeHost(tmp_path)
    host.folders.allowed = (tmp_path / "elsewhere",)
    with pytest.raises(BadInput, match="outside the folders"):
        state.save(host.folders, state.read_message(sent(found, "cat.jpg", [[0, 0, 1, 1]])))
    assert not found.folder.manifest.exists()
