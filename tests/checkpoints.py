"""Small random checkpoints of every family with their ``.yaml``, as both hosts load them.

The two encoders of SDXL differ in width, and the pooled vector has a third one, so that whatever is mixed up fails.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lib_ti.families.clip import END, START, VOCABULARY
from lib_ti.families.family import Family, Prediction, TextEncoderSpec
from lib_ti.families.sd1 import SD1
from lib_ti.families.sd2 import SD2
from lib_ti.families.sdxl import SDXL
from lib_ti.host.clip import tokenizer
from lib_ti.host.embedded.networks import Networks
from tools.pocket.checkpoint_format import checkpoint_weights, description, open_clip_config

KINDS: Mapping[str, tuple[Family, Prediction]] = {
    "sd1": (SD1, "eps"),
    "sd2-eps": (SD2, "eps"),
    "sd2-v": (SD2, "v"),
    "sdxl": (SDXL, "eps"),
    "sdxl-v": (SDXL, "v"),
}
SIZE = 64
"""Image side in pixels that the checkpoints are for; their metadata say so, since SDXL's ``.yaml`` cannot."""
TIME_WIDTH = 32
"""Numbers that each of SDXL's six image sizes becomes (``outdim``)."""
PROJECTED = 40
OPEN_CLIP = "ti-small"
"""Own architecture of open_clip; :func:`open_clip_config` describes it."""
BUILT_IN = "ViT-S-32-alt"
"""The smallest that open_clip has: checkpoints with it need nothing registered, and take 45 MB."""


@dataclass(frozen=True)
class TextSize:
    """A text encoder; it has max(1, width // 64) attention heads, and ``projected`` numbers in its pooled vector."""

    width: int
    layers: int
    projected: int


_CLIP = TextSize(width=32, layers=3, projected=32)
_SMALL = TextSize(width=48, layers=3, projected=PROJECTED)
_LARGE = TextSize(width=256, layers=10, projected=256)


def write_checkpoint(
    folder: Path,
    kind: str,
    *,
    name: str = "",
    built_in: bool = False,
    seed: int = 0,
    marks: Sequence[str] = (),
    size: int = SIZE,
) -> Path:
    """Write ``<name>.safetensors`` in half precision, ``<name>.yaml`` and, for CLIP-L, the folder ``<name>-clip``.

    Parameters
    ----------
    kind
        One of :data:`KINDS`, which is also the name where none is given.
    built_in
        Whether open_clip knows the architecture of the encoder by itself.
    size
        Image side in pixels that the file says the model is for.
    marks
        Names of empty weights besides the model's, by which some fine-tunes say what they are.
    """
    family, prediction = KINDS[kind]
    networks = small_networks(family, built_in=built_in, seed=seed)
    path = folder.resolve() / f"{name or kind}.safetensors"
    weights = {name: one.half() for name, one in checkpoint_weights(networks, family).items()}
    weights |= {name: torch.zeros(0) for name in marks}
    save_file(weights, path, metadata={"modelspec.resolution": f"{size}x{size}"})
    clip = path.with_name(f"{path.stem}-clip")
    if "clip_l" in networks.text_encoders:
        _write_clip_folder(clip, networks.text_encoders["clip_l"].config)
    described = description(networks, family, prediction, clip.as_posix(), BUILT_IN if built_in else OPEN_CLIP)
    path.with_suffix(".yaml").write_text(json.dumps(described, indent=1), encoding="utf-8")
    return path


def small_networks(family: Family, *, built_in: bool = False, seed: int = 0) -> Networks:
    """Return random networks whose weights are the same in half precision."""
    sizes = {spec.key: (_LARGE if built_in else _SMALL) if _is_open(spec) else _CLIP for spec in family.encoders}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel(**_unet(family, sizes))
        autoencoder = AutoencoderKL(
            sample_size=SIZE,
            block_out_channels=(32,) * 4,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )
        encoders = {spec.key: _text_encoder(spec, sizes[spec.key]) for spec in family.encoders}
    networks = Networks(unet, autoencoder, encoders)
    for network in networks.all:
        network.requires_grad_(False).eval()
        for parameter in network.parameters():
            parameter.copy_(parameter.half())
    return networks


def _unet(family: Family, sizes: Mapping[str, TextSize]) -> dict[str, Any]:
    """Two levels, the coarser without attention; SDXL's has three with 0, 1 and 2 transformer blocks."""
    traits = family.model
    sized = "sizes" in traits.conditioning
    channels = (64, 64, 64) if sized else (64, 128)
    attended = (False, True, True) if sized else (True, False)
    config: dict[str, Any] = {
        "sample_size": SIZE // 8,
        "block_out_channels": channels,
        "layers_per_block": 1,
        "down_block_types": tuple("CrossAttnDownBlock2D" if has else "DownBlock2D" for has in attended),
        "up_block_types": tuple("CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(attended)),
        "cross_attention_dim": sum(size.width for size in sizes.values()),
        "attention_head_dim": traits.heads or tuple(width // traits.head_channels for width in channels),
        "use_linear_projection": bool(traits.head_channels),
    }
    if sized:
        pooled = next(sizes[spec.key].projected for spec in family.encoders if spec.pooled)
        config |= {
            "transformer_layers_per_block": (2, 1, 2),
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": TIME_WIDTH,
            "projection_class_embeddings_input_dim": pooled + 6 * TIME_WIDTH,
        }
    return config


def _text_encoder(spec: TextEncoderSpec, size: TextSize) -> CLIPTextModel | CLIPTextModelWithProjection:
    config = _text_config(spec, size)
    network = CLIPTextModelWithProjection(config) if spec.pooled else CLIPTextModel(config)
    # Without it the mean of the normed states is zero up to rounding, and the WebUI's emphasis divides by it.
    torch.nn.init.normal_(network.text_model.final_layer_norm.bias, std=0.1)
    return network


def _text_config(spec: TextEncoderSpec, size: TextSize) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=size.width,
        intermediate_size=4 * size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=max(1, size.width // 64),
        projection_dim=size.projected,
        hidden_act=spec.activation,
        bos_token_id=START,
        # Any other number than 2 makes newer transformers pool at the first end token, as open_clip does.
        eos_token_id=END,
        pad_token_id=spec.pad,
    )


def _is_open(spec: TextEncoderSpec) -> bool:
    return spec.naming == "open_clip"


def write_open_clip_config(folder: Path) -> Path:
    """Write ``<OPEN_CLIP>.json``, for ``open_clip.add_model_config`` in the process that loads the checkpoint."""
    path = folder / f"{OPEN_CLIP}.json"
    description = open_clip_config(_text_config(SDXL.encoders[1], _SMALL))
    path.write_text(json.dumps(description), encoding="utf-8")
    return path


def _write_clip_folder(folder: Path, config: CLIPTextConfig) -> None:
    """Write the text encoder's configuration and vocabulary, as ``from_pretrained`` reads them, without weights."""
    folder.mkdir(exist_ok=True)
    config.save_pretrained(folder)
    special = {"bos_token": "<|startoftext|>"}
    special |= dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    about = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, **special}
    for name, content in (("special_tokens_map", special), ("tokenizer_config", about)):
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(Path(tokenizer.__file__).with_name("vocabulary") / name, folder / name)
