"""The model of the embedded host: UNet, autoencoder and text encoders behind ``lib_ti.host.model.Model``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import UserError
from lib_ti.families.family import VAE_SCALE_FACTOR
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.clip.chunks import Prompt
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.embedded.architecture import Architecture
from lib_ti.host.embedded.diffusers_classes import AutoencoderKL
from lib_ti.host.embedded.networks import Networks
from lib_ti.host.embedded.optimization import optimized
from lib_ti.host.embedded.prompt_encoder import PromptEncoder
from lib_ti.host.embedded.recognized import recognized
from lib_ti.host.embedded.sampling.sample import Denoise, sample
from lib_ti.host.embedded.sampling.samplers import check_request
from lib_ti.host.model import Checkpointing, Conditioning, Conditions, Framing, ImageRequest, LatentStats, Optimization
from lib_ti.host.request_checks import check_encodable
from lib_ti.prompt_syntax import parse

_MOST_PIXELS = 2 * 512 * 512
"""Pixels that the autoencoder processes at once, to bound its memory."""
_NOTHING: tuple[Prompt, ...] = ("", parse(""))
"""An empty negative prompt."""


class EmbeddedModel:
    """A frozen model; see :class:`lib_ti.host.model.Model` for what its methods promise.

    The UNet runs in the precision it has. Text encoders and autoencoder compute in float32 always: the former take 2 %
    of a step's arithmetic and are where the vectors enter, the latter overflows in half precision.
    """

    def __init__(
        self,
        networks: Networks,
        made: Architecture,
        *,
        name: str,
        checkpoint_hash: str,
        autoencoder_hash: str,
        clip_skip: int = 1,
    ) -> None:
        self._networks, self._unet = networks, networks.unet
        self._run_unet: Callable[..., Any] = networks.unet
        self._autoencoder, self._autoencoder_away = networks.autoencoder, False
        self._text = PromptEncoder(made.family, networks.text_encoders, clip_skip)
        self._made = made
        self._alphas_cumprod = made.alphas_cumprod().to(self._unet.device)
        self._info = ModelInfo(
            name=name,
            hash=checkpoint_hash,
            family=made.family.key,
            prediction=made.prediction,
            widths=self._text.widths,
            autoencoder=autoencoder_hash,
            size=made.size,
            word_norm=self._text.word_norm,
            recognized=f"Recognized as {recognized(made)}",
        )

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def device(self) -> torch.device:
        device: torch.device = self._unet.device
        return device

    @property
    def needs_loss_scaling(self) -> bool:
        return bool(self._unet.dtype == torch.float16)

    @property
    def weight_bytes(self) -> int:
        return sum(one.nbytes for network in self._networks.all for one in network.parameters())

    @property
    def alphas_cumprod(self) -> torch.Tensor:
        return self._alphas_cumprod

    @property
    def skips_layers(self) -> bool:
        """Whether clip skip changes what its text encoders give."""
        return self._text.skips

    def release(self) -> None:
        """Free the memory of all weights, whoever still holds this object; it cannot be used afterwards."""
        self._run_unet = self._unet
        self._networks.release()
        self._text.release()

    def set_checkpointing(self, blocks: Checkpointing) -> None:
        unet = self._unet
        unet.disable_gradient_checkpointing()
        if blocks != "off":
            unet.enable_gradient_checkpointing()
        if blocks == "transformer-blocks":
            for module in unet.modules():
                if hasattr(module, "gradient_checkpointing"):
                    module.gradient_checkpointing = hasattr(module, "transformer_blocks")
        # diffusers up to 0.31 recomputes in training mode only, which changes nothing else: the UNets have no dropout.
        unet.train(blocks != "off")

    @property
    def autoencoder_bytes(self) -> int:
        return 0 if self.device.type == "cpu" else sum(one.nbytes for one in self._autoencoder.parameters())

    def offload_autoencoder(self, away: bool) -> None:
        self._autoencoder_away = away
        self._autoencoder.to("cpu" if away else self.device)

    def optimize(self, how: Optimization) -> str:
        if how == "cuda-graphs" and self.device.type != "cuda":
            return "UNet optimization cuda-graphs needs a graphics card; training runs without it."
        self._run_unet = optimized(self._unet, how)
        return ""

    @contextmanager
    def _autoencoder_on_device(self) -> Iterator[AutoencoderKL]:
        try:
            yield self._autoencoder.to(self.device)
        finally:
            self.offload_autoencoder(self._autoencoder_away)

    @torch.no_grad()
    def encode_images(self, pixels: torch.Tensor) -> LatentStats:
        height, width = pixels.shape[-2:]
        check_encodable(width, height)
        with self._autoencoder_on_device() as autoencoder:
            parts = [
                autoencoder.encode(part.to(self.device, torch.float32)).latent_dist
                for part in pixels.split(_at_once(height * width))
            ]
        scale = self._made.scale_factor
        mean, std = (torch.cat([getattr(part, moment) for part in parts]) * scale for moment in ("mean", "std"))
        return LatentStats(mean=mean, std=std)

    def encode_prompts(self, conditions: Conditions, embeddings: Sequence[Embedding]) -> TextConditioning:
        return self._text.encode(conditions.prompts, conditions.framings, embeddings)

    def used_embeddings(self, request: ImageRequest, embeddings: Sequence[Embedding]) -> list[str]:
        """Return names of the ``embeddings`` that the prompt or the negative prompt uses, in order of appearance."""
        found = (self._text.find_embeddings(prompt, embeddings) for prompt in _prompts(request))
        return list(dict.fromkeys(name for names in found for name in names))

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return self._text.count_tokens(prompt, embeddings)

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        return self._text.find_embeddings(prompt, embeddings)

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        assert isinstance(conditioning, TextConditioning)
        dtype = self._unet.dtype
        more = {}
        if conditioning.pooled is not None:
            more = {
                # Sizes stay in float32, since bfloat16 rounds those above 256.
                "added_cond_kwargs": {"text_embeds": conditioning.pooled.to(dtype), "time_ids": conditioning.sizes}
            }
        prediction: torch.Tensor = self._run_unet(
            noisy.to(self.device, dtype),
            timesteps.to(self.device),
            encoder_hidden_states=conditioning.crossattn.to(dtype),
            return_dict=False,
            **more,
        )[0]
        return prediction.float()

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        return self._text.initial_vectors(text, count)

    def check_request(self, request: ImageRequest) -> None:
        check_request(request)

    def generate(
        self, request: ImageRequest, embeddings: Sequence[Embedding], stop: Callable[[], bool] | None = None
    ) -> Image.Image:
        return self.generate_many([request], embeddings, stop)[0]

    @torch.no_grad()
    def generate_many(
        self,
        requests: Sequence[ImageRequest],
        embeddings: Sequence[Embedding],
        stop: Callable[[], bool] | None = None,
    ) -> list[Image.Image]:
        """Generate images as :meth:`generate` does, those that differ in prompts and seed only in one batch."""
        for request in requests:
            check_request(request)
        batches: dict[tuple[object, ...], list[int]] = {}
        for index, one in enumerate(requests):
            settings = (one.sampler, one.scheduler, one.steps, one.cfg_scale, one.width, one.height)
            batches.setdefault(settings, []).append(index)
        images: dict[int, Image.Image] = {}
        for batch in batches.values():
            generated = self._generate_batch([requests[index] for index in batch], embeddings, stop)
            images.update(zip(batch, generated, strict=True))
        return [images[index] for index in range(len(requests))]

    def _generate_batch(
        self, requests: Sequence[ImageRequest], embeddings: Sequence[Embedding], stop: Callable[[], bool] | None
    ) -> list[Image.Image]:
        first = requests[0]
        size = first.width, first.height
        guided = self.guided([_prompts(request) for request in requests], embeddings, first.cfg_scale, size)
        return self.decode(sample(requests, self._alphas_cumprod, self._made.prediction, guided, stop))

    def guided(
        self,
        prompts: Sequence[tuple[Prompt, Prompt]],
        embeddings: Sequence[Embedding],
        scale: float,
        size: tuple[int, int],
    ) -> Denoise:
        """Return the UNet with classifier-free guidance, for a batch of (prompt, negative prompt).

        Parameters
        ----------
        size
            Width and height in pixels of the images.
        """
        framings = [Framing.whole(*size)] * len(prompts)
        wanted = self._text.encode([prompt for prompt, _ in prompts], framings, embeddings)
        if scale == 1:
            passes = [wanted]
        else:
            negatives = [negative for _, negative in prompts]
            unwanted = self._text.encode(negatives, framings, embeddings)
            if self._made.family.model.zero_without_negative:
                unwanted = unwanted.kept_where([negative not in _NOTHING for negative in negatives])
            # As the WebUI does: contexts are not padded to the longer prompt's, which would change the image.
            alike = wanted.crossattn.shape == unwanted.crossattn.shape
            passes = [unwanted.followed_by(wanted)] if alike else [unwanted, wanted]

        def denoise(latents: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
            predictions = []
            for conditioning in passes:
                batch = latents.repeat(len(conditioning.crossattn) // len(latents), 1, 1, 1)
                predicted = self.predict(batch, timestep.expand(len(batch)), conditioning)
                predictions += predicted.cpu().split(len(latents))
            if len(predictions) == 1:
                return predictions[0]
            without, with_prompt = predictions
            return without + scale * (with_prompt - without)

        return denoise

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> list[Image.Image]:
        """Decode latents (B, 4, h, w) to RGB images."""
        if not latents.isfinite().all():
            raise UserError(
                "The image was not generated, the UNet's output overflowed: use precision bfloat16 or float32."
            )
        parts = (latents / self._made.scale_factor).split(
            _at_once(VAE_SCALE_FACTOR**2 * latents.shape[2] * latents.shape[3])
        )
        with self._autoencoder_on_device() as autoencoder:
            pixels = torch.cat([autoencoder.decode(part.to(self.device)).sample.cpu() for part in parts])
        # Truncated, not rounded, as the WebUI does: the same seed gives the same image there.
        levels = (pixels * 127.5 + 127.5).clamp(0, 255).to(torch.uint8)
        return [Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()) for image in levels]


def _prompts(request: ImageRequest) -> tuple[Prompt, Prompt]:
    """Return prompt and negative prompt, parsed unless literal."""
    return request.prompt if request.literal else parse(request.prompt), parse(request.negative_prompt)


def _at_once(pixels: int) -> int:
    """Return how many images of so many pixels the autoencoder processes at once."""
    return max(1, _MOST_PIXELS // pixels)
