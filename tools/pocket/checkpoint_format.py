"""Networks as a checkpoint of ldm or sgm: their weights' names in the file, and the ``.yaml`` beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from transformers import CLIPTextConfig, CLIPTextModel

from lib_ti.families.family import Family, Prediction
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET, open_clip_source, text_encoder_name
from lib_ti.host.embedded.networks import Networks, autoencoder_names, unet_names


def checkpoint_weights(networks: Networks, family: Family) -> dict[str, torch.Tensor]:
    """Return the weights by their names in a checkpoint file."""
    unet_name, autoencoder_name = unet_names(networks.unet), autoencoder_names(networks.autoencoder)
    weights = {UNET + unet_name(name): one for name, one in networks.unet.state_dict().items()}
    for name, one in networks.autoencoder.state_dict().items():
        is_matrix = "attentions" in name and one.ndim == 2  # 1x1 convolutions in the file
        weights[AUTOENCODER + autoencoder_name(name)] = one[..., None, None] if is_matrix else one
    for spec in family.encoders:
        network = networks.text_encoders[spec.key]
        parameters = network.state_dict()
        is_open = spec.naming == "open_clip"
        named = _open_clip(network) if is_open else {text_encoder_name(k): v for k, v in parameters.items()}
        weights |= {spec.weights + name: one for name, one in named.items() if not name.endswith("position_ids")}
    return {name: one.contiguous() for name, one in weights.items()}


def _open_clip(network: CLIPTextModel) -> dict[str, torch.Tensor]:
    """Return a text encoder's parameters by open_clip's names; it has one matrix for queries, keys and values."""
    found: dict[str, dict[int, torch.Tensor]] = defaultdict(dict)
    for name, one in network.state_dict().items():
        source = open_clip_source(name)
        found[source.name][source.third or 0] = one.T if source.transposed else one
    projection = torch.zeros(network.config.hidden_size, network.config.projection_dim)
    weights = {"logit_scale": torch.tensor(4.6), "text_projection": projection}  # which SD2 does not use
    return weights | {name: torch.cat([thirds[i] for i in range(len(thirds))]) for name, thirds in found.items()}


def description(
    networks: Networks, family: Family, prediction: Prediction, clip_folder: str, architecture: str
) -> dict[str, Any]:
    """Return the contents of the ``.yaml`` of ldm (SD1, SD2) or sgm (SDXL).

    Parameters
    ----------
    clip_folder
        With the configuration of the text encoder that is CLIP's, as ``from_pretrained`` reads it.
    architecture
        open_clip's name of the other.
    """
    sized = "sizes" in family.model.conditioning
    params: dict[str, Any] = {
        "scale_factor": family.model.scale_factor,
        "first_stage_config": _first_stage_config(networks.autoencoder.config, sized=sized),
    }
    unet = {
        "target": f"{'sgm' if sized else 'ldm'}.modules.diffusionmodules.openaimodel.UNetModel",
        "params": _unet_params(networks.unet.config, family),
    }
    if sized:
        params |= {
            "disable_first_stage_autocast": True,
            "denoiser_config": _denoiser_config(prediction),
            "network_config": unet,
            "conditioner_config": _conditioner_config(networks, clip_folder, architecture),
        }
        return {"model": {"target": "sgm.models.diffusion.DiffusionEngine", "params": params}}
    params |= {
        "linear_start": family.model.linear_start,
        "linear_end": family.model.linear_end,
        "timesteps": 1000,
        "num_timesteps_cond": 1,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "cond_stage_trainable": False,
        "conditioning_key": "crossattn",
        "parameterization": prediction,
        "image_size": networks.unet.config.sample_size,
        "channels": 4,
        "use_ema": False,
        "unet_config": unet,
        "cond_stage_config": (
            _embedder("ldm", "FrozenOpenCLIPEmbedder", arch=architecture, layer="penultimate", device="cpu")
            if family.encoders[0].naming == "open_clip"
            else _embedder("ldm", "FrozenCLIPEmbedder", version=clip_folder)
        ),
    }
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": params}}


def open_clip_config(config: CLIPTextConfig) -> dict[str, Any]:
    """Return open_clip's description of a model with this text encoder, with a small vision part, which it requires."""
    text = {
        "context_length": config.max_position_embeddings,
        "vocab_size": config.vocab_size,
        "width": config.hidden_size,
        "heads": config.num_attention_heads,
        "layers": config.num_hidden_layers,
    }
    vision = {"image_size": 32, "layers": 1, "width": 64, "patch_size": 32}
    return {"embed_dim": config.projection_dim, "vision_cfg": vision, "text_cfg": text}


def _unet_params(config: Mapping[str, Any], family: Family) -> dict[str, Any]:
    channels, kinds = config["block_out_channels"], config["down_block_types"]
    sized = "sizes" in family.model.conditioning
    heads, depth = config["attention_head_dim"], config["transformer_layers_per_block"]
    first = heads if isinstance(heads, int) else heads[0]  # diffusers' name for the number of heads
    sizes = {"num_head_channels": channels[0] // first} if family.model.head_channels else {"num_heads": first}
    depths = [depth] * len(channels) if isinstance(depth, int) else list(depth)
    return {
        **({} if sized else {"image_size": config["sample_size"], "use_fp16": False}),
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": channels[0],
        "attention_resolutions": [2**level for level, kind in enumerate(kinds) if kind.startswith("CrossAttn")],
        "num_res_blocks": config["layers_per_block"],
        "channel_mult": [width // channels[0] for width in channels],
        **sizes,
        "use_spatial_transformer": True,
        "use_linear_in_transformer": config["use_linear_projection"],
        "transformer_depth": depths if sized else 1,
        "context_dim": config["cross_attention_dim"],
        "use_checkpoint": False,
        "legacy": False,
        **({"num_classes": "sequential", "spatial_transformer_attn_type": "softmax"} if sized else {}),
        **({"adm_in_channels": config["projection_class_embeddings_input_dim"]} if sized else {}),
    }


def _first_stage_config(config: Mapping[str, Any], *, sized: bool) -> dict[str, Any]:
    channels = config["block_out_channels"]
    part = {
        "double_z": True,
        "z_channels": 4,
        "resolution": config["sample_size"],
        "in_channels": 3,
        "out_ch": 3,
        "ch": channels[0],
        "ch_mult": [width // channels[0] for width in channels],
        "num_res_blocks": config["layers_per_block"],
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    target = "sgm.models.autoencoder.AutoencoderKLInferenceWrapper" if sized else "ldm.models.autoencoder.AutoencoderKL"
    return {
        "target": target,
        "params": {"embed_dim": 4, "ddconfig": part, "lossconfig": {"target": "torch.nn.Identity"}},
    }


def _denoiser_config(prediction: Prediction) -> dict[str, Any]:
    parts, name = "sgm.modules.diffusionmodules", "V" if prediction == "v" else "Eps"
    return {
        "target": f"{parts}.denoiser.DiscreteDenoiser",
        "params": {
            "num_idx": 1000,
            "weighting_config": {"target": f"{parts}.denoiser_weighting.{name}Weighting"},
            "scaling_config": {"target": f"{parts}.denoiser_scaling.{name}Scaling"},
            "discretization_config": {"target": f"{parts}.discretizer.LegacyDDPMDiscretization"},
        },
    }


def _conditioner_config(networks: Networks, clip_folder: str, architecture: str) -> dict[str, Any]:
    layers = networks.text_encoders["clip_l"].config.num_hidden_layers
    embedders = [
        ("txt", _embedder("sgm", "FrozenCLIPEmbedder", version=clip_folder, layer="hidden", layer_idx=layers - 1)),
        (
            "txt",
            _embedder(
                *("sgm", "FrozenOpenCLIPEmbedder2"),
                arch=architecture,
                layer="penultimate",
                always_return_pooled=True,
                legacy=False,
            ),
        ),
        *(
            (key, _embedder("sgm", "ConcatTimestepEmbedderND", outdim=networks.unet.config.addition_time_embed_dim))
            for key in ("original_size_as_tuple", "crop_coords_top_left", "target_size_as_tuple")
        ),
    ]
    models = [{"is_trainable": False, "input_key": key, **embedder} for key, embedder in embedders]
    return {"target": "sgm.modules.GeneralConditioner", "params": {"emb_models": models}}


def _embedder(library: str, name: str, **params: Any) -> dict[str, Any]:
    return {"target": f"{library}.modules.encoders.modules.{name}", "params": params}
