"""The embedded host's samplers against those of a genuine WebUI, by images of the pocket model with the same seed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.sampling.schedules import SCHEDULES
from lib_ti.host.model import ImageRequest
from tests.webui.instance import EXTENSION, PYTHON, ROOT, Instance, running

EQUAL = (
    *((sampler, "Automatic") for sampler in ("Euler a", "Euler", "Heun", "DPM2", "DPM2 a", "DPM++ 2S a", "DPM++ 2M")),
    *((sampler, "Automatic") for sampler in ("LCM", "DDIM")),
    *(("Euler", schedule) for schedule in SCHEDULES),
    ("Euler a", "Karras"),
    ("Heun", "KL Optimal"),
    ("DPM++ 2M", "Exponential"),
    ("DPM++ 2M", "SGM Uniform"),
    ("LCM", "SGM Uniform"),
)


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui")) as instance:
        yield instance


def difference(webui: Instance, tmp_path: Path, sampler: str, scheduler: str) -> float:
    """Return the mean difference in grey levels."""
    cfg = 1.5 if sampler == "LCM" else 5.0
    request = ImageRequest(
        "a big red circle",
        sampler=sampler,
        scheduler=scheduler,
        steps=12,
        seed=7,
        width=64,
        height=64,
        cfg_scale=cfg,
    )
    host = EmbeddedHost(webui.models / "pocket" / "pocket.safetensors", embeddings_folder=tmp_path)
    with host.models.session(SessionOptions()) as model:
        ours = np.asarray(model.generate(request, [])).astype(np.int16)
    found = float(np.abs(webui.draw(request) - ours).mean())
    print(f"{sampler}, {scheduler}: {found:.2f}")  # noqa: T201
    return found


@pytest.mark.parametrize(("sampler", "scheduler"), EQUAL)
def test_images_are_equal(webui: Instance, tmp_path: Path, sampler: str, scheduler: str) -> None:
    assert difference(webui, tmp_path, sampler, scheduler) < 0.5


def test_samplers_with_brownian_noise_take_the_steps_of_k_diffusion() -> None:
    """Their noise is sampled in another way, so that images differ."""
    root, python = os.environ.get(ROOT), os.environ.get(PYTHON)
    if not root or not python:
        pytest.skip(f"set {ROOT} and {PYTHON}")
    places = [EXTENSION, Path(root) / "repositories" / "k-diffusion"]
    done = subprocess.run(
        [python, str(Path(__file__).with_name("k_diffusion_steps.py"))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    differences = json.loads(done.stdout.splitlines()[-1])
    assert len(differences) == 4
    assert max(differences.values()) < 1e-3, differences
