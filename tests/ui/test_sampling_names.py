"""Samplers of the txt2img tab that previews lack."""

from __future__ import annotations

import pytest

from lib_ti.host.embedded.sampling import SAMPLERS as EMBEDDED
from lib_ti.ui.tab import SAMPLERS, SCHEDULERS
from lib_ti.ui.train.sampling_names import nearest, with_known_names


def test_the_tab_offers_what_the_embedded_host_has() -> None:
    assert set(SAMPLERS) <= set(EMBEDDED)


def test_known_names_stay_whatever_their_case() -> None:
    taken = {"sampler": "dpm++ 2m", "scheduler": "Karras", "steps": 20}
    assert with_known_names(taken, SAMPLERS, SCHEDULERS) == (taken, [])
    assert with_known_names({}, SAMPLERS, SCHEDULERS) == ({}, [])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("DPM++ 2M SDE Heun", "DPM++ 2M SDE"),
        ("DPM++ 3M SDE", "DPM++ 2M"),
        ("Euler CFG++", "Euler"),
        ("DPM2 a", "Euler a"),
        ("Restart", "Euler a"),
        ("DDIM CFG++", "DDIM"),
    ],
)
def test_the_nearest_takes_its_place(theirs: str, ours: str) -> None:
    assert nearest(theirs, SAMPLERS) == ours


def test_what_is_replaced_is_said() -> None:
    values, said = with_known_names({"sampler": "Restart", "scheduler": "Beta"}, SAMPLERS, SCHEDULERS)
    assert values == {"sampler": "Euler a", "scheduler": "Automatic"}
    assert said == [
        "Sampler Restart of txt2img is not available here: previews use Euler a.",
        "Schedule type Beta of txt2img is not available here: previews use Automatic.",
    ]
