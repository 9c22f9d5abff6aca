"""What checkpoint files say of themselves."""

from __future__ import annotations

import pytest

from lib_ti.families.modelspec import stated_size


@pytest.mark.parametrize(
    ("stated", "size"),
    [
        ("1024x1024", 1024),
        ("64x64", 64),
        ("768", 768),
        (" 512 x 512 ", 512),
        ("832x1216", 1024),
        ("", None),
        ("1024x", None),
        ("large", None),
        (None, None),
    ],
)
def test_the_stated_resolution_is_read(stated: object, size: int | None) -> None:
    assert stated_size({"modelspec.resolution": stated}) == size


def test_a_file_without_metadata_states_nothing() -> None:
    assert stated_size({}) is None
