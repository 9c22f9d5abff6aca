"""The model that a host acquires, as the trainer sees it: alike for all hosts and families.

Tensors are float32 unless said otherwise and live on :attr:`Model.device`; ``h`` and ``w`` are latent sizes,
1 / :data:`lib_ti.families.family.VAE_SCALE_FACTOR` of the image's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from lib_ti.families.model_info import ModelInfo

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from lib_ti.embedding.embedding import Embedding

Checkpointing = Literal["off", "transformer-blocks", "all-blocks"]
"""Which of the UNet's blocks recompute their activations in the backward pass instead of storing them."""
Optimization = Literal["off", "channels-last", "compile", "cuda-graphs"]
"""Ways to run the UNet faster: see :attr:`lib_ti.config.TrainConfig.optimization`."""


@dataclass(frozen=True)
class LatentStats:
    """Distribution of images' latents, already times the model's scale factor: two (B, 4, h, w) tensors."""

    mean: torch.Tensor
    std: torch.Tensor


@dataclass(frozen=True)
class Framing:
    """How an image came to its training size; (width, height) and (left, top) in pixels.

    Parameters
    ----------
    original
        The image's own size.
    crop
        Corner of what was kept, in the image scaled to cover ``size``.
    size
        What the model sees.
    """

    original: tuple[int, int]
    crop: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def whole(cls, width: int, height: int) -> Framing:
        """An image that was neither scaled nor cropped."""
        return cls(original=(width, height), crop=(0, 0), size=(width, height))


@dataclass(frozen=True)
class Conditions:
    """What a batch of images is conditioned on.

    Parameters
    ----------
    prompts
        Plain text: brackets carry no emphasis.
    framings
        One for each prompt. Families that are conditioned on sizes and crop use them.
    """

    prompts: Sequence[str]
    framings: Sequence[Framing]

    @classmethod
    def whole(cls, prompts: Sequence[str], *, width: int, height: int) -> Conditions:
        """Prompts of images of one size that were neither scaled nor cropped."""
        return cls(prompts, [Framing.whole(width, height)] * len(prompts))

    def part(self, of_part: slice) -> Conditions:
        """Return those of some of the images."""
        return Conditions(self.prompts[of_part], self.framings[of_part])


class Conditioning(Protocol):
    """Encoded :class:`Conditions`, for :meth:`Model.predict` of the same model; nobody else looks inside."""

    def split(self, count: int) -> Sequence[Conditioning]:
        """Return parts of at most ``count`` conditions each, whose text is padded as in the whole."""
        ...

    def detached(self, length: torch.Tensor | None = None) -> tuple[Conditioning, Callable[[], None]]:
        """Return it apart from the text encoders' graph, and a function that passes its gradients on to them.

        So backward passes through parts of it need one backward pass through the text encoders between them.

        Parameters
        ----------
        length
            Norm, a scalar, that each condition's gradient is scaled to before it is passed on; None to leave it.
        """
        ...


@dataclass(frozen=True)
class ImageRequest:
    """One image to generate, in the terms of the WebUI's txt2img tab."""

    prompt: str
    negative_prompt: str = ""
    steps: int = 20
    sampler: str = "Euler a"
    scheduler: str = "Automatic"
    cfg_scale: float = 7.0
    seed: int = 0
    """0 to 2**32 - 1. Callers that want a random image sample the seed first, so that it can be shown."""
    width: int = 512
    height: int = 512
    literal: bool = False
    """Whether the prompt is a caption, plain text; otherwise hosts read emphasis and other prompt syntax in it."""


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
    def weight_bytes(self) -> int:
        """Memory that the model's weights take on the device."""
        ...

    @property
    def alphas_cumprod(self) -> torch.Tensor:
        """(1000,) float32, the training noise schedule."""
        ...

    def set_checkpointing(self, blocks: Checkpointing) -> None:
        """Choose how the UNet's activations are stored, from the next :meth:`predict` on; a session begins with off.

        Predictions are the same in every bit, gradients up to the order in which they are summed.
        """
        ...

    @property
    def autoencoder_bytes(self) -> int:
        """Memory on the device that :meth:`offload_autoencoder` frees; 0 where that is not possible."""
        ...

    def offload_autoencoder(self, away: bool) -> None:
        """Choose whether the autoencoder is in main memory except while it is used; a session begins with it not so."""
        ...

    def optimize(self, how: Optimization) -> str:
        """Choose how the UNet is run, from the next :meth:`predict` on; a session begins with off.

        Predictions differ by rounding only. What is compiled is compiled when it is first run, and may fail then.

        Returns
        -------
        str
            Why this model cannot be run so, a full sentence, which leaves it as it was; else empty.
        """
        ...

    def encode_images(self, pixels: torch.Tensor) -> LatentStats:
        """Encode pixels (B, 3, H, W) in -1..1, H and W multiples of 8, to the latents' distribution. No gradient."""
        ...

    def encode_prompts(self, conditions: Conditions, embeddings: Sequence[Embedding]) -> Conditioning:
        """Encode prompts, with the embeddings' vectors in place of their names.

        Differentiable in ``embedding.vectors`` where gradients are enabled and those require them. Prompts longer than
        75 tokens use several contexts, all prompts of a call as many as its longest.
        """
        ...

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        """Count the prompt's tokens, each embedding's name as its number of vectors."""
        ...

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        """Return names of those of ``embeddings`` that the prompt uses, in order of appearance."""
        ...

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        """Run the UNet on noisy latents (B, 4, h, w) and timesteps (B,) int64 in 0..999; returns (B, 4, h, w)."""
        ...

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        """Return ``count`` vectors by encoder that start from the tokens of ``text``: ``{"clip_l": (count, 768)}``.

        Raises
        ------
        BadInput
            When ``text`` has no token.
        """
        ...

    def check_request(self, request: ImageRequest) -> None:
        """Raise the :class:`BadInput` that :meth:`generate` would, without generating."""
        ...

    def generate(
        self, request: ImageRequest, embeddings: Sequence[Embedding], stop: Callable[[], bool] | None = None
    ) -> Image:
        """Generate one RGB image without touching anyone else's random state.

        Parameters
        ----------
        stop
            Called between the sampler's steps, from any thread; True ends it.

        Raises
        ------
        BadInput
            An unknown sampler or scheduler, or a size that is not a multiple of 8.
        Stopped
            When ``stop`` returned True, or the host's own Interrupt was pressed.
        """
        ...
