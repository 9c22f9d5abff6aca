"""Folders and settings that a plan refuses, subfolders, and single images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lib_ti.config import PrepareConfig, problems
from lib_ti.errors import BadInput
from lib_ti.prep.recipe.plan import make_plan
from lib_ti.prep.sources import find_image, find_images
from tests.data.conftest import ImageFolder
from tests.prep.recipe.preparation import settings


def nested(folder: str) -> Callable[[Path], dict[str, str]]:
    return lambda root: {"output": str(root / folder)}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (nested("found"), "is the source folder"),
        (nested("found/../found"), "is the source folder"),
        (nested("found/inner/out"), "is within the source folder"),
        (nested("."), "is within the prepared folder"),
        (nested("a.txt"), "is a file"),
        (lambda root: {"source": str(root / "nowhere")}, "does not exist"),
        (lambda root: {"source": ""}, "Source folder is empty"),
        (lambda root: {"upscaler": "magic"}, "'magic'; there are Lanczos, none, Nearest."),
        (lambda root: {"name": "a/b"}, "not valid file names on every system"),
        (lambda root: {"name": " "}, "Name is empty"),
        (lambda root: {"name_pattern": "[name]"}, "needs [number] or [stem]"),
        (lambda root: {"name_pattern": "[nane]_[number]"}, "[nane] is not known"),
        (lambda root: {"shape": "keep", "split": True}, "Shape is 'keep'"),
        (lambda root: {"width": 100}, "multiple of 8"),
    ],
)
def test_unusable_settings_are_refused(images: ImageFolder, tmp_path: Path, values, words: str) -> None:
    images.draw("a.png")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(BadInput) as refused:
        make_plan(settings(images, **values(tmp_path)), ["Nearest"])
    assert words in str(refused.value)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.png", "a.txt", "found"]


def test_a_link_to_the_source_folder_is_that_folder(images: ImageFolder, tmp_path: Path) -> None:
    images.draw("a.png")
    (tmp_path / "link").symlink_to(images.path)
    with pytest.raises(BadInput, match="is the source folder"):
        make_plan(settings(images, output=str(tmp_path / "link")))
    with pytest.raises(BadInput, match="is within the source folder"):
        make_plan(settings(images, output=str(tmp_path / "link" / "new")))


def test_all_problems_of_the_settings_are_reported_together() -> None:
    assert len(problems(PrepareConfig(shape="x", width=7, name_pattern="a"))) == 5


def test_finding_one_image_equals_scanning_all(images: ImageFolder) -> None:
    images.draw("a.png", caption="a picture")
    images.draw("b.png")
    config = settings(images)
    found, folder = find_images(config)
    assert [find_image(config, item.path.name) for item in found.items] == [(item, folder) for item in found.items]


@pytest.mark.parametrize("name", ["", ".", "..", "missing.png", "../found/a.png", "a.png/"])
def test_a_file_outside_the_source_folder_is_not_found(images: ImageFolder, name: str) -> None:
    images.draw("a.png")
    with pytest.raises(BadInput, match="There is no image"):
        find_image(settings(images), name)


def test_one_image_is_found_only_between_usable_folders(images: ImageFolder) -> None:
    images.draw("a.png")
    with pytest.raises(BadInput, match="is the source folder"):
        find_image(settings(images, output=str(images.path)), "a.png")


def with_subfolders(images: ImageFolder) -> ImageFolder:
    images.draw("0.png", caption="on top")
    inner = ImageFolder(images.path / "10_thing person")
    inner.draw("0.png", caption="within", salt="another")
    inner.draw("0-masklabel.png", mode="L")
    return images


def test_subfolders_that_are_not_used_are_named(images: ImageFolder) -> None:
    plan = make_plan(settings(with_subfolders(images)))
    assert [one.spec.item.name for one in plan.results] == ["0.png"]
    assert "Sub-folders are not searched: 10_thing person (1 image)." in "\n".join(plan.describe())


def test_equal_names_in_subfolders_get_names_of_their_own(images: ImageFolder) -> None:
    plan = make_plan(settings(with_subfolders(images), subfolders=True, name_pattern="[stem]"))
    assert [(one.spec.item.name, one.name, one.spec.caption) for one in plan.results] == [
        ("0.png", "image-0.png", "on top"),
        ("10_thing person/0.png", "image-0_2.png", "within"),
    ]
    assert plan.results[1].spec.item.mask is not None
    assert "each result is used once per epoch" in "\n".join(plan.describe())


@pytest.mark.parametrize("label", ["-mask", "_mask", ".mask", "-masklabel"])
def test_no_result_becomes_the_mask_of_another(images: ImageFolder, label: str) -> None:
    images.draw(f"cat{label}.png")
    before = make_plan(settings(images, name_pattern="[stem]"))
    assert [one.name for one in before.results] == [f"cat{label}.png"]
    images.draw("cat.jpg")
    images.draw(f"cat{label} (2).png")
    other = ImageFolder(images.path / "more")
    other.draw(f"cat{label}.png", salt="a picture of its own")
    names = [one.name for one in make_plan(settings(images, name_pattern="[stem]", subfolders=True)).results]
    assert "cat.png" in names
    assert f"cat{label}.png" not in names


def test_an_image_of_a_subfolder_is_found_by_its_path(images: ImageFolder) -> None:
    config = settings(with_subfolders(images), subfolders=True)
    item, _ = find_image(config, "10_thing person/0.png")
    assert (item.name, item.caption) == ("10_thing person/0.png", "within")
    with pytest.raises(BadInput, match="There is no image"):
        find_image(settings(images), "10_thing person/0.png")
