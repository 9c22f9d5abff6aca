"""Samplers of the txt2img tab that previews lack."""

from __future__ import annotations

import pytest

from lib_ti.host.embedded.sampling.samplers import find_sampler
from lib_ti.host.embedded.sampling.schedules import SCHEDULES
from lib_ti.ui.tab import SAMPLERS, SCHEDULERS
from lib_ti.ui.train.sampling_names import nearest, with_known_names


def test_the_tab_offers_what_the_embedded_host_has() -> None:
    assert set(SCHEDULERS) == {"Automatic", *SCHEDULES}
    for sampler in SAMPLERS:
        find_sampler(sampler, "Automatic")


def test_known_names_stay_whatever_their_case() -> None:
    taken = {"sampler": "dpm++ 2m", "scheduler": "Karras", "steps": 20}
    assert with_known_names(taken, SAMPLERS, SCHEDULERS) == (taken, [])
    assert with_known_names({}, SAMPLERS, SCHEDULERS) == ({}, [])


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("DPM++ 2M SDE Turbo", "DPM++ 2M SDE"),
        ("UniPC", "DPM++ 2M"),
        ("Euler CFG++", "Euler"),
        ("LMS", "Euler"),
        ("DPM++ 3M a", "DPM++ 2S a"),
        ("Restart", "Heun"),
        ("DDPM", "Euler a"),
        ("DDIM CFG++", "DDIM"),
    ],
)
def test_the_nearest_takes_its_place(theirs: str, ours: str) -> None:
    assert nearest(theirs, SAMPLERS) == ours


def test_what_is_replaced_is_said() -> None:
    values, said = with_known_names({"sampler": "Restart", "scheduler": "Beta"}, SAMPLERS, SCHEDULERS)
    assert values == {"sampler": "Heun", "scheduler": "Automatic"}
    assert said == [
        "Sampler Restart of txt2img is not available here: previews use Heun.",
        "Schedule type Beta of txt2img is not available here: previews use Automatic.",
    ]
