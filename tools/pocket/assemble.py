"""Put the trained parts into one checkpoint: `python -m tools.pocket.assemble --work FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from transformers import CLIPTextModel

from lib_ti.pocket import CHECKPOINT, architecture, files
from lib_ti.pocket.captions import caption
from lib_ti.pocket.words import Words
from lib_ti.pocket.world import training_specs

# The WebUI scales an emphasised context by its old mean over its new one, with every prompt. A mean near zero, as a
# training leaves it, would make that scale wild; Stable Diffusion 1's is about a tenth of the deviation.
CONTEXT_MEAN = 0.15


@torch.no_grad()
def lift_context(unet: UNet2DConditionModel, text: CLIPTextModel, mean: float = CONTEXT_MEAN) -> None:
    """Shift the text encoder's output so that its mean is `mean`, and the UNet so that its predictions stay equal.

    A constant added to every token's context moves all attention scores of a query alike, which changes nothing, and
    adds a constant to the attended value, which the bias behind it takes away again.
    """
    captions = [caption(spec, seed) for seed, spec in enumerate(training_specs(200, seed=3))]
    shift = mean - text(Words().encode(captions))[0].mean()
    text.text_model.final_layer_norm.bias += shift
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            module.to_out[0].bias -= module.to_out[0].weight @ (shift * module.to_v.weight.sum(1))


def assemble(work: Path, target: Path = CHECKPOINT) -> None:
    """`<work>/vae.pt` and `<work>/average.pt` -> the ldm checkpoint `target`, its `.yaml`, and the `clip` folder."""
    vae, unet, text = architecture.new_vae(), architecture.new_unet(), architecture.new_text_encoder()
    vae.load_state_dict(torch.load(work / "vae.pt", weights_only=True))
    trained = torch.load(work / "average.pt", weights_only=True)
    for prefix, network in (("unet.", unet), ("text.", text)):
        part = {name.removeprefix(prefix): value for name, value in trained.items() if name.startswith(prefix)}
        missing, unexpected = network.load_state_dict(part, strict=False)
        if unexpected or any(not name.endswith("position_ids") for name in missing):
            raise ValueError(f"{work / 'average.pt'} is of another architecture: {missing} {unexpected}")
    lift_context(unet.eval(), text.eval())
    files.write(files.to_ldm(unet, vae, text), target)
    files.write_clip_folder(files.CLIP)


def main() -> None:
    parser = argparse.ArgumentParser(description="write the pocket model's checkpoint")
    parser.add_argument("--work", type=Path, required=True, help="folder where the parts were trained")
    parser.add_argument("--target", type=Path, default=CHECKPOINT)
    a = parser.parse_args()
    assemble(a.work, a.target)


if __name__ == "__main__":
    main()
