"""The loaded model of a genuine WebUI while a session of ours has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from lib_ti.pocket.sample_set import sample_set
from tests.webui.instance import Instance, running


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui"), probes=("probe.py", "model_probe.py")) as instance:
        yield instance


@pytest.fixture
def settings(webui: Instance, tmp_path: Path) -> dict[str, Any]:
    """Settings of a short run of a new embedding."""
    sample_set(tmp_path / "pictures", "striped", count=4)
    webui.call("create", name="zqtest-run", text="striped", vectors=2, overwrite=True)
    return {
        "name": "zqtest-run",
        "dataset": str(tmp_path / "pictures"),
        "max_steps": 3,
        "save_image_every": 0,
        "validate_every": 0,
        "log_directory": str(tmp_path / "runs"),
    }


@pytest.fixture
def their_checkpointing(webui: Instance) -> Iterator[int]:
    """All blocks checkpoint in their own way, as WebUI 1.9 has it; how many there are."""
    before = webui.call("their_checkpointing", at="model")
    yield len(webui.call("their_checkpointing", at="model", on=True))
    webui.call("their_checkpointing", at="model", on=any(before))


@pytest.mark.parametrize("ours", [False, True])
def test_a_model_that_checkpoints_in_its_own_way_is_trained(
    webui: Instance, settings: dict[str, Any], their_checkpointing: int, ours: bool
) -> None:
    assert "does not require grad" in webui.call("frozen_backward", at="model")
    run = webui.call("train", **settings, gradient_checkpointing=ours)
    assert run["problem"] == ""
    assert [event["skipped"] for event in run["events"] if event["event"] == "StepDone"] == [False] * 3
    assert webui.call("their_checkpointing", at="model") == [True] * their_checkpointing


@pytest.mark.parametrize("end", [{"fail_at": 2}, {"full": "step"}, {"learning_rate": "1e38", "max_steps": 40}], ids=str)
def test_its_own_way_is_put_back_after_an_error(
    webui: Instance, settings: dict[str, Any], their_checkpointing: int, end: dict[str, Any]
) -> None:
    assert webui.call("train", **{**settings, "max_steps": 20, **end})["problem"]
    assert webui.call("their_checkpointing", at="model") == [True] * their_checkpointing


def test_the_autoencoder_is_hashed_once_until_another_is_chosen(webui: Instance, settings: dict[str, Any]) -> None:
    prefix = "first_stage_model."
    weights = load_file(webui.models / "pocket" / "pocket.safetensors")
    other = {name.removeprefix(prefix): 1.01 * value for name, value in weights.items() if name.startswith(prefix)}
    folder = webui.folder / "models" / "VAE"
    folder.mkdir(exist_ok=True)
    save_file(other, folder / "other.safetensors")
    webui.call("autoencoders", at="model", times=1)
    first = webui.call("autoencoders", at="model", times=3)
    assert webui.call("train", **settings)["problem"] == ""
    assert first["read"] == webui.call("autoencoders", at="model", times=1)["read"] == 0
    try:
        webui.post("refresh-vae")
        webui.post("options", {"sd_vae": "other.safetensors"})
        second = webui.call("autoencoders", at="model", times=2)
    finally:
        webui.post("options", {"sd_vae": "Automatic"})
    assert second["read"] == 1
    assert set(second["found"]).isdisjoint(first["found"])
    again = webui.call("autoencoders", at="model", times=2)
    assert (again["read"], set(again["found"])) == (1, set(first["found"]))


@pytest.mark.parametrize("checkpointing", ["off", "transformer-blocks", "all-blocks"])
def test_a_step_waits_for_the_device_once(webui: Instance, checkpointing: str) -> None:
    before = webui.call("state")
    found = webui.call("steps_without_values", at="model", checkpointing=checkpointing, steps=2)
    assert len(found) == 2, "\n".join(found)
    assert webui.call("state")["weights"] == before["weights"]
