"""Which family a checkpoint file is of, by the names, shapes and types of its weights.

Anything that is not trained here is refused by the name of what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lib_ti.errors import BadInput
from lib_ti.families.family import Family
from lib_ti.families.registry import EMBEDDING_KEYS, FAMILIES
from lib_ti.families.sd1 import SD1
from lib_ti.families.sd2 import SD2
from lib_ti.families.sdxl import SDXL
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET

FLOATS = ("F64", "F32", "F16", "BF16")
"""Types that weights may be stored in, as ``.safetensors`` calls them."""
_LABELS = [family.label for family in FAMILIES.values()]
_TRAINED = f"this program trains {', '.join(_LABELS[:-1])} and {_LABELS[-1]} checkpoints"
_INPUTS = {4: "", 5: " depth", 7: " upscaler", 8: " InstructPix2Pix", 9: " inpainting"}
"""Kinds of checkpoints by the number of channels that their UNet takes."""
UNQUANTIZED = "gradients need the checkpoint in float16, bfloat16 or float32. Give that version of it."
_QUANTIZED = {"bitsandbytes__nf4": "NF4", "bitsandbytes__fp4": "FP4", "scaled_fp8": "scaled FP8"}
"""Parts of weights' names that say how the others are quantized."""
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.embedders.")
_EDM = ("edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min")
"""Names in checkpoints of SDXL's architecture with a noise schedule of another kind: Playground 2.5, CosXL."""


@dataclass(frozen=True)
class Header:
    """Everything that a checkpoint file tells without its weights being read.

    Parameters
    ----------
    shapes, types
        Of the weights by name. Types have their names of ``.safetensors``, where those have one.
    metadata
        What the file says of itself.
    """

    shapes: Mapping[str, tuple[int, ...]]
    types: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def has(self, prefix: str | tuple[str, ...]) -> bool:
        """Return whether a weight's name begins so."""
        return any(name.startswith(prefix) for name in self.shapes)


def family_of(header: Header, name: str) -> Family:
    """Return the family of a checkpoint.

    Parameters
    ----------
    name
        Of the file, for messages.

    Raises
    ------
    BadInput
        When the file is no checkpoint, or one of a model that is not trained here, or its weights are quantized.
    """
    other = _other_architecture(header)
    if other:
        raise BadInput(f"{name} is {other}; {_TRAINED}.")
    kind = _other_file(header)
    if kind:
        raise BadInput(f"{name} is {kind}, not a checkpoint; give a checkpoint file.")
    if not header.has(UNET):
        raise BadInput(f"{name} is not a Stable Diffusion checkpoint; {_TRAINED}.")
    family = _family(header)
    variant = _variant(header, family)
    if variant:
        raise BadInput(f"{name} is an {family.label}{variant} checkpoint; {_TRAINED} for text to image.")
    coarse = _quantization(header)
    if coarse:
        raise BadInput(f"{name} has quantized weights ({coarse}): {UNQUANTIZED}")
    if not header.has(_TEXT_ENCODERS):
        raise BadInput(f"{name} has no text encoder; give a complete {family.label} checkpoint, all in one file.")
    return family


def _family(header: Header) -> Family:
    if header.has(tuple(encoder.weights for encoder in SD2.encoders)):
        return SD2
    sized = header.has(f"{UNET}label_emb.")
    if header.has(SDXL.encoders[1].weights) or (sized and not header.has("cond_stage_model.")):
        return SDXL
    return SD1


def _other_architecture(header: Header) -> str:
    """Return which other model's checkpoint this is, with its article; empty for none that is known."""
    if header.has(("joint_blocks.", f"{UNET}joint_blocks.")):
        return "an SD3 checkpoint"
    if header.has(("double_blocks.", f"{UNET}double_blocks.")):
        return "a Flux checkpoint"
    if header.has("conditioner.embedders.0.") and not header.has("conditioner.embedders.1."):
        return "an SDXL refiner checkpoint"
    return ""


def _variant(header: Header, family: Family) -> str:
    """Return what sets this checkpoint apart from those of its family, with a space before; empty for nothing."""
    channels = header.shapes.get(f"{UNET}input_blocks.0.0.weight", (0, 4))[1]
    kind = _INPUTS.get(channels, f" {channels}-channel")
    if kind:
        return kind
    if family is SDXL:
        if not header.has(f"{UNET}middle_block.1.transformer_blocks."):
            return " distilled (SSD-1B or like it)"
        return " EDM (CosXL, Playground 2.5)" if header.has(_EDM) else ""
    return " unCLIP" if header.has(f"{UNET}label_emb.") else ""


def _quantization(header: Header) -> str:
    """Return how the networks' weights are quantized; empty where they are not."""
    names = header.shapes
    if form := next((form for mark, form in _QUANTIZED.items() if any(mark in name for name in names)), ""):
        return form
    return ", ".join(sorted({kind for weight, kind in header.types.items() if _is_network(weight, header, kind)}))


def _is_network(weight: str, header: Header, kind: str) -> bool:
    """Return whether a weight is a matrix of a network in a type that it cannot be used in."""
    networks = (UNET, AUTOENCODER, *(encoder.weights for family in FAMILIES.values() for encoder in family.encoders))
    is_matrix = len(header.shapes[weight]) > 1 and not weight.endswith("position_ids")
    return kind not in FLOATS and is_matrix and weight.startswith(networks)


def _other_file(header: Header) -> str:
    """Return what other file people have beside their checkpoints this is; empty when it is none that is known."""
    shapes = header.shapes
    if any(".lora_" in name or name.startswith(("lora_", "lycoris_")) for name in shapes):
        return "a LoRA"
    if header.has(("control_model.", "controlnet_", "input_hint_block.")):
        return "a ControlNet"
    if not header.has(UNET) and header.has(("encoder.conv_in.", "decoder.conv_in.", AUTOENCODER)):
        return "an autoencoder (VAE)"
    if not EMBEDDING_KEYS.isdisjoint(shapes):
        return "an embedding"
    if header.has("input_blocks.0."):
        return "a UNet alone"
    if header.has(("down_blocks.", "text_model.")):
        return "one part of a model in the diffusers format"
    return ""
