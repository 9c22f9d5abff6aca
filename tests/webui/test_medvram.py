"""A genuine WebUI that was started with --medvram, --medvram-sdxl or --lowvram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib_ti.host.model import ImageRequest
from lib_ti.pocket.sample_set import sample_set
from tests.webui.families import Families, running_with_families

NAME = "zqtest-run"
KINDS = ("sd1", "sd2-v", "sdxl")
MOVED = {"--medvram": KINDS, "--medvram-sdxl": ("sdxl",)}
"""The kinds of models whose parts the WebUI moves between main memory and the device."""
FIXED = ImageRequest("a big red circle", steps=2, seed=7, width=64, height=64)


@pytest.fixture(scope="module", params=list(MOVED))
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Families, str]]:
    with running(tmp_path_factory.mktemp("webui"), request.param) as families:
        yield families, request.param


def running(folder: Path, argument: str) -> Any:
    return running_with_families(folder, argument, kinds=KINDS, more_probes=("device_probe.py",))


def at_device(families: Families, name: str) -> Any:
    return families.webui.call(name, at="device")


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    sample_set(tmp_path / "images", "striped", count=6)
    return {
        "name": NAME,
        "dataset": str(tmp_path / "images"),
        "max_steps": 4,
        "save_image_every": 2,
        "validate_every": 2,
        "preview_prompt": "a circle by [name]",
        "preview_steps": 2,
        "preview_seed": 7,
        "log_directory": str(tmp_path / "runs"),
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_has_all_on_the_device_and_puts_it_back(
    started: tuple[Families, str], kind: str, settings: dict[str, Any]
) -> None:
    families, argument = started
    webui = families.webui
    families.load(kind)
    assert at_device(families, "low_memory") == (kind in MOVED[argument])
    webui.call("create", name=NAME, text="striped", vectors=2, overwrite=True)
    with_it = replace(FIXED, prompt=f"a circle by {NAME}")
    fresh, image, places = webui.draw(with_it), webui.draw(FIXED), where(families)
    before = webui.call("state")
    assert at_device(families, "misplaced") == []

    run = webui.call("train", **settings)
    assert run["problem"] == ""
    happened = [event["event"] for event in run["events"]]
    assert (happened.count("PreviewMade"), happened.count("PreviewFailed"), happened.count("Evaluated")) == (3, 0, 3)
    assert at_device(families, "misplaced") == []

    after = webui.call("state")
    for found in (before, after):  # the trained embedding is loaded again, and the prompts' cache is emptied
        found["embeddings"] = [item for item in found["embeddings"] if item[0] != NAME]
        found.pop("remembered")
    assert after == before
    assert np.array_equal(webui.draw(FIXED), image)
    assert not np.array_equal(webui.draw(with_it), fresh)
    assert (where(families), at_device(families, "misplaced")) == (places, [])


def where(families: Families) -> list[str]:
    """The parts on the device after the WebUI has generated an image."""
    families.webui.draw(FIXED)
    return list(at_device(families, "on_device"))


def test_a_network_in_main_memory_is_noticed(started: tuple[Families, str]) -> None:
    families, _ = started
    at_device(families, "misplaced")
    at_device(families, "use_in_memory")
    assert at_device(families, "misplaced") == ["Linear"]


def test_lowvram_is_refused_by_name(tmp_path: Path, settings: dict[str, Any]) -> None:
    with running(tmp_path, "--lowvram") as families:
        for kind in KINDS:
            families.load(kind)
            image, before = families.webui.draw(FIXED), families.webui.call("state")
            said = families("refusal", changes=[])
            assert "started with --lowvram" in said
            assert "start it with --medvram" in said
            assert families.webui.call("state") == before
            assert np.array_equal(families.webui.draw(FIXED), image)
