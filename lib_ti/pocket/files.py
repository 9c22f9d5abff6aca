"""The pocket model as a Stable Diffusion 1 checkpoint, with its `.yaml`; copies of both pocket models for a WebUI."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import CLIPTextModel

from lib_ti.host.embedded.files.ldm_names import autoencoder_name, text_encoder_name, unet_name

from . import CHECKPOINT, CHECKPOINTS, architecture
from .diffusion import betas
from .words import VOCABULARY

WEIGHTS = CHECKPOINT.parent
CLIP = Path(__file__).parent / "clip"
CLIP_FOLDERS = {"sd1": CLIP, "sdxl": CLIP.with_name("clip-xl")}
"""By family: the configuration of the text encoder that is CLIP's, as `from_pretrained` reads it."""
OPEN_CLIP = CLIP.with_name("open_clip")
"""Configuration of pocket-xl's second text encoder, as open_clip reads it."""

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer.text_model."


def _unet_ldm(name: str) -> str:
    levels = range(len(architecture.UNET_CHANNELS))
    return UNET_PREFIX + unet_name(name, layers=architecture.UNET_CONFIG["layers_per_block"], attended=levels)


def _vae_ldm(name: str) -> str:
    return VAE_PREFIX + autoencoder_name(name, levels=len(architecture.VAE_CHANNELS))


def _text_ldm(name: str) -> str:
    return TEXT_PREFIX + text_encoder_name(name)


def schedule() -> dict[str, Tensor]:
    """Return the buffers of ldm's `DDPM`, each (1000,) float32, as Stable Diffusion 1.5's file has them."""
    b = betas()
    kept = torch.cumprod(1 - b, 0)
    before = torch.cat([torch.ones(1, dtype=kept.dtype), kept[:-1]])
    variance = b * (1 - before) / (1 - kept)
    buffers = {
        "betas": b,
        "alphas_cumprod": kept,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": kept.sqrt(),
        "sqrt_one_minus_alphas_cumprod": (1 - kept).sqrt(),
        "log_one_minus_alphas_cumprod": (1 - kept).log(),
        "sqrt_recip_alphas_cumprod": (1 / kept).sqrt(),
        "sqrt_recipm1_alphas_cumprod": (1 / kept - 1).sqrt(),
        "posterior_variance": variance,
        "posterior_log_variance_clipped": variance.clamp(min=1e-20).log(),
        "posterior_mean_coef1": b * before.sqrt() / (1 - kept),
        "posterior_mean_coef2": (1 - before) * (1 - b).sqrt() / (1 - kept),
    }
    return {name: value.float() for name, value in buffers.items()}


def to_ldm(unet: UNet2DConditionModel, vae: AutoencoderKL, text: CLIPTextModel) -> dict[str, Tensor]:
    """Return the three networks' weights by ldm names, in float16, and the noise schedule in float32."""
    out: dict[str, Tensor] = {}
    for name, value in unet.state_dict().items():
        out[_unet_ldm(name)] = value
    for name, value in vae.state_dict().items():
        # The autoencoder's attention: matrices here, 1x1 convolutions in ldm.
        is_matrix = "attentions" in name and value.ndim == 2
        out[_vae_ldm(name)] = value[..., None, None] if is_matrix else value
    for name, value in text.state_dict().items():
        if not name.endswith("position_ids"):
            out[_text_ldm(name)] = value
    return schedule() | {name: value.detach().cpu().half().contiguous() for name, value in out.items()}


def from_ldm(weights: Mapping[str, Tensor]) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """Invert `to_ldm`: return three networks in float32, in evaluation mode, without gradients."""
    unet, vae, text = architecture.new_unet(), architecture.new_vae(), architecture.new_text_encoder()
    unet.load_state_dict({name: weights[_unet_ldm(name)].float() for name in unet.state_dict()})
    shapes = {name: value.shape for name, value in vae.state_dict().items()}
    vae.load_state_dict({name: weights[_vae_ldm(name)].float().reshape(shape) for name, shape in shapes.items()})
    known = {name: value for name, value in text.state_dict().items() if name.endswith("position_ids")}
    known |= {name: weights[_text_ldm(name)].float() for name in text.state_dict() if name not in known}
    text.load_state_dict(known)
    for network in (unet, vae, text):
        network.requires_grad_(False).eval()
    return unet, vae, text


def load(path: Path | str = CHECKPOINT) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """Load the pocket model's UNet, autoencoder and text encoder from its checkpoint."""
    return from_ldm(load_file(path))


def config(version: str) -> dict[str, Any]:
    """Return ldm's description of the model (the `.yaml`), `version` being the text encoder's folder."""
    return {
        "model": {
            "target": "ldm.models.diffusion.ddpm.LatentDiffusion",
            "params": {
                "linear_start": 0.00085,
                "linear_end": 0.012,
                "num_timesteps_cond": 1,
                "timesteps": 1000,
                "first_stage_key": "jpg",
                "cond_stage_key": "txt",
                "image_size": architecture.UNET_CONFIG["sample_size"],
                "channels": 4,
                "cond_stage_trainable": False,
                "conditioning_key": "crossattn",
                "scale_factor": architecture.SCALE_FACTOR,
                "use_ema": False,
                "unet_config": {
                    "target": "ldm.modules.diffusionmodules.openaimodel.UNetModel",
                    "params": _unet_parameters(),
                },
                "first_stage_config": {
                    "target": "ldm.models.autoencoder.AutoencoderKL",
                    "params": {
                        "embed_dim": 4,
                        "ddconfig": _autoencoder_parameters(),
                        "lossconfig": {"target": "torch.nn.Identity"},
                    },
                },
                "cond_stage_config": {
                    "target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
                    "params": {"version": version},
                },
            },
        }
    }


def _unet_parameters() -> dict[str, Any]:
    channels = architecture.UNET_CHANNELS
    return {
        "image_size": architecture.UNET_CONFIG["sample_size"],
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": channels[0],
        "attention_resolutions": [2**level for level in reversed(range(len(channels)))],
        "num_res_blocks": architecture.UNET_CONFIG["layers_per_block"],
        "channel_mult": [width // channels[0] for width in channels],
        "num_heads": architecture.HEADS,
        "use_spatial_transformer": True,
        "transformer_depth": 1,
        "context_dim": architecture.WIDTH,
        "use_checkpoint": False,
        "legacy": False,
    }


def _autoencoder_parameters() -> dict[str, Any]:
    channels = architecture.VAE_CHANNELS
    return {
        "double_z": True,
        "z_channels": 4,
        "resolution": architecture.VAE_CONFIG["sample_size"],
        "in_channels": 3,
        "out_ch": 3,
        "ch": channels[0],
        "ch_mult": [width // channels[0] for width in channels],
        "num_res_blocks": architecture.VAE_CONFIG["layers_per_block"],
        "attn_resolutions": [],
        "dropout": 0.0,
    }


def _write_config(path: Path, version: str) -> None:
    # JSON is YAML, needs no YAML writer, and quotes the paths of any system correctly.
    path.write_text(json.dumps(config(version), indent=2) + "\n", encoding="utf-8")


def write(weights: Mapping[str, Tensor], path: Path = CHECKPOINT) -> None:
    """Write the checkpoint and, beside it, the `.yaml` whose `version` is relative to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    save_file(dict(weights), partial, metadata={"format": "pt"})
    partial.chmod(0o644)  # safetensors makes it private
    partial.replace(path)
    _write_config(path.with_suffix(".yaml"), "../clip")


def write_clip_folder(folder: Path, config: Mapping[str, Any] = architecture.TEXT_CONFIG) -> None:
    """Write a text encoder's configuration for `from_pretrained` of `transformers`, without the vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    text = {"architectures": ["CLIPTextModel"], "model_type": "clip_text_model", **config}
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    special["pad_token"] = "<|endoftext|>"
    tokenizer = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, **special}
    for name, content in (("config", text), ("special_tokens_map", special), ("tokenizer_config", tokenizer)):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def export(folder: Path | str, name: str = "", family: str = "sd1") -> Path:
    """Copy a pocket model into a WebUI's `models/Stable-diffusion` folder, ready to be loaded; returns the checkpoint.

    The WebUI hands `version` to `from_pretrained`, so there it is an absolute path, to a folder with the text encoder's
    configuration and vocabulary. The folder holds no weights: the WebUI takes them from the checkpoint, and would list
    a second `.safetensors` file as a checkpoint of its own.

    The WebUI looks up SDXL's second text encoder by its name in open_clip, which does not know pocket-xl's: a script of
    an extension has to call `open_clip.add_model_config` with the folder :data:`OPEN_CLIP`.

    Parameters
    ----------
    name
        Of the files; empty for the model's own.
    family
        A key of :data:`lib_ti.pocket.CHECKPOINTS`.
    """
    checkpoint, source = CHECKPOINTS[family], CLIP_FOLDERS[family]
    target = Path(folder).resolve() / f"{name or checkpoint.stem}.safetensors"
    clip = target.with_name(f"{target.stem}-clip")
    clip.mkdir(parents=True, exist_ok=True)
    for file in (*source.glob("*.json"), *(VOCABULARY / name for name in ("vocab.json", "merges.txt"))):
        shutil.copyfile(file, clip / file.name)
    shutil.copyfile(checkpoint, target)
    description = checkpoint.with_suffix(".yaml").read_text(encoding="utf-8")
    relative, absolute = json.dumps(f"../{source.name}"), json.dumps(clip.as_posix())
    target.with_suffix(".yaml").write_text(description.replace(relative, absolute), encoding="utf-8")
    return target
