"""Training in a genuine Forge or reForge: what it gives, and that the fork is afterwards as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from lib_ti.embedding import files
from lib_ti.host.model import ImageRequest
from lib_ti.pocket.sample_set import sample_set
from tests.forge.instance import OTHER, POCKET, SMALL, fork
from tests.host.captioner_models import make_image_to_text
from tests.webui.instance import Instance
from tests.webui.runs import JOB, ended, of_kind, wait_for

NAME = "zqtest-run"
FIXED = ImageRequest("a red circle", sampler="Euler", steps=2, seed=7, width=64, height=64)
WITH_IT = replace(FIXED, prompt=f"a circle by {NAME}")


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with fork(tmp_path_factory.mktemp("fork")) as instance:
        yield instance


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    sample_set(folder, "striped", count=8)
    return folder


@pytest.fixture
def settings(webui: Instance, pictures: Path, tmp_path: Path) -> dict[str, Any]:
    """Settings of a short run of a new embedding without images."""
    webui.call("select", title=SMALL)
    webui.call("create", name=NAME, text="striped", vectors=2, overwrite=True)
    return {
        "name": NAME,
        "dataset": str(pictures),
        "max_steps": 3,
        "width": 64,
        "height": 64,
        "learning_rate": "0.05",
        "save_image_every": 0,
        "validate_every": 0,
        "save_embedding_every": 0,
        "preview_prompt": "a big circle, by [name]",
        "preview_sampler": "Euler",
        "preview_steps": 2,
        "preview_seed": 7,
        "log_directory": str(tmp_path / "runs"),
    }


# What it gives


def test_an_image_is_the_same_before_and_after_a_run(webui: Instance, settings: dict[str, Any]) -> None:
    before = webui.draw(FIXED)
    run = webui.call("train", **{**settings, "save_image_every": 2})
    assert run["problem"] == ""
    assert of_kind(run, "RunFinished")[0]["reason"] == "done"
    assert len(of_kind(run, "PreviewMade")) == 3, of_kind(run, "PreviewFailed")
    assert np.array_equal(webui.draw(FIXED), before)


def test_the_embedding_is_used_at_once_and_in_each_version(webui: Instance, settings: dict[str, Any]) -> None:
    fresh = webui.draw(WITH_IT)
    assert webui.call("train", **settings)["problem"] == ""
    trained = webui.draw(WITH_IT)
    assert not np.array_equal(trained, fresh)
    assert files.load(webui.embeddings / f"{NAME}.safetensors").step == 3


def test_the_last_preview_is_what_txt2img_generates(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("train", **{**settings, "save_image_every": 3})
    preview = next(Path(settings["log_directory"]).glob(f"*/{NAME}/images/{NAME}-3.png"))
    theirs = webui.draw(replace(WITH_IT, prompt=f"a big circle, by {NAME}"))
    ours = np.asarray(Image.open(preview).convert("RGB")).astype(np.int16)
    assert np.abs(theirs - ours).max() <= 2


def test_the_pocket_model_is_trained_though_the_fork_cannot_generate_with_it(
    webui: Instance, settings: dict[str, Any]
) -> None:
    webui.call("select", title=POCKET)
    created = webui.call("create", name="zqtest-pocket", text="striped", vectors=2, overwrite=True)
    assert created["seconds"] < 2
    pocket = {**settings, "name": "zqtest-pocket", "max_steps": 20, "width": 0, "height": 0, "validate_every": 10}
    run = webui.call("train", **{**pocket, "save_image_every": 10})
    assert run["problem"] == ""
    assert len(of_kind(run, "PreviewMade")) == 3, of_kind(run, "PreviewFailed")
    assert files.load(webui.embeddings / "zqtest-pocket.safetensors").model_name == "pocket"
    webui.call("select", title=SMALL)
    webui.draw(FIXED)


def test_txt2img_has_all_fields_that_previews_are_read_from(webui: Instance) -> None:
    assert len(webui.call("txt2img_fields")) == 9


# Tools


def test_captioners_upscalers_and_inpainting_are_the_hosts(webui: Instance, pictures: Path, tmp_path: Path) -> None:
    webui.call("select", title=POCKET)  # generates what is inpainted in a moment
    image = next(pictures.glob("*.png"))
    make_image_to_text(webui.folder / "models" / "captioners" / "small", "blip")
    webui.call("make_blip")
    webui.call("make_deepbooru", tags=["1girl", "red_hair", "zzz"], seen=2)
    assert webui.call("captioners") == ["BLIP", "deepbooru", "small"]
    for name in ("BLIP", "small"):
        assert len(webui.call("caption", name=name, image=str(image))) == 1
    assert webui.call("caption", name="deepbooru", image=str(image)) == ["1girl, red hair"]
    assert "zqsmall" in webui.call("upscale", image=str(image), target=str(tmp_path / "large.png"))
    with Image.open(image) as own, Image.open(tmp_path / "large.png") as large:
        assert large.size == (2 * own.width, 2 * own.height)
        mask = Image.new("L", own.size)
    mask.paste(255, (16, 16, 40, 40))
    mask.save(tmp_path / "mask.png")
    webui.call("inpaint", image=str(image), mask=str(tmp_path / "mask.png"), target=str(tmp_path / "filled.png"))
    with Image.open(image) as own, Image.open(tmp_path / "filled.png") as filled:
        before, after = (np.asarray(one.convert("RGB")) for one in (own, filled))
    assert not np.array_equal(before[16:40, 16:40], after[16:40, 16:40])
    assert np.array_equal(before[:8], after[:8])
    webui.call("select", title=SMALL)


# Without the model


def test_create_and_check_leave_the_forks_model_alone(webui: Instance, settings: dict[str, Any]) -> None:
    webui.draw(FIXED)
    log = webui.folder / "webui.log"
    before = log.read_text(errors="replace").count("Unload model")
    webui.call("busy", seconds=3.0)  # another image is being generated
    created = webui.call("create", name=NAME, text="a cat", vectors=2, overwrite=True)
    found = webui.call("check", **settings)
    assert created["seconds"] < 2
    assert [text for kind, text in found if kind == "error"] == []
    assert any("The model was not loaded for this check" in text for _, text in found)
    assert log.read_text(errors="replace").count("Unload model") == before


# That nothing of it is left


def test_memory_is_back(webui: Instance, settings: dict[str, Any]) -> None:
    webui.draw(FIXED)
    webui.call("train", **settings)
    webui.draw(FIXED)
    before = webui.call("resident")
    webui.call("create", name=NAME, text="striped", vectors=2, overwrite=True)
    run = webui.call("train", **{**settings, "log_directory": settings["log_directory"] + "2", "save_image_every": 2})
    assert run["problem"] == ""
    after = webui.call("resident")
    assert after <= before * 1.01


def test_an_interrupt_from_anywhere_stops_it_and_it_resumes(webui: Instance, settings: dict[str, Any]) -> None:
    before = webui.draw(FIXED)
    webui.call("begin", **{**settings, "max_steps": 100000})
    webui.until(JOB, 2)
    assert webui.get("progress?skip_current_image=true")["progress"] > 0
    webui.post("interrupt")
    now = wait_for(webui, ended)
    assert (now["state"], now["errors"]) == ("stopped", [])
    assert "elsewhere in the WebUI" in now["stopped_by"]
    assert np.array_equal(webui.draw(FIXED), before)
    run = webui.call("train", **{**settings, "max_steps": now["step"] + 2})
    assert run["problem"] == ""
    assert of_kind(run, "RunStarted")[0]["resumed"]
    assert of_kind(run, "RunFinished")[0]["step"] == now["step"] + 2


def test_an_image_that_was_asked_for_meanwhile_is_generated_after_the_run(
    webui: Instance, settings: dict[str, Any]
) -> None:
    fresh = webui.draw(WITH_IT)
    webui.call("begin", **{**settings, "max_steps": 20})
    webui.until(JOB, 1)
    waited = webui.draw(WITH_IT)  # answers when the run has ended
    assert ended(webui.call("watched"))
    assert np.array_equal(webui.draw(WITH_IT), waited)
    assert not np.array_equal(waited, fresh)


def test_reload_ui_does_not_end_it(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("begin", **{**settings, "max_steps": 100000})
    webui.until(JOB, 1)
    before = webui.call("watched")
    webui.call("reload_ui")
    webui.started(times=2)
    after = webui.call("watched")
    assert after["page"] != before["page"]
    assert (after["state"], after["errors"]) == ("training", [])
    assert '"ti_train_name"' in webui.page("/config")
    webui.post("interrupt")
    wait_for(webui, ended)


# Accidents


def test_another_checkpoint_is_selected_during_a_run(webui: Instance, settings: dict[str, Any]) -> None:
    first = webui.draw(FIXED)
    webui.call("begin", **{**settings, "max_steps": 12, "save_image_every": 6})
    webui.until(JOB, 1)
    assert webui.call("select", title=OTHER).startswith(OTHER)
    now = wait_for(webui, ended)
    assert (now["state"], now["errors"]) == ("done", []), now
    assert files.load(webui.embeddings / f"{NAME}.safetensors").model_name == "small"
    assert not np.array_equal(webui.draw(FIXED), first)  # the next image is by the other
    webui.call("select", title=SMALL)
    assert np.array_equal(webui.draw(FIXED), first)


def test_a_refresh_while_embeddings_are_written_renames_none(webui: Instance, settings: dict[str, Any]) -> None:
    half = webui.embeddings / f".{NAME}-0123.safetensors.writing"
    half.write_bytes(b"half of a file")
    webui.post("refresh-embeddings")
    webui.call("select", title=OTHER)
    webui.draw(FIXED)  # loads a model, which reads the folder
    assert half.exists()
    half.unlink()
    broken = webui.embeddings / "zqtest-broken.safetensors"
    broken.write_bytes(b"no embedding")
    said = webui.call("saved", path=str(broken))
    assert "zqtest-broken.safetensors is saved, but" in said or said == ""
    for left in webui.embeddings.glob("zqtest-broken*"):
        left.unlink()
    webui.call("select", title=SMALL)


def test_a_lora_of_the_settings_is_off_and_said(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("options", sd_lora="detail")
    try:
        run = webui.call("train", **settings)
    finally:
        webui.call("options", sd_lora="None")
    assert run["problem"] == ""
    assert any("The LoRA detail" in event["text"] for event in of_kind(run, "LogMessage"))


def test_clip_skip_is_taken_over_and_said(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("options", CLIP_stop_at_last_layers=2)
    try:
        run = webui.call("train", **{**settings, "save_image_every": 3})
        theirs = webui.draw(replace(WITH_IT, prompt=f"a big circle, by {NAME}"))
    finally:
        webui.call("options", CLIP_stop_at_last_layers=1)
    assert any("Clip skip is 2" in event["text"] for event in of_kind(run, "LogMessage"))
    preview = next(Path(settings["log_directory"]).glob(f"*/{NAME}/images/{NAME}-3.png"))
    ours = np.asarray(Image.open(preview).convert("RGB")).astype(np.int16)
    assert np.abs(theirs - ours).max() <= 2


def test_a_checkpoint_that_cannot_be_trained_on_is_refused_by_name(webui: Instance) -> None:
    broken, other = webui.models / "broken.safetensors", webui.models / "other-family.safetensors"
    broken.write_bytes(b"no checkpoint")
    save_file({"model.diffusion_model.double_blocks.0.img_attn.qkv.weight": torch.zeros(3, 1)}, other)
    try:
        webui.post("refresh-checkpoints")
        webui.call("select", title="broken.safetensors")
        assert "is truncated or damaged" in webui.call("refusal")
        webui.call("select", title="other-family.safetensors")
        said = webui.call("refusal")
        assert "other-family.safetensors" in said
        assert "Flux" in said
    finally:
        broken.unlink()
        other.unlink()
        webui.post("refresh-checkpoints")
        webui.call("select", title=SMALL)
    webui.draw(FIXED)


def test_a_run_without_any_checkpoint_is_refused(webui: Instance) -> None:
    away = webui.models.with_name("away")
    webui.models.rename(away)
    webui.models.mkdir()
    try:
        webui.post("refresh-checkpoints")
        assert "There is no checkpoint: put one into models/Stable-diffusion" in webui.call("refusal")
        assert webui.call("arguments") == {}
    finally:
        webui.models.rmdir()
        away.rename(webui.models)
        webui.post("refresh-checkpoints")
        webui.call("select", title=SMALL)
    webui.draw(FIXED)


def test_a_run_begins_after_the_fork_failed_to_load_a_checkpoint(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("select", title=POCKET)
    with pytest.raises(AssertionError, match="answers 500"):
        webui.draw(FIXED)
    webui.call("create", name="zqtest-after", text="striped", vectors=2, overwrite=True)
    failed = {**settings, "name": "zqtest-after", "width": 0, "height": 0}
    assert webui.call("train", **failed)["problem"] == ""
    webui.call("select", title=SMALL)
    assert webui.call("train", **settings)["problem"] == ""
    webui.draw(WITH_IT)
