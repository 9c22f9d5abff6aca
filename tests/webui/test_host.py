"""Training in a genuine WebUI: what it gives, and that the WebUI is afterwards as it was before."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from lib_ti.config import TrainConfig
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import ImageRequest
from lib_ti.pocket.sample_set import sample_set
from lib_ti.signals import Control, Event, StepDone
from lib_ti.training.run import train
from tests.prompts import of_images
from tests.webui.instance import ROOT, Instance, running
from tests.webui.runs import JOB, of_kind, wait_for

FIXED = ImageRequest("a big red circle, blue background", steps=4, seed=7, width=64, height=64)
WITH_IT = ImageRequest("a circle, art by zqtest-run", steps=4, seed=7, width=64, height=64)
PROMPTS = ["a circle by zqtest-same", "fate (series), [old:2], BREAK" + ", word" * 60, ""]


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui")) as instance:
        yield instance


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    sample_set(folder, "striped", count=12)
    return folder


@pytest.fixture
def settings(webui: Instance, pictures: Path, tmp_path: Path) -> dict[str, Any]:
    """Settings of a short run of a new embedding without pictures."""
    webui.call("create", name="zqtest-run", text="striped", vectors=2, overwrite=True)
    return {
        "name": "zqtest-run",
        "dataset": str(pictures),
        "max_steps": 20,
        "save_image_every": 0,
        "validate_every": 0,
        "save_embedding_every": 0,
        "preview_prompt": "a big circle, art by [name]",
        "preview_steps": 4,
        "preview_seed": 3,
        "log_directory": str(tmp_path / "runs"),
    }


def start(webui: Instance, settings: dict[str, Any], **more: Any) -> Future[dict[str, Any]]:
    """A run in the background, begun."""
    executor = ThreadPoolExecutor(1)
    run = executor.submit(webui.call, "train", **{**settings, **more})
    executor.shutdown(wait=False)
    webui.until(JOB, 3)
    return run


# What it gives


def test_the_embedding_is_listed_and_used_at_once(webui: Instance, settings: dict[str, Any]) -> None:
    fresh = webui.draw(WITH_IT)
    run = webui.call("train", **settings)
    assert run["problem"] == ""
    assert of_kind(run, "RunFinished")[0]["reason"] == "done"
    assert webui.get("embeddings")["loaded"]["zqtest-run"]["vectors"] == 2
    assert not np.array_equal(webui.draw(WITH_IT), fresh)
    assert files.load(webui.embeddings / "zqtest-run.safetensors").step == 20


def test_both_hosts_compute_the_same(webui: Instance, tmp_path: Path) -> None:
    host = EmbeddedHost(webui.models / "pocket" / "pocket.safetensors", embeddings_folder=tmp_path)
    draw = torch.Generator().manual_seed(2)
    latents, timesteps = torch.randn(3, 4, 8, 8, generator=draw), torch.tensor([5, 500, 950])
    with host.models.session(SessionOptions()) as model:
        leaf = torch.randn(3, model.info.widths["clip_l"], generator=draw).mul_(0.05).requires_grad_()
        embedding = Embedding("zqtest-same", {"clip_l": leaf})
        conditioning = model.encode_prompts(of_images(PROMPTS), [embedding])
        predicted = model.predict(latents, timesteps, conditioning)
        predicted.square().mean().backward()
        encoded = model.encode_images(torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64))
        inputs = {"latents": latents.tolist(), "timesteps": timesteps.tolist(), "vectors": leaf.tolist()}
        for checkpointing in ("off", "transformer-blocks", "all-blocks"):
            theirs = webui.call("compute", prompts=PROMPTS, checkpointing=checkpointing, **inputs)
            for name, ours in {
                "conditioning": conditioning.crossattn,
                "predicted": predicted,
                "gradient": leaf.grad,
                "mean": encoded.mean,
                "std": encoded.std,
                "alphas_cumprod": model.alphas_cumprod,
                "starting": model.initial_vectors("a big red circle", 6)["clip_l"],
            }.items():
                torch.testing.assert_close(torch.tensor(theirs[name]), ours, rtol=1e-4, atol=1e-5, msg=name)
            assert theirs["tokens"] == [model.count_tokens(prompt, [embedding]) for prompt in PROMPTS]
            assert theirs["found"] == [["zqtest-same"], [], []]
            inside = theirs["inside"]
            assert (inside["any_flag"], inside["gradients"], inside["attention"]) == (False, 0, "sdp")
            assert bool(inside["forwards"]) == (checkpointing != "off")


@pytest.mark.parametrize("changes", [{}, {"nested_dropout": True, "batch_size": 3}], ids=str)
def test_both_hosts_train_alike(
    webui: Instance, settings: dict[str, Any], tmp_path: Path, changes: dict[str, Any]
) -> None:
    settings = {**settings, "max_steps": 5, **changes}
    host = EmbeddedHost(
        webui.models / "pocket" / "pocket.safetensors",
        embeddings_folder=tmp_path / "embeddings",
        template_folders=[Path(os.environ[ROOT]) / "textual_inversion_templates"],
    )
    begin = files.load(webui.embeddings / "zqtest-run.safetensors")
    files.save(begin, tmp_path / "embeddings" / "zqtest-run.safetensors")
    ours: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepDone):
            ours.append(event.loss)

    train(host, TrainConfig(**{**settings, "log_directory": str(tmp_path / "ours")}), listen, Control())
    theirs = [event["loss"] for event in of_kind(webui.call("train", **settings), "StepDone")]
    assert theirs == pytest.approx(ours, rel=1e-4)


def test_previews_show_the_vectors_of_their_step(webui: Instance, settings: dict[str, Any]) -> None:
    run = webui.call("train", **{**settings, "max_steps": 4, "save_image_every": 2, "learning_rate": "0.05"})
    shown = [Image.open(event["path"]).convert("RGB") for event in of_kind(run, "PreviewMade")]
    assert len(shown) == 3, of_kind(run, "PreviewFailed")
    assert len({picture.tobytes() for picture in shown}) == 3
    request = ImageRequest("a big circle, art by zqtest-run", steps=4, seed=3, width=64, height=64)
    # The last one is what txt2img draws; attention rounds in another way.
    assert np.abs(webui.draw(request) - np.asarray(shown[-1]).astype(np.int16)).mean() < 1


def test_networks_of_the_last_picture_and_of_the_settings_are_off(webui: Instance) -> None:
    inputs = {
        "prompts": PROMPTS[:1],
        "latents": torch.ones(1, 4, 8, 8).tolist(),
        "timesteps": [500],
        "vectors": torch.full((2, 44), 0.1).tolist(),
    }
    weights = load_file(webui.models / "pocket" / "pocket.safetensors")
    layer = "encoder.layers.0.mlp.fc1"
    outputs, width = weights[f"cond_stage_model.transformer.text_model.{layer}.weight"].shape
    folder, name = webui.folder / "models" / "Lora", "lora_te_text_model_" + layer.replace(".", "_")
    folder.mkdir(exist_ok=True)
    strong = {"lora_up": torch.ones(outputs, 1), "lora_down": torch.ones(1, width)}
    save_file({f"{name}.{part}.weight": tensor for part, tensor in strong.items()}, folder / "zqlora.safetensors")
    webui.post("refresh-loras")
    without, before = webui.draw(FIXED), webui.call("compute", **inputs)
    assert not np.array_equal(webui.draw(replace(FIXED, prompt=f"{FIXED.prompt} <lora:zqlora:1>")), without)
    assert webui.call("compute", **inputs) == before
    try:
        webui.post("options", {"sd_lora": "zqlora"})
        assert not np.array_equal(webui.draw(FIXED), without)
        assert webui.call("compute", **inputs) == before
    finally:
        webui.post("options", {"sd_lora": "None"})
    assert np.array_equal(webui.draw(FIXED), without)


def test_clip_skip_is_taken_over_and_said(webui: Instance, settings: dict[str, Any]) -> None:
    first = webui.call("train", **{**settings, "max_steps": 1})
    webui.call("create", name="zqtest-run", text="striped", vectors=2, overwrite=True)
    try:
        webui.post("options", {"CLIP_stop_at_last_layers": 2})
        second = webui.call("train", **{**settings, "max_steps": 1, "log_directory": settings["log_directory"] + "2"})
    finally:
        webui.post("options", {"CLIP_stop_at_last_layers": 1})
    assert any("Clip skip is 2" in event["text"] for event in of_kind(second, "LogMessage"))
    assert of_kind(first, "StepDone")[0]["loss"] != of_kind(second, "StepDone")[0]["loss"]


# That nothing of it is left


@pytest.mark.parametrize(
    ("how", "changes"),
    [
        ("done", {"save_image_every": 10, "validate_every": 10}),
        ("checkpointing", {"gradient_checkpointing": True}),
        ("loss is not finite", {"learning_rate": "1e38", "max_steps": 40}),
        ("whoever listens fails", {"fail_at": 5}),
        ("memory is full at the start", {"full": "encoding"}),
        ("memory is full in a step", {"full": "step"}),
    ],
)
def test_everything_is_as_before(webui: Instance, settings: dict[str, Any], how: str, changes: dict[str, Any]) -> None:
    webui.draw(ImageRequest("a circle, art by zqtest-run", steps=1, seed=1, width=64, height=64))
    drawn, before = webui.draw(FIXED), webui.call("state")
    run = webui.call("train", **{**settings, **changes})
    assert bool(run["problem"]) == (how not in ("done", "checkpointing")), run["problem"]
    if "full" in changes:
        assert "TrainingFailed: Out of memory" in run["problem"]
    after = webui.call("state")
    # Which encoded prompts are remembered may differ, and the trained embedding is loaded anew.
    for found in (before, after):
        found["embeddings"] = [item for item in found["embeddings"] if item[0] != "zqtest-run"]
        assert not found.pop("locked")
    assert before.pop("remembered") == [True, True]
    assert after.pop("remembered") == [False, False]
    options = [found.pop("options") for found in (before, after)]
    assert {key for key in {**options[0], **options[1]} if options[0].get(key) != options[1].get(key)} == set()
    assert after == before
    assert np.array_equal(webui.draw(FIXED), drawn)


def test_a_preview_that_does_not_fit_is_told_and_the_run_goes_on(webui: Instance, settings: dict[str, Any]) -> None:
    run = webui.call("train", **{**settings, "max_steps": 4, "save_image_every": 2, "full": "preview"})
    assert run["problem"] == ""
    assert of_kind(run, "RunFinished")[0]["step"] == 4
    reasons = {event["reason"] for event in of_kind(run, "PreviewFailed")}
    assert len(reasons) == 1
    assert "not enough graphics memory for the preview" in reasons.pop()


def test_an_interrupt_from_anywhere_stops_it(webui: Instance, settings: dict[str, Any]) -> None:
    drawn = webui.draw(FIXED)
    run = start(webui, settings, max_steps=100000, save_image_every=100000)
    assert webui.get("progress?skip_current_image=true")["progress"] > 0
    webui.post("interrupt")
    ended = run.result()
    assert ended["problem"] == ""
    finished = of_kind(ended, "RunFinished")[0]
    assert finished["reason"] == "stopped"
    assert "elsewhere in the WebUI" in finished["stopped_by"]
    assert webui.get("progress?skip_current_image=true")["state"]["job"] == ""
    assert np.array_equal(webui.draw(FIXED), drawn)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_interrupt_ends_the_preview_and_then_the_run(
    webui: Instance, settings: dict[str, Any], elsewhere: bool
) -> None:
    drawn = webui.draw(FIXED)
    long = {"preview_steps": 150, "preview_width": 128, "preview_height": 128, "save_image_every": 3}
    webui.call("begin", **{**settings, **long, "max_steps": 100000})
    wait_for(webui, lambda now: now["previewing"] is not None)
    if elsewhere:
        webui.post("interrupt")
    else:
        webui.call("stop")
    now = wait_for(webui, lambda now: now["state"] != "training")
    assert (now["state"], now["errors"], now["warnings"]) == ("stopped", [], [])
    assert ("elsewhere" in now["stopped_by"]) == elsewhere
    assert "The preview at step 0 was interrupted." in now["notes"]
    assert files.load(webui.embeddings / "zqtest-run.safetensors").step == now["step"] <= 1
    assert np.array_equal(webui.draw(FIXED), drawn)


def test_memory_is_back(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("train", **{**settings, "max_steps": 2})
    before = webui.call("held")
    webui.call("train", **{**settings, "max_steps": 4})
    assert webui.call("held") <= before * 1.01


# Accidents


def test_a_refresh_in_the_middle_does_no_harm(webui: Instance, settings: dict[str, Any]) -> None:
    undisturbed = webui.call("train", **{**settings, "max_steps": 12, "save_image_every": 4})
    webui.call("create", name="zqtest-run", text="striped", vectors=2, overwrite=True)
    changed = {"max_steps": 12, "save_image_every": 4, "wait": 0.1, "log_directory": settings["log_directory"] + "2"}
    run = start(webui, settings, **changed)
    refreshed = 0
    while not run.done():
        webui.call("refresh")
        refreshed += not run.done()
    assert refreshed > 5
    pairs = [[event["loss"] for event in of_kind(one, "StepDone")] for one in (undisturbed, run.result())]
    assert pairs[0] == pairs[1]
    assert len(of_kind(run.result(), "PreviewMade")) == 4, of_kind(run.result(), "PreviewFailed")


def test_a_model_switch_waits(webui: Instance, settings: dict[str, Any]) -> None:
    first = webui.call("loaded")
    run = start(webui, settings, max_steps=16, save_image_every=4, wait=0.1)
    webui.call("switch_model", title="other/other.safetensors")
    ended = run.result()
    try:
        assert ended["problem"] == ""
        assert len(of_kind(ended, "PreviewMade")) == 5
        end = time.monotonic() + 60
        while not webui.call("loaded").startswith("other/") and time.monotonic() < end:
            time.sleep(0.2)
        assert webui.call("loaded").startswith("other/")  # it came after
        assert files.load(webui.embeddings / "zqtest-run.safetensors").model_name == "pocket"
    finally:
        webui.post("options", {"sd_model_checkpoint": first})


def test_reload_ui_does_not_end_it(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("begin", **{**settings, "max_steps": 100000})
    webui.until(JOB, 3)
    before = webui.call("watched")
    webui.call("reload_ui")
    webui.started(times=2)
    after = webui.call("watched")
    assert after["page"] != before["page"]
    assert (after["state"], after["errors"]) == ("training", [])
    assert after["step"] > before["step"]
    assert '"ti_train_name"' in webui.page("/config")
    webui.post("interrupt")
    end = time.monotonic() + 60
    while webui.call("watched")["state"] == "training" and time.monotonic() < end:
        time.sleep(0.2)
    assert webui.call("watched")["state"] == "stopped"


def test_it_waits_for_its_turn_and_says_so(webui: Instance, settings: dict[str, Any]) -> None:
    webui.call("busy", seconds=1.0)
    run = webui.call("train", **{**settings, "max_steps": 1})
    assert run["problem"] == ""
    assert run["events"][0]["text"] == "Waiting until the WebUI has finished what it is doing."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([["model", "is_sd3", True]], "is an SD3 model"),
        ([["model", "parameterization", "x0"]], "is a model that predicts x0"),
        ([["arguments", "lowvram", True]], "--lowvram"),
        ([["devices", "fp8", True]], "FP8"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_name(webui: Instance, changes: list[list[Any]], words: str) -> None:
    before = webui.call("state")
    said = webui.call("refusal", changes=changes)
    assert words in said
    assert "\n" not in said
    assert webui.call("state") == before


def test_another_precision_is_refused(webui: Instance) -> None:
    assert "the WebUI has its model in float32" in webui.call("refusal", changes=[], precision="float16")


def test_pictures_that_cannot_be_drawn_are_refused(webui: Instance) -> None:
    wrong = [{"sampler": "Eulor"}, {"scheduler": "Karas"}, {"width": 63}]
    said = webui.call("refused_pictures", requests=[{"prompt": "", **one} for one in wrong])
    assert [word in text for word, text in zip(("Eulor", "Karas", "63"), said, strict=True)] == [True] * 3


def test_the_tab_is_there_and_keeps_nothing(webui: Instance) -> None:
    assert '"ti_tab"' in webui.page("/config").replace("tab_ti_tab", "ti_tab")
    assert "ti_train" not in (webui.folder / "ui-config.json").read_text()
