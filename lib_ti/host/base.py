"""What the trainer asks of a host: the two Protocols between the engine and everything that runs a model.

``training`` and ``data`` know this file and no host. Tensors are float32 unless said otherwise and live on
``Model.device``; ``h`` and ``w`` are latent sizes, an eighth of the picture's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lib_ti.families.model_info import ModelInfo
from lib_ti.host.tools import Captioner, Inpainter, Tell, Upscaler

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from lib_ti.embedding.embedding import Embedding
    from lib_ti.signals import Event

Precision = Literal["auto", "float32", "float16", "bfloat16"]


@dataclass(frozen=True)
class LatentStats:
    """The distribution of a picture's latents, already times the model's scale factor: two (B, 4, h, w) tensors."""

    mean: torch.Tensor
    std: torch.Tensor


@dataclass(frozen=True)
class Conditioning:
    """What the UNet is conditioned on: ``crossattn`` (B, 77·k, width); ``pooled`` (B, P) only for SDXL."""

    crossattn: torch.Tensor
    pooled: torch.Tensor | None = None
    extra: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PictureRequest:
    """One picture to draw, in the words of the WebUI's txt2img tab."""

    prompt: str
    negative_prompt: str = ""
    steps: int = 20
    sampler: str = "Euler a"
    scheduler: str = "Automatic"
    cfg_scale: float = 7.0
    seed: int = 0
    """0 to 2**32 - 1; whoever wants a random picture draws the seed first, so that it can be shown."""
    width: int = 512
    height: int = 512
    literal: bool = False
    """The prompt is a caption, plain text; else a host may know signs in it that mean something."""


@dataclass(frozen=True)
class SessionOptions:
    """How a model is lent for training."""

    precision: Precision = "auto"
    gradient_checkpointing: bool = False
    tell: Callable[[str], None] | None = None
    """Called with a sentence while the host waits, such as for a picture that is being drawn."""
    stop: Callable[[], bool] | None = None
    """Asked while the host waits for its turn; when it says yes, :class:`lib_ti.errors.Stopped` is raised."""
    wait: bool = True
    """Whether to wait while something else uses the model, or raise :class:`lib_ti.errors.ModelInUse` at once."""


class Model(Protocol):
    """A loaded, frozen model on its device. No parameter of it has a gradient, ever."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def needs_loss_scaling(self) -> bool:
        """True when gradients pass through float16 and the loss must be scaled against underflow."""
        ...

    @property
    def alphas_cumprod(self) -> torch.Tensor:
        """(1000,) float32, the training noise schedule."""
        ...

    def encode_images(self, pixels: torch.Tensor) -> LatentStats:
        """Pixels (B, 3, H, W) in -1..1 to the latents' distribution. H and W are multiples of 8. No gradient."""
        ...

    def encode_prompts(self, prompts: Sequence[str], embeddings: Sequence[Embedding]) -> Conditioning:
        """Encode prompts with the embeddings' vectors in the places of their names.

        Differentiable in ``embedding.vectors`` where gradients are enabled and those require them. Prompts are
        plain text: brackets carry no emphasis. Prompts longer than 75 tokens use several contexts, all
        prompts of a call as many as its longest.
        """
        ...

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        """Prompt tokens, each embedding's name counted as its number of vectors."""
        ...

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        """Names of those of ``embeddings`` that the prompt uses, in order of appearance."""
        ...

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """The UNet: noisy latents (B, 4, h, w) and timesteps (B,) int64 in 0..999 to its prediction (B, 4, h, w)."""
        ...

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        """``count`` vectors by encoder that start from the tokens of ``text``: ``{"clip_l": (count, 768)}``.

        Raises
        ------
        BadInput
            When ``text`` has no token.
        """
        ...

    def check_request(self, request: PictureRequest) -> None:
        """Raise the :class:`BadInput` that :meth:`generate` would, without drawing."""
        ...

    def generate(
        self, request: PictureRequest, embeddings: Sequence[Embedding], stop: Callable[[], bool] | None = None
    ) -> Image:
        """Generate one RGB image without touching the random state of anyone else.

        Parameters
        ----------
        stop
            Asked between the sampler's steps, from any thread.

        Raises
        ------
        BadInput
            An unknown sampler or scheduler, or a size that is not a multiple of 8.
        Stopped
            When ``stop`` said so, or the host's own Interrupt was pressed.
        """
        ...


@dataclass(frozen=True)
class InitialVectors:
    """What a new embedding starts from: (count, width) float32 on the CPU by encoder, and the model they are of."""

    vectors: Mapping[str, torch.Tensor]
    model_name: str
    model_hash: str
    """As :attr:`ModelInfo.hash`."""


class Host(Protocol):
    """Whoever has the models and folders: the WebUI's session, or this program by itself."""

    @property
    def embeddings_folder(self) -> Path:
        """Where finished embeddings go."""
        ...

    @property
    def template_folders(self) -> Sequence[Path]:
        """Folders of prompt templates besides the shipped ones, the first that has a name wins."""
        ...

    @property
    def arguments(self) -> Mapping[str, str]:
        """Which model and folders these are, as plain text for a run's settings file: enough to lend them again."""
        ...

    @property
    def model_size(self) -> int:
        """Picture side in pixels that the model at hand was made for, as far as is known without loading it."""
        ...

    @property
    def allowed_folders(self) -> Sequence[Path] | None:
        """Folders that the users of a page may name, where they are not at home on this machine; None for all."""
        ...

    def session(self, options: SessionOptions) -> AbstractContextManager[Model]:
        """Lend the model. The only place where host state changes; all of it is undone on leaving, however left.

        Raises
        ------
        BadInput
            When there is no usable model: missing, truncated, of another family.
        """
        ...

    def initial_vectors(self, text: str, count: int) -> InitialVectors:
        """Return ``count`` vectors that start from the tokens of ``text``, for a new embedding; never waits.

        Raises
        ------
        BadInput
            When there is no usable model, or ``text`` has no token.
        ModelInUse
            When the host's model is needed for it and at work.
        """
        ...

    def watch(self, event: Event) -> None:
        """Every event of a run, for the host's own progress bar; must be quick and must not raise."""
        ...

    def interrupted(self) -> str:
        """What asked to stop, such as the host's own Interrupt, for "was stopped by …"; empty while nothing did."""
        ...

    def embedding_saved(self, path: Path) -> str:
        """Load the embedding at ``path``, which has just been written, where the host keeps embeddings in memory.

        Never raises.

        Returns
        -------
        str
            A full sentence for the user where that failed, else empty.
        """
        ...

    def token_spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Where each token of a text begins and ends, by letters; no model is needed for it."""
        ...

    @property
    def captioners(self) -> Sequence[str]:
        """Names of what can caption pictures here, the best first; empty where there is nothing."""
        ...

    def captioner(self, name: str, tell: Tell) -> AbstractContextManager[Captioner]:
        """Lend a captioner: its model is loaded once, and what it displaced is put back on leaving.

        Raises
        ------
        BadInput
            When there is none of that name, or its model is not on this machine: which file or folder is looked for.
        """
        ...

    @property
    def upscalers(self) -> Sequence[str]:
        """Names of what can enlarge pictures here besides plain resampling, the best first."""
        ...

    def upscaler(self, name: str, tell: Tell) -> AbstractContextManager[Upscaler]:
        """Lend an upscaler.

        Raises
        ------
        BadInput
            When there is none of that name, or its file cannot be used.
        """
        ...

    @property
    def can_inpaint(self) -> bool:
        """Whether :meth:`inpainter` is possible here."""
        ...

    def inpainter(self, tell: Tell) -> AbstractContextManager[Inpainter]:
        """Lend the loaded model for filling parts of pictures.

        Raises
        ------
        BadInput
            When this host cannot do it, or no model is loaded.
        """
        ...
