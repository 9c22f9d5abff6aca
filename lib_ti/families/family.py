"""What is known of a model family without loading a model: the types of its description."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lib_ti.families.clip import END

FamilyKey = Literal["sd1", "sd2", "sdxl"]
Prediction = Literal["eps", "v"]
ConditioningKind = Literal["crossattn", "pooled", "sizes"]
"""Inputs of a UNet besides latents and timestep: encoded prompts, a pooled prompt vector, image sizes and crop."""
Naming = Literal["transformers", "open_clip"]
"""Libraries whose names the weights of text encoders have."""
Library = Literal["ldm", "sgm"]
"""Libraries whose model configurations lie beside checkpoints as ``.yaml``."""

VAE_SCALE_FACTOR = 8
"""Image pixels to a side of a latent pixel, in all families."""
UNET_CHANNELS = 320
"""Channels of the finest level of the released models' UNets, in all families."""


@dataclass(frozen=True)
class TextEncoderSpec:
    """One text encoder of a family.

    Parameters
    ----------
    key
        Its name in :attr:`lib_ti.embedding.embedding.Embedding.vectors` and :attr:`ModelInfo.widths`.
    width
        Numbers in an input vector of the released models; small models made for tests differ.
    layer_from_end
        The layer whose output conditions the UNet: 1 for the last one, 2 for the one before (the WebUI's clip skip).
    weights
        Prefix of its weights in a checkpoint file of the ldm format.
    naming
        How the names after the prefix are formed: by ``transformers`` or by ``open_clip``.
    normed
        Whether the final norm follows on that layer.
    pad
        Token that fills a context after its first end token.
    activation
        Of its feed-forward layers, by its name in ``transformers``.
    pooled
        Whether its projected output at the first end token, from the last layer, conditions the UNet too.
    """

    key: str
    width: int
    layer_from_end: int
    weights: str
    naming: Naming = "transformers"
    normed: bool = True
    pad: int = END
    activation: str = "quick_gelu"
    pooled: bool = False

    @property
    def unused_layers(self) -> int:
        """How many of the last layers need not be computed."""
        return 0 if self.pooled else self.layer_from_end - 1


@dataclass(frozen=True)
class EmbeddingLayout:
    """Names of the vectors in a family's embedding files.

    Parameters
    ----------
    tensors
        By encoder, the name in ``.safetensors``.
    string_to_param
        Whether the WebUI's ``.pt`` and cards hold ``string_to_param`` with step and model beside it. Otherwise they
        hold the tensors alone, under the names in ``tensors``.
    also_read
        Names that other programs write, by encoder.
    """

    tensors: Mapping[str, str]
    string_to_param: bool
    also_read: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class ModelTraits:
    """Facts that a family's checkpoints share and do not hold themselves.

    Parameters
    ----------
    sizes
        Side in pixels of the images that the released models were trained on, by what the UNet predicts; the usual
        prediction comes first.
    conditioning
        What the UNet needs besides latents and timestep.
    scale_factor
        Multiplies the autoencoder's latents.
    linear_start, linear_end
        Ends of ldm's noise schedule "linear", which is linear in the square root of beta.
    library
        The one that released models are described for.
    either_prediction
        Whether both predictions are common, so that the UNet itself is asked where nothing else says which it is.
    zero_without_negative
        Whether an empty negative prompt is zeros, and not an encoded text.
    heads
        Attention heads of the UNet at every level; 0 where their number follows from ``head_channels``.
    head_channels
        Channels of an attention head of the UNet; 0 where the number of heads is fixed.
    """

    sizes: Mapping[Prediction, int]
    conditioning: frozenset[ConditioningKind]
    scale_factor: float
    linear_start: float
    linear_end: float
    library: Library = "ldm"
    either_prediction: bool = False
    zero_without_negative: bool = False
    heads: int = 0
    head_channels: int = 0

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        return tuple(self.sizes)

    @property
    def size(self) -> int:
        """Side in pixels of the images that the usual model was trained on."""
        return self.sizes[self.predictions[0]]


@dataclass(frozen=True)
class Family:
    """A model family.

    Parameters
    ----------
    label
        Its name in messages and on cards.
    encoders
        In the order in which their outputs are concatenated.
    """

    key: FamilyKey
    label: str
    encoders: tuple[TextEncoderSpec, ...]
    layout: EmbeddingLayout
    model: ModelTraits

    @property
    def widths(self) -> dict[str, int]:
        return {encoder.key: encoder.width for encoder in self.encoders}


def single_layout(encoder: str) -> EmbeddingLayout:
    """Return the layout of an embedding with vectors for one encoder only."""
    return EmbeddingLayout(tensors={encoder: "emb_params"}, string_to_param=True)
