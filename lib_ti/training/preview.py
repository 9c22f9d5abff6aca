"""Previews: what the embedding draws by now, as pictures that any WebUI can read the parameters of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_ti.atomic import write_atomically
from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import Model, ModelInfo, PictureRequest
from lib_ti.placeholders import with_name


class Previews:
    """Draws the preview of a step.

    Parameters
    ----------
    prompts
        Rendered prompts of the training pictures, taken in turn where the settings have no preview prompt.
    size
        Width and height of the training pictures in pixels, which previews have too unless the settings say otherwise.
    seed
        One seed for the whole run, so that the pictures differ by the embedding alone.
    """

    def __init__(
        self, model: Model, config: TrainConfig, prompts: Sequence[str], *, size: tuple[int, int], seed: int
    ) -> None:
        self._model, self._config, self._prompts = model, config, prompts
        self._size, self._seed = size, seed

    def request(self, name: str, step: int) -> PictureRequest:
        config = self._config
        if config.preview_prompt.strip():
            prompt = with_name(config.preview_prompt, name)
        else:
            prompt = self._prompts[step // max(1, config.save_image_every) % len(self._prompts)]
        return PictureRequest(
            prompt=prompt,
            negative_prompt=with_name(config.preview_negative, name),
            steps=config.preview_steps,
            sampler=config.preview_sampler,
            scheduler=config.preview_scheduler,
            cfg_scale=config.preview_cfg,
            seed=self._seed,
            width=config.preview_width or self._size[0],
            height=config.preview_height or self._size[1],
            literal=not config.preview_prompt.strip(),
        )

    def draw(self, embedding: Embedding) -> tuple[Image.Image, PictureRequest]:
        request = self.request(embedding.name, embedding.step)
        return self._model.generate(request, [embedding]), request


def infotext(request: PictureRequest, info: ModelInfo) -> str:
    """Generation parameters in the form that the WebUI writes into PNG files and reads in its PNG Info tab."""
    schedule = "" if request.scheduler == "Automatic" else f"Schedule type: {request.scheduler}, "
    negative = f"Negative prompt: {request.negative_prompt}\n" if request.negative_prompt else ""
    return (
        f"{request.prompt}\n{negative}"
        f"Steps: {request.steps}, Sampler: {request.sampler}, {schedule}CFG scale: {request.cfg_scale:g}, "
        f"Seed: {request.seed}, Size: {request.width}x{request.height}, Model hash: {info.hash}, Model: {info.name}"
    )


def save_picture(path: Path, picture: Image.Image, parameters: str) -> None:
    """Write a PNG with its generation parameters, atomically."""
    text = PngInfo()
    text.add_text("parameters", parameters)
    write_atomically(path, lambda beside: picture.save(beside, format="PNG", pnginfo=text))
