"""The WebUI's loaded model behind ``lib_ti.host.model.Model``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from modules import devices, lowvram, sd_models, sd_vae, shared
from PIL import Image

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import TrainingFailed
from lib_ti.families.family import Family
from lib_ti.families.model_info import ModelInfo
from lib_ti.host.clip.conditioning import TextConditioning
from lib_ti.host.model import Checkpointing, Conditioning, Conditions, ImageRequest, LatentStats, Optimization
from lib_ti.host.request_checks import check_encodable
from lib_ti.host.webui.file_hints import differences, stated_by_file, weight_names
from lib_ti.host.webui.loaded.autoencoder import latent_distribution
from lib_ti.host.webui.loaded.conditioning import unet_conditioning
from lib_ti.host.webui.loaded.kind import image_size, recognition
from lib_ti.host.webui.loaded.noise_schedule import alphas_cumprod, has_zero_terminal_snr
from lib_ti.host.webui.loaded.prompts import WebUIPromptEncoder
from lib_ti.host.webui.preview import PreviewGenerator
from lib_ti.host.weights_hash import network_hash


class WebUIModel:
    """The loaded model during a session; see :class:`lib_ti.host.model.Model` for what its methods promise.

    Parameters
    ----------
    family
        The loaded model's.
    set_checkpointing
        See :meth:`lib_ti.host.model.Model.set_checkpointing`.
    report
        Called with sentences about the WebUI's settings that affect training.
    """

    def __init__(
        self,
        sd_model: Any,
        family: Family,
        set_checkpointing: Callable[[Checkpointing], None],
        report: Callable[[str], None] | None,
    ) -> None:
        self._sd_model = sd_model
        self.set_checkpointing = set_checkpointing
        self._file = sd_model.sd_model_checkpoint
        clip_skip = int(shared.opts.CLIP_stop_at_last_layers)
        self._prompts = WebUIPromptEncoder(sd_model, family, clip_skip)
        self._previews = PreviewGenerator(sd_model, self._prompts)
        self._alphas_cumprod = alphas_cumprod(sd_model, family).to(devices.device)
        self._info = _describe(sd_model, family, self._prompts)
        if report:
            for sentence in self._remarks(clip_skip):
                report(sentence)

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def device(self) -> torch.device:
        return torch.device(devices.device)

    @property
    def needs_loss_scaling(self) -> bool:
        return torch.float16 in (devices.dtype_unet, devices.dtype)

    @property
    def weight_bytes(self) -> int:
        """With --medvram, the autoencoder is moved off the device between its uses."""
        model = self._sd_model
        parts = (model.cond_stage_model, model.model) if model.lowvram else (model,)
        return sum(one.nbytes for part in parts for one in part.parameters() if one.device.type != "meta")

    autoencoder_bytes = 0
    """The WebUI moves it by itself with --medvram."""

    def offload_autoencoder(self, away: bool) -> None:
        """Do nothing."""

    def optimize(self, how: Optimization) -> str:
        """Refuse: the WebUI replaces parts of its UNet while it runs, which a compiled one would not see."""
        return (
            "" if how == "off" else f"UNet optimization {how} is not for the WebUI's model; training runs without it."
        )

    @property
    def alphas_cumprod(self) -> torch.Tensor:
        return self._alphas_cumprod

    @torch.no_grad()
    def encode_images(self, pixels: torch.Tensor) -> LatentStats:
        """Encode in float32, whatever the autoencoder's precision: in half precision some overflow."""
        self._check()
        height, width = pixels.shape[-2:]
        check_encodable(width, height)
        autoencoder = self._sd_model.first_stage_model
        stored = next(autoencoder.parameters()).dtype
        try:
            autoencoder.to(torch.float32)
            if self._sd_model.lowvram:
                autoencoder.to(self.device)
            found = [latent_distribution(autoencoder, one.to(self.device, torch.float32)) for one in pixels.split(1)]
        finally:
            autoencoder.to(stored)
            if self._sd_model.lowvram:
                lowvram.send_everything_to_cpu()
                autoencoder.to(lowvram.cpu)
        scale = float(self._sd_model.scale_factor)
        mean, std = (torch.cat([getattr(one, moment) for one in found]) * scale for moment in ("mean", "std"))
        return LatentStats(mean=mean, std=std)

    def encode_prompts(self, conditions: Conditions, embeddings: Sequence[Embedding]) -> TextConditioning:
        self._check()
        return self._prompts.encode(conditions, embeddings)

    def count_tokens(self, prompt: str, embeddings: Sequence[Embedding]) -> int:
        return self._prompts.count_tokens(prompt, embeddings)

    def find_embeddings(self, prompt: str, embeddings: Sequence[Embedding]) -> list[str]:
        return self._prompts.find_embeddings(prompt, embeddings)

    def predict(self, noisy: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning) -> torch.Tensor:
        assert isinstance(conditioning, TextConditioning)
        dtype = devices.dtype_unet
        with devices.autocast():
            prediction = self._sd_model.apply_model(
                noisy.to(self.device, dtype),
                timesteps.to(self.device),
                unet_conditioning(self._sd_model, conditioning, dtype),
            )
        return prediction.float()

    def initial_vectors(self, text: str, count: int) -> dict[str, torch.Tensor]:
        return self._prompts.initial_vectors(text, count)

    def check_request(self, request: ImageRequest) -> None:
        self._previews.check(request)

    def generate(
        self, request: ImageRequest, embeddings: Sequence[Embedding], stop: Callable[[], bool] | None = None
    ) -> Image.Image:
        self._check()
        image = self._previews.generate(request, embeddings, stop or (lambda: False))
        self._check()
        return image

    def _remarks(self, clip_skip: int) -> Iterator[str]:
        """Yield sentences about the WebUI's settings that affect training."""
        if any(encoder.skips for encoder in self._prompts.encoders):
            yield f"Clip skip is {clip_skip} in the WebUI's settings, and the embedding is trained for it."
        zero = has_zero_terminal_snr()
        if zero:
            yield "The WebUI's setting Zero Terminal SNR is on, and the embedding is trained for that noise schedule."
        if sd_vae.loaded_vae_file:
            yield f"The VAE is {sd_vae.get_loaded_vae_name()}, as chosen in the WebUI."
        metadata = self._sd_model.sd_checkpoint_info.metadata or {}
        yield from differences(weight_names(Path(self._file)), metadata, self._info.prediction, zero_terminal_snr=zero)

    def _check(self) -> None:
        """Fail when the model was replaced: the queue lock delays that, but not in everything that the API can do."""
        loaded = sd_models.model_data.sd_model
        moved = not self._sd_model.lowvram and loaded is not None and loaded.device.type != self.device.type
        if loaded is not self._sd_model or loaded.sd_model_checkpoint != self._file or moved:
            raise TrainingFailed(
                f"The WebUI's model {self._info.name} was unloaded or replaced while it was in use: load it again and "
                "continue training."
            )


def _describe(sd_model: Any, family: Family, prompts: WebUIPromptEncoder) -> ModelInfo:
    checkpoint = sd_model.sd_checkpoint_info
    stated = stated_by_file(weight_names(Path(checkpoint.filename)), checkpoint.metadata or {})
    found = recognition(sd_model, family, stated, zero_terminal_snr=has_zero_terminal_snr())
    return ModelInfo(
        name=checkpoint.name_for_extra,
        hash=checkpoint.shorthash or "",
        family=family.key,
        prediction=sd_model.parameterization,
        widths=prompts.widths,
        autoencoder=network_hash(sd_model.first_stage_model),
        size=image_size(sd_model),
        word_norm=prompts.word_norm,
        recognized=f"Recognized as {found}",
    )
