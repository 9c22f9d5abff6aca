"""Settings of a genuine WebUI that change what a model computes, and a file that asks for one, as NoobAI's v-prediction
files ask for a noise schedule with zero terminal SNR."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from lib_ti.config import TrainConfig
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import Conditions, ImageRequest
from lib_ti.pocket.sample_set import sample_set
from lib_ti.signals import Control, Event, StepDone
from lib_ti.training.run import train
from tests.webui.families import V_WITH_ZERO_SNR, Families, checkpoint_of, running_with_families
from tests.webui.instance import ROOT
from tests.webui.runs import of_kind

NAME = "zqtest-run"
ZERO = {"sd_noise_schedule": "Zero Terminal SNR"}
USUAL = {"sd_noise_schedule": "Default", "use_downcasted_alpha_bar": False, "emphasis": "Original"}
FIXED = ImageRequest("a big red circle, blue background", steps=4, seed=7, width=64, height=64)
PROMPT = "a (big) circle, art by"
WITH_IT = replace(FIXED, prompt=f"a (big:1.6) circle, art by {NAME}")


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Families]:
    with running_with_families(tmp_path_factory.mktemp("webui"), kinds=(V_WITH_ZERO_SNR,)) as running:
        yield running


@pytest.fixture
def settings(families: Families, tmp_path: Path) -> dict[str, Any]:
    sample_set(tmp_path / "images", "striped", count=6)
    families.webui.call("create", name=NAME, text="striped", vectors=2, overwrite=True)
    return {
        "name": NAME,
        "dataset": str(tmp_path / "images"),
        "template": "style_filewords",
        "max_steps": 6,
        "batch_size": 2,
        "save_image_every": 0,
        "validate_every": 0,
        "preview_prompt": WITH_IT.prompt.replace(NAME, "[name]"),
        "preview_steps": 4,
        "preview_seed": 7,
        "log_directory": str(tmp_path / "runs"),
    }


@contextmanager
def setting(families: Families, **values: Any) -> Iterator[None]:
    families.webui.post("options", values)
    try:
        yield
    finally:
        families.webui.post("options", USUAL)


def embedded(families: Families, folder: Path) -> EmbeddedHost:
    return EmbeddedHost(
        checkpoint_of(families.webui, V_WITH_ZERO_SNR),
        embeddings_folder=folder,
        template_folders=[Path(os.environ[ROOT]) / "textual_inversion_templates"],
    )


def test_a_run_says_that_the_file_asks_for_another_schedule(families: Families, settings: dict[str, Any]) -> None:
    def said() -> str:
        run = families.webui.call("train", **{**settings, "max_steps": 1})
        assert run["problem"] == ""
        return " ".join(event["text"] for event in of_kind(run, "LogMessage"))

    assert "asks for a noise schedule with zero terminal SNR" in said()
    families.webui.call("create", name=NAME, text="striped", vectors=2, overwrite=True)
    with setting(families, **ZERO):
        assert "the embedding is trained for that noise schedule" in (text := said())
        assert "asks for" not in text


def test_with_the_setting_both_hosts_compute_the_same(families: Families, tmp_path: Path) -> None:
    sample = torch.Generator().manual_seed(2)
    latents, timesteps = torch.randn(3, 4, 8, 8, generator=sample), [5, 500, 999]
    prompts = ["a big red circle by zqtest-same", "a circle", ""]
    framings = [[[64, 64], [0, 0], [64, 64]]] * 3
    with setting(families, **ZERO), embedded(families, tmp_path).models.session(SessionOptions()) as model:
        about = families("info")
        assert (model.info.prediction, about["prediction"]) == ("v", "v")
        assert about["alphas_cumprod"] == model.alphas_cumprod.tolist()
        assert about["alphas_cumprod"][-1] < 1e-7
        theirs = families("compute", prompts=prompts, latents=latents.tolist(), timesteps=timesteps, framings=framings)
        vectors = torch.Generator().manual_seed(5)
        leaves = {key: torch.randn(3, width, generator=vectors) * 0.05 for key, width in model.info.widths.items()}
        embedding = Embedding("zqtest-same", leaves)
        conditioning = model.encode_prompts(Conditions.whole(prompts, width=64, height=64), [embedding])
        predicted = model.predict(latents, torch.tensor(timesteps), conditioning)
        torch.testing.assert_close(torch.tensor(theirs["predicted"]), predicted, rtol=1e-4, atol=1e-5)
        for sampler in ("Euler a", "Euler", "DPM++ 2M", "DDIM"):
            request = replace(FIXED, sampler=sampler)
            ours = np.asarray(model.generate(request, [])).astype(np.int16)
            difference = np.abs(families.webui.draw(request) - ours)
            # The WebUI's DDIM takes the noise out of v and divides by a signal of nearly nothing.
            assert difference.max() <= (4 if sampler == "DDIM" else 1), sampler


def test_with_the_setting_both_hosts_train_alike(families: Families, settings: dict[str, Any], tmp_path: Path) -> None:
    host = embedded(families, tmp_path / "embeddings")
    files.save(
        files.load(families.webui.embeddings / f"{NAME}.safetensors"), tmp_path / f"embeddings/{NAME}.safetensors"
    )
    ours: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, StepDone):
            ours.append(event.loss)

    train(host, TrainConfig(**{**settings, "log_directory": str(tmp_path / "ours")}), listen, Control())
    usual = families.webui.call("train", **settings)
    families.webui.call("create", name=NAME, text="striped", vectors=2, overwrite=True)
    with setting(families, **ZERO):
        zero = families.webui.call("train", **{**settings, "log_directory": str(tmp_path / "zero")})
    losses = [[event["loss"] for event in of_kind(run, "StepDone")] for run in (usual, zero)]
    assert losses[1] == pytest.approx(ours, rel=1e-4)
    assert losses[0] != pytest.approx(ours, rel=1e-3)


@pytest.mark.parametrize(
    "chosen",
    [ZERO, {"use_downcasted_alpha_bar": True}, {"emphasis": "None"}, {"emphasis": "No norm"}],
    ids=lambda chosen: ", ".join(map(str, chosen.values())),
)
def test_previews_have_the_settings_of_the_runs_start(
    families: Families, settings: dict[str, Any], chosen: dict[str, Any]
) -> None:
    webui = families.webui
    usual = webui.draw(FIXED)
    with setting(families, **chosen):
        before = webui.call("state")["options"]
        with ThreadPoolExecutor(1) as executor:
            run = executor.submit(webui.call, "train", **{**settings, "save_image_every": 3, "wait": 0.3})
            webui.until("textual-inversion", 1)
            webui.post("options", USUAL)
            ended = run.result()
        assert ended["problem"] == ""
        assert not of_kind(ended, "PreviewFailed")
        last = np.asarray(Image.open(of_kind(ended, "PreviewMade")[-1]["path"]).convert("RGB")).astype(np.int16)
        assert {**before, **{key: repr(value) for key, value in USUAL.items()}} == webui.call("state")["options"]
        assert np.array_equal(webui.draw(FIXED), usual)
        other = webui.draw(WITH_IT)
        webui.post("options", chosen)
        # Attention rounds in another way in a run.
        rounding = np.abs(webui.draw(WITH_IT) - last).mean()
        assert rounding < 0.1
        assert np.abs(other - last).mean() > 2 * rounding
