"""A model and a host of a few lines, that the trainer's tests run on in milliseconds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import torch
from PIL import Image
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Stopped
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.base import InitialVectors, SessionOptions
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.model import Checkpointing, Conditions, ImageRequest, LatentStats
from lib_ti.host.tools import Report
from lib_ti.signals import Event

WIDTH = 8


class FakeModel:
    """Words have random vectors; the "UNet" is a linear map of the prompt's mean vector, so that training converges."""

    def __init__(self, *, name: str = "fake", model_hash: str = "0123456789", needs_loss_scaling: bool = False) -> None:
        self.info = ModelInfo(
            name=name,
            hash=model_hash,
            family="sd1",
            prediction="eps",
            widths={"clip_l": WIDTH},
            autoencoder="fake",
            size=32,
            word_norm={"clip_l": 1.0},
        )
        self.device = torch.device("cpu")
        self.needs_loss_scaling = needs_loss_scaling
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
        self.alphas_cumprod = torch.cumprod(1 - betas, 0).float()
        self.map = torch.randn(WIDTH, 4, generator=torch.Generator().manual_seed(1))
        self.weight_bytes = 0
        self.checkpointing: Checkpointing = "off"
        self.autoencoder_bytes = 0
        self.autoencoder_away = False
        self.poison_after: int | None = None
        self.predictions = 0
        self.previews_fail = False
        self.requests: list[tuple[ImageRequest, tuple[int, ...]]] = []
        """What was generated, and with embeddings of which steps."""

    def set_checkpointing(self, blocks: Checkpointing) -> None:
        self.checkpointing = blocks

    def offload_autoencoder(self, away: bool) -> None:
        self.autoencoder_away = away

    def optimize(self, how: str) -> str:
        return ""

    def encode_images(self, pixels: Tensor) -> LatentStats:
        mean = torch.nn.functional.avg_pool2d(pixels, 8)
        mean = torch.cat([mean, mean.mean(1, keepdim=True)], 1)
        return LatentStats(mean, torch.full_like(mean, 0.1))

    def encode_prompts(self, conditions: Conditions, embeddings: Sequence[Embedding]) -> TextConditioning:
        known = {embedding.name: embedding.vectors["clip_l"] for embedding in embeddings}
        rows = []
        for prompt in conditions.prompts:
            words = [known.get(word.strip(","), _vector(word)) for word in prompt.split()]
            rows.append(torch.cat(words or [_vector("")]).mean(0))
        return TextConditioning(torch.stack(rows)[:, None])

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        counts = {embedding.name: embedding.count for embedding in embeddings}
        return sum(counts.get(word.strip(","), 1) for word in prompt.split())

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        words = [word.strip(",") for word in prompt.split()]
        return [embedding.name for embedding in embeddings if embedding.name in words]

    def predict(self, noisy: Tensor, timesteps: Tensor, conditioning: TextConditioning) -> Tensor:
        self.predictions += 1
        colour = conditioning.crossattn[:, 0] @ self.map
        if self.poison_after is not None and self.predictions > self.poison_after:
            colour = colour * float("nan")
        return 0.5 * noisy + colour[:, :, None, None]

    def initial_vectors(self, text: str, count: int) -> dict[str, Tensor]:
        return {"clip_l": torch.cat([_vector(f"{text} {number}") for number in range(count)])}

    def check_request(self, request: ImageRequest) -> None:
        if request.sampler == "magic":
            raise BadInput("Sampler 'magic' is not known.")

    def generate(
        self, request: ImageRequest, embeddings: Sequence[Embedding], stop: Callable[[], bool] | None = None
    ) -> Image.Image:
        if self.previews_fail:
            raise RuntimeError("out of memory")
        if stop and stop():
            raise Stopped("The image was interrupted.")
        self.requests.append((request, tuple(embedding.step for embedding in embeddings)))
        value = int(embeddings[0].vectors["clip_l"].abs().sum() * 40) % 256 if embeddings else 0
        return Image.new("RGB", (request.width, request.height), (value, request.seed % 256, 128))


def _vector(word: str) -> Tensor:
    seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "little")
    return torch.randn(1, WIDTH, generator=torch.Generator().manual_seed(seed)) * 0.3


class FakeHost:
    """Models, tools and folders of a host; tests replace the part that they are about."""

    def __init__(self, folder: Path, model: FakeModel | None = None) -> None:
        self.models, self.tools, self.folders = FakeModels(model), FakeTools(), FakeFolders(folder)

    @property
    def model(self) -> FakeModel:
        return self.models.model


class FakeFolders:
    def __init__(self, folder: Path) -> None:
        self.embeddings = folder / "embeddings"
        self.datasets = folder / "datasets"
        self.templates: Sequence[Path] = (folder / "templates",)
        self.allowed: Sequence[Path] | None = None
        self.arguments: Mapping[str, str] = {}


class FakeModels:
    checks_by_trial = True
    without_effect: Mapping[str, str] = MappingProxyType({})

    def __init__(self, model: FakeModel | None = None) -> None:
        self.model = model or FakeModel()
        self.arguments: Mapping[str, str] = {"checkpoint": "fake"}
        self.saved: list[Path] = []
        self.refresh_fails = ""
        self.open_sessions = 0
        self.watched: list[Event] = []
        self.is_known = True

    @property
    def size(self) -> int:
        return self.model.info.size

    @property
    def known(self) -> ModelInfo | None:
        return self.model.info if self.is_known else None

    @contextmanager
    def session(self, options: SessionOptions) -> Iterator[FakeModel]:
        self.open_sessions += 1
        try:
            yield self.model
        finally:
            self.open_sessions -= 1

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        with self.session(SessionOptions()) as model:
            return InitialVectors(model.initial_vectors(text, count), model.info.name, model.info.hash)

    def watch(self, event: Event) -> None:
        self.watched.append(event)

    def interrupted(self) -> str:
        return ""

    def embedding_saved(self, path: Path) -> str:
        self.saved.append(path)
        return self.refresh_fails


class FakeTools:
    captioners: Sequence[str] = ("fake",)
    upscalers: Sequence[str] = ("Nearest",)
    can_inpaint = True

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """A token for each word, and for each part of one with hyphens."""
        return [found.span() for found in re.finditer(r"[^\s-]+-?|-", text)]

    @contextmanager
    def captioner(self, name: str, report: Report, tags: object = None) -> Iterator[FakeCaptioner]:
        if name not in self.captioners:
            raise BadInput(f"There is no captioner {name!r} here.")
        yield FakeCaptioner()

    @contextmanager
    def upscaler(self, name: str, report: Report) -> Iterator[FakeUpscaler]:
        if name not in self.upscalers:
            raise BadInput(f"There is no upscaler {name!r} here.")
        yield FakeUpscaler()

    @contextmanager
    def inpainter(self, report: Report) -> Iterator[FakeInpainter]:
        yield FakeInpainter()


class FakeCaptioner:
    """Captions are the image's mean colour."""

    options = "fake"

    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        return ["colour {} {} {}".format(*image.resize((1, 1)).getpixel((0, 0))) for image in images]


class FakeUpscaler:
    def upscale(self, image: Image.Image, factor: float) -> Image.Image:
        return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.NEAREST)


class FakeInpainter:
    """Fills with one colour that depends on the seed."""

    def fill(self, image: Image.Image, mask: Image.Image, *, prompt: str, seed: int) -> Image.Image:
        return Image.composite(
            Image.new("RGB", image.size, (seed % 256, 7, 9)), image, mask.point(lambda x: 255 * (x > 127))
        )


def draw_images(folder: Path, count: int = 10, size: int = 32) -> Path:
    """Flat images with captions, the colours from 0 to red."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        colour = (255 * (number + 1) // count, 40, 10 * number % 255)
        Image.new("RGB", (size, size), colour).save(folder / f"{number:02}.png")
        (folder / f"{number:02}.txt").write_text(f"picture {number}, flat")
    return folder
