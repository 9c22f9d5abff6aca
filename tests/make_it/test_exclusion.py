"""Unusable images are excluded; what most of the images have is their style."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from lib_ti.make_it import exclusion
from lib_ti.prep.inspect.issues import Issue

BLURRY = Issue("blurry", "blurry", "It is blurred.", "exclude")
SAME = Issue("duplicate", "same file", "It is the same file.", "exclude")
SMALL = Issue("small", "small", "It is small.", "fix")


def chosen(*issues: Sequence[Issue]) -> exclusion.Exclusion:
    images = [
        SimpleNamespace(measured=SimpleNamespace(name=f"{number}.png"), issues=of) for number, of in enumerate(issues)
    ]
    report: Any = SimpleNamespace(images=images)
    return exclusion.choose(report)


def names(found: exclusion.Exclusion) -> list[str]:
    return [image.measured.name for image, _ in found.images]


def test_a_blurred_image_is_excluded_and_named() -> None:
    found = chosen([BLURRY], *[[SMALL]] * 9)
    assert names(found) == ["0.png"]
    assert found.describe() == ("Excluded 1 image: 0.png (blurry). Include them again in Inspect.",)


def test_an_issue_of_many_images_belongs_to_them() -> None:
    found = chosen(*[[BLURRY]] * 6, *[[]] * 6)
    assert not found.images
    assert "6 of 12 images have the issue “blurry”" in found.describe()[0]


def test_few_images_are_all_used() -> None:
    found = chosen([BLURRY], [BLURRY], *[[]] * 7)
    assert not found.images
    assert "2 images with issues stay" in found.describe()[0]


def test_the_second_copy_of_a_file_is_not_excluded_since_the_first_would_be_too() -> None:
    found = chosen(*[[]] * 9, [SAME])
    assert not found.images
    assert found.describe() == ("Used once, being in the folder twice: 9.png.",)
