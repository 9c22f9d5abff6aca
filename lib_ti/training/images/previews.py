"""Previews: images generated with the embedding so far, whose parameters any WebUI can read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_ti.config import TrainConfig, preview_prompts
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.model import ImageRequest, Model
from lib_ti.placeholders import with_name
from lib_ti.prompt_syntax import literal
from lib_ti.storage import aside
from lib_ti.storage.atomic import write_atomically, write_bytes


def check_previews(model: Model, config: TrainConfig, size: tuple[int, int]) -> None:
    """Raise the :class:`lib_ti.errors.BadInput` that the first preview would, such as for an unknown sampler."""
    if not config.save_image_every:
        return
    problems: dict[str, None] = {}  # each once, though all prompts may have it
    for request in Previews(model, config, [""], size=size, seed=0).requests(config.name, 0):
        try:
            model.check_request(request)
        except BadInput as error:
            problems.update(dict.fromkeys(error.problems))
    if problems:
        raise BadInput(list(problems))


class Previews:
    """Generates the previews of a step, one for each prompt.

    Parameters
    ----------
    prompts
        Rendered prompts of the training images, taken in turn where the settings have no preview prompt.
    size
        Width and height of the training images in pixels, and of previews unless the settings say otherwise.
    seed
        One seed for the whole run, so that the images differ by the embedding alone.
    """

    def __init__(
        self, model: Model, config: TrainConfig, prompts: Sequence[str], *, size: tuple[int, int], seed: int
    ) -> None:
        self._model, self._config, self._prompts = model, config, prompts
        self._size, self._seed = size, seed

    @property
    def model_info(self) -> ModelInfo:
        return self._model.info

    def requests(self, name: str, step: int) -> list[ImageRequest]:
        """Return what to generate after a step: an image of each preview prompt, else of the next caption."""
        if chosen := preview_prompts(self._config.preview_prompt):
            return [self._request(with_name(prompt, name), name) for prompt in chosen]
        caption = self._prompts[step // max(1, self._config.save_image_every) % len(self._prompts)]
        return [self._request(caption, name, literal=True)]

    def generate(self, request: ImageRequest, embedding: Embedding, stop: Callable[[], bool]) -> Image.Image:
        """Generate an image with the embedding; :class:`lib_ti.errors.Stopped` when ``stop`` returns True."""
        return self._model.generate(request, [embedding], stop)

    def _request(self, prompt: str, name: str, *, literal: bool = False) -> ImageRequest:
        config = self._config
        return ImageRequest(
            prompt=prompt,
            negative_prompt=with_name(config.preview_negative, name),
            steps=config.preview_steps,
            sampler=config.preview_sampler,
            scheduler=config.preview_scheduler,
            cfg_scale=config.preview_cfg,
            seed=self._seed,
            width=config.preview_width or self._size[0],
            height=config.preview_height or self._size[1],
            literal=literal,
        )


def infotext(request: ImageRequest, info: ModelInfo) -> str:
    """Return generation parameters in the form that the WebUI writes into PNG files and reads in its PNG Info tab.

    A caption is escaped, so that it means the same as a prompt there.
    """
    schedule = "" if request.scheduler == "Automatic" else f"Schedule type: {request.scheduler}, "
    negative = f"Negative prompt: {request.negative_prompt}\n" if request.negative_prompt else ""
    return (
        f"{literal(request.prompt) if request.literal else request.prompt}\n{negative}"
        f"Steps: {request.steps}, Sampler: {request.sampler}, {schedule}CFG scale: {request.cfg_scale:g}, "
        f"Seed: {request.seed}, Size: {request.width}x{request.height}, Model hash: {info.hash}, Model: {info.name}"
    )


def save_image(path: Path, image: Image.Image, parameters: str) -> None:
    """Write a PNG with its generation parameters, atomically."""
    _write_png(path, image, {"parameters": parameters})


def save_preview(path: Path, image: Image.Image, parameters: str) -> None:
    """Write the preview of a run, marked as one: :func:`show_on_card` may replace it."""
    _write_png(path, image, {"parameters": parameters, _MARK: _digest(image)})


def card_image(embedding: Path) -> Path:
    """Return the image file that the WebUI shows on the card of the embedding at a path."""
    return embedding.with_name(f"{embedding.stem}.preview.png")


def show_on_card(preview: Path, embedding: Path) -> Path | None:
    """Copy a preview to ``NAME.preview.png`` beside the embedding, where the WebUI's card shows it.

    Returns
    -------
    Path or None
        Where the image of the user is now that was there; None where there was none, or a preview of a run.

    Raises
    ------
    CannotWrite, OSError
        When the preview cannot be read or written.
    """
    shown, data = card_image(embedding), preview.read_bytes()
    if not shown.exists() or _is_ours(shown):
        write_bytes(shown, data)
        return None
    with aside.kept(shown) as kept:
        write_bytes(shown, data)
    return kept


_MARK = "lib_ti preview"
"""PNG text of our previews: the digest of the pixels, so that an edited one counts as the user's own."""


def _is_ours(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            return bool(getattr(image, "text", {}).get(_MARK) == _digest(image))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def _digest(image: Image.Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def _write_png(path: Path, image: Image.Image, texts: Mapping[str, str]) -> None:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    write_atomically(path, lambda beside: image.save(beside, format="PNG", pnginfo=info))
