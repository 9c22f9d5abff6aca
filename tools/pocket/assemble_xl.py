"""Put pocket-xl's trained parts into one checkpoint: `python -m tools.pocket.assemble_xl --work FOLDER`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from transformers import CLIPTextConfig

from lib_ti.families.sdxl import SDXL
from lib_ti.host.embedded.networks import Networks
from lib_ti.pocket import XL_CHECKPOINT, files
from lib_ti.pocket import architecture as pocket
from lib_ti.pocket.world import SIZE
from tools.pocket import xl_architecture as architecture
from tools.pocket.checkpoint_format import checkpoint_weights, description, open_clip_config

OPEN_CLIP = "pocket-xl"
"""Its second text encoder's name in open_clip, which a WebUI does not know by itself."""


@torch.no_grad()
def rescale(vae: AutoencoderKL, before: float, after: float) -> None:
    """Change the factor that latents are multiplied with after encoding, by the two 1x1 convolutions around them.
    Latents in the UNet's scale and reconstructions stay equal."""
    gain = torch.tensor(before / after)
    vae.quant_conv.weight[:4] *= gain
    vae.quant_conv.bias[:4] *= gain
    vae.quant_conv.bias[4:] += 2 * gain.log()  # the log variance grows with the scale
    vae.post_quant_conv.weight /= gain
    vae.config["scaling_factor"] = after


def trained_networks(work: Path) -> Networks:
    """Return the averaged networks of `<work>/average-xl.pt`, with the pocket model's autoencoder.

    Raises
    ------
    ValueError
        When the file is of another architecture.
    """
    _, vae, _ = files.load()
    rescale(vae, pocket.SCALE_FACTOR, SDXL.model.scale_factor)
    unet, encoders = architecture.new_unet(), architecture.new_text_encoders()
    trained = torch.load(work / "average-xl.pt", weights_only=True)
    parts = {"unet.": unet, **{f"text.{key}.": network for key, network in encoders.items()}}
    for prefix, network in parts.items():
        part = {name.removeprefix(prefix): value for name, value in trained.items() if name.startswith(prefix)}
        missing, unexpected = network.load_state_dict(part, strict=False)
        if unexpected or any(not name.endswith("position_ids") for name in missing):
            raise ValueError(f"{work / 'average-xl.pt'} is of another architecture: {missing} {unexpected}")
    return Networks(unet, vae, encoders)


def assemble(work: Path, target: Path = XL_CHECKPOINT) -> None:
    """`<work>/average-xl.pt` -> the sgm checkpoint `target` in float16, and its `.yaml`."""
    networks = trained_networks(work)
    weights = {name: one.detach().half() for name, one in checkpoint_weights(networks, SDXL).items()}
    partial = target.with_suffix(".partial")
    save_file(weights, partial, metadata={"format": "pt", "modelspec.resolution": f"{SIZE}x{SIZE}"})
    partial.chmod(0o644)  # safetensors makes it private
    partial.replace(target)
    described = description(networks, SDXL, "eps", "../clip-xl", OPEN_CLIP)
    target.with_suffix(".yaml").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    files.write_clip_folder(files.CLIP_FOLDERS["sdxl"], architecture.text_config(SDXL.encoders[0]))
    _write_open_clip_config()


def _write_open_clip_config() -> None:
    """Describe the second text encoder in :data:`lib_ti.pocket.files.OPEN_CLIP`."""
    files.OPEN_CLIP.mkdir(exist_ok=True)
    config = open_clip_config(CLIPTextConfig(**architecture.text_config(SDXL.encoders[1])))
    (files.OPEN_CLIP / f"{OPEN_CLIP}.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="write pocket-xl's checkpoint")
    parser.add_argument("--work", type=Path, required=True, help="folder where the parts were trained")
    parser.add_argument("--target", type=Path, default=XL_CHECKPOINT)
    a = parser.parse_args()
    assemble(a.work, a.target)


if __name__ == "__main__":
    main()
