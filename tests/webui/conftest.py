"""A genuine WebUI, running with ``--api``, that has the pocket model loaded while these tests run.

``TI_WEBUI_FOLDER`` is the folder that holds its ``models`` and ``embeddings`` (its ``--data-dir``, if it has one), on
this machine; ``TI_WEBUI_URL`` is its address, such as ``http://127.0.0.1:7860``. Without them the tests are skipped.
What they put into the folder they take out again, and the model that was loaded before is loaded again.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from lib_ti.host.model import ImageRequest
from lib_ti.pocket.files import export

FOLDER, ADDRESS = "TI_WEBUI_FOLDER", "TI_WEBUI_URL"
MODEL = "ti-webui-tests"
PREFIX = "zqtest"
"""All embeddings of these tests begin with it: no word, and not a user's name for anything."""
_SECONDS = 600  # a WebUI on a slow CPU may take minutes to load a model


class WebUI:
    """The WebUI's web interface for programs, and its folders."""

    def __init__(self, folder: Path, address: str) -> None:
        self.embeddings = folder / "embeddings"
        self.models = folder / "models" / "Stable-diffusion"
        # Proxies of the environment are for the internet.
        self._client = httpx.Client(base_url=address, timeout=_SECONDS, trust_env=False)

    def get(self, path: str) -> Any:
        return self._answer(self._client.get(f"/sdapi/v1/{path}"))

    def post(self, path: str, content: Any = None) -> Any:
        return self._answer(self._client.post(f"/sdapi/v1/{path}", json=content or {}))

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        assert response.status_code == 200, f"{response.request.url} answers {response.status_code}: {response.text}"
        return response.json()

    def draw(self, request: ImageRequest) -> np.ndarray:
        """The picture (H, W, 3) of a request, in -255 to 255 so that differences do not wrap around."""
        content = {
            "prompt": request.prompt,
            "negative_prompt": request.negative_prompt,
            "steps": request.steps,
            "sampler_name": request.sampler,
            "scheduler": request.scheduler,
            "cfg_scale": request.cfg_scale,
            "seed": request.seed,
            "width": request.width,
            "height": request.height,
            "override_settings": {"randn_source": "CPU"},  # noise as the embedded host has it, on every device
            "save_images": False,
        }
        drawn = self.post("txt2img", content)["images"][0]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(drawn))).convert("RGB")).astype(np.int16)


@pytest.fixture(scope="session")
def webui() -> WebUI:
    folder, address = os.environ.get(FOLDER), os.environ.get(ADDRESS)
    if not folder or not address:
        pytest.skip(f"no WebUI: start one with --api, then set {FOLDER} (its folder) and {ADDRESS} (its address)")
    found = WebUI(Path(folder), address)
    if not found.models.is_dir():
        pytest.fail(f"{FOLDER} is {folder!r}, where there is no folder models/Stable-diffusion")
    try:
        found.get("options")
    except httpx.HTTPError as error:
        pytest.fail(f"{ADDRESS} is {address!r}, where no WebUI with --api answers: {error}")
    found.embeddings.mkdir(exist_ok=True)
    return found


@pytest.fixture(scope="session")
def pocket_checkpoint(webui: WebUI) -> Iterator[Path]:
    """The pocket model among the WebUI's models, and loaded there."""
    before = webui.get("options").get("sd_model_checkpoint")
    folder = webui.models / MODEL
    checkpoint = export(folder)
    try:
        webui.post("refresh-checkpoints")
        webui.post("options", {"sd_model_checkpoint": f"{MODEL}/{checkpoint.name}"})
        yield checkpoint
    finally:
        try:
            if before:
                webui.post("options", {"sd_model_checkpoint": before})
        finally:
            shutil.rmtree(folder)
            webui.post("refresh-checkpoints")


@pytest.fixture(scope="session")
def embeddings_removed(webui: WebUI) -> Iterator[None]:
    yield
    for path in webui.embeddings.glob(f"{PREFIX}*"):
        path.unlink()
    webui.post("refresh-embeddings")
