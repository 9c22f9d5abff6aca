"""The embedded host's samplers against those of a genuine WebUI, by images of the pocket model with the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.model import ImageRequest
from tests.webui.instance import Instance, running

EQUAL = (
    ("Euler a", "Automatic"),
    ("Euler", "Automatic"),
    ("Euler", "Karras"),
    ("Euler", "Exponential"),
    ("Heun", "Automatic"),
    ("Heun", "Karras"),
    ("DPM++ 2M", "Automatic"),
    ("Heun", "Exponential"),
    ("DDIM", "Automatic"),
)
ALIKE = (("DPM++ 2M SDE", "Karras"), ("LCM", "Automatic"))
"""Samplers whose noise is drawn in another way."""


@pytest.fixture(scope="module")
def webui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with running(tmp_path_factory.mktemp("webui")) as instance:
        yield instance


def difference(webui: Instance, tmp_path: Path, sampler: str, scheduler: str) -> float:
    """Return the mean difference in grey levels."""
    cfg = 1.5 if sampler == "LCM" else 5.0
    # The WebUI's DDIM takes one step more where their number does not divide 1000.
    steps = 10 if sampler == "DDIM" else 12
    request = ImageRequest(
        "a big red circle",
        sampler=sampler,
        scheduler=scheduler,
        steps=steps,
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
    assert difference(webui, tmp_path, sampler, scheduler) < 1


@pytest.mark.parametrize(("sampler", "scheduler"), ALIKE)
def test_images_are_alike(webui: Instance, tmp_path: Path, sampler: str, scheduler: str) -> None:
    assert difference(webui, tmp_path, sampler, scheduler) < 40
