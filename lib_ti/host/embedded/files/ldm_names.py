"""Names of Stable Diffusion's weights in the file format of ldm and sgm, from those in diffusers' classes.

The rules below turn a diffusers parameter name into its ldm name, so that a model's own list of parameters
drives the loading and whatever the file lacks is known by name. Facts: the constructors of ldm's ``UNetModel``,
``Encoder`` and ``Decoder`` (CompVis, Stability AI), which number their blocks through, where diffusers nests them,
and of open_clip's ``TextTransformer``, which has ``torch.nn.MultiheadAttention``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

import torch

from lib_ti.families.family import Naming

UNET = "model.diffusion_model."
AUTOENCODER = "first_stage_model."
"""Prefixes of two of the networks in the ldm format; those of text encoders are in ``lib_ti.families``."""

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}
_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP_ENDS = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
}
_OPEN_CLIP_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
_TEXT_LAYER = re.compile(r"text_model\.encoder\.layers\.(\d+)\.(.+)")
_THIRDS = re.compile(r"self_attn\.([qkv])_proj\.(weight|bias)")
_BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
_MID_BLOCK = re.compile(r"mid_block\.(resnets\.\d|attentions\.0)\.(.+)")


def unet_name(name: str, *, layers: int, attended: Container[int]) -> str:
    """Return the ldm name of a UNet parameter, without the prefix ``model.diffusion_model.``.

    Parameters
    ----------
    name
        The parameter's name in ``UNet2DConditionModel``.
    layers
        Residual blocks of a level on the way down (ldm's ``num_res_blocks``).
    attended
        Numbers of the ``up_blocks`` that have attention: their upsampler comes third in its block, else second.
    """
    if found := _BLOCK.fullmatch(name):
        way, level, kind, number, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
        # A level takes layers + 1 numbers, down and up; on the way down the first number of all is conv_in's.
        block = level * (layers + 1) + number
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * (layers + 1)}.0.op.{rest.removeprefix('conv.')}"
        if kind == "upsamplers":
            return f"output_blocks.{block + layers}.{2 if level in attended else 1}.{rest}"
        place = f"input_blocks.{block + 1}" if way == "down" else f"output_blocks.{block}"
        return f"{place}.0.{_renamed(rest, _RESNET)}" if kind == "resnets" else f"{place}.1.{rest}"
    if found := _MID_BLOCK.fullmatch(name):
        rest = _renamed(found[2], _RESNET) if found[1].startswith("resnets") else found[2]
        return f"middle_block.{_MIDDLE[found[1]]}.{rest}"
    return _renamed(name, _UNET_ENDS)


def autoencoder_name(name: str, *, levels: int) -> str:
    """Return the ldm name of an ``AutoencoderKL`` parameter, without the prefix ``first_stage_model.``.

    ldm numbers the decoder's ``levels`` from the finest to the coarsest, diffusers the other way round.
    """
    half, _, inner = name.partition(".")
    if half not in ("encoder", "decoder"):
        return name
    if found := _BLOCK.fullmatch(inner):
        way, level, kind, number, rest = found[1], int(found[2]), found[3], found[4], found[5]
        place = f"{half}.{way}.{level if way == 'down' else levels - 1 - level}"
        if kind == "resnets":
            return f"{place}.block.{number}.{_renamed(rest, {'conv_shortcut': 'nin_shortcut'})}"
        return f"{place}.{way}sample.{rest}"
    if found := _MID_BLOCK.fullmatch(inner):
        if found[1].startswith("attentions"):
            return f"{half}.mid.attn_1.{_renamed(found[2], _ATTENTION)}"
        return f"{half}.mid.block_{int(found[1][-1]) + 1}.{found[2]}"
    return f"{half}.{_renamed(inner, {'conv_norm_out': 'norm_out'})}"


def text_encoder_name(name: str) -> str:
    """Return the ldm name of a ``CLIPTextModel`` parameter, without ``cond_stage_model.transformer.text_model.``."""
    return name.removeprefix("text_model.")


@dataclass(frozen=True)
class Source:
    """Where a parameter is in a checkpoint file.

    Parameters
    ----------
    name
        Of the weight in the file, without the network's prefix.
    third
        Which third of the weight's rows it is; None for all of them.
    transposed
        Whether the file has rows and columns the other way round.
    """

    name: str
    third: int | None = None
    transposed: bool = False

    def part_of(self, weight: torch.Tensor) -> torch.Tensor:
        """Return a view of the parameter in the file's weight."""
        part = weight if self.third is None else weight.chunk(3)[self.third]
        return part.T if self.transposed else part


def text_source(naming: Naming) -> Callable[[str], Source]:
    """Return the function from a text encoder's parameter names to where they are in its part of the file."""
    return open_clip_source if naming == "open_clip" else lambda name: Source(text_encoder_name(name))


def open_clip_source(name: str) -> Source:
    """Return where a parameter of ``CLIPTextModelWithProjection`` is in the weights of open_clip's text encoder."""
    if name == "text_projection.weight":
        return Source("text_projection", transposed=True)
    found = _TEXT_LAYER.fullmatch(name)
    if not found:
        return Source(_OPEN_CLIP_ENDS.get(name, name))
    layer, rest = f"transformer.resblocks.{found[1]}", found[2]
    if third := _THIRDS.fullmatch(rest):
        return Source(f"{layer}.attn.in_proj_{third[2]}", third="qkv".index(third[1]))
    return Source(f"{layer}.{_renamed(rest, _OPEN_CLIP_LAYER)}")


def _renamed(name: str, table: dict[str, str]) -> str:
    """Replace the module of ``name``, all but the last part, by its entry in ``table``, if there is one."""
    module, _, parameter = name.rpartition(".")
    return f"{table.get(module, module)}.{parameter}"
