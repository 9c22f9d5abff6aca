"""What a checkpoint's UNet predicts, noise (eps) or velocity (v), and how this is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from lib_ti.families.family import Family, Prediction
from lib_ti.families.modelspec import stated_prediction
from lib_ti.host.embedded.files.description import Description
from lib_ti.host.embedded.files.recognition import Header

_MARK = "v_pred"
"""Name of an empty weight that marks fine-tunes of SDXL."""
_PROBE_TIMESTEP, _PROBE_VALUE, _PROBE_BELOW = 999, 0.5, -1.0


@dataclass(frozen=True)
class KnownPrediction:
    """What a UNet predicts.

    Parameters
    ----------
    reason
        What it is known by, such as "key v_pred".
    certain
        Whether the checkpoint or the user says so.
    explicit
        Whether the user knows it already, who chose it or has its ``.yaml``.
    """

    prediction: Prediction
    reason: str
    certain: bool = True
    explicit: bool = False


def stated(family: Family, description: Description, header: Header, chosen: Prediction | None) -> KnownPrediction:
    """Return what is known without the weights: by the user, the ``.yaml``, the file and the family, in this order."""
    if chosen:
        return KnownPrediction(chosen, "as chosen", explicit=True)
    if description.prediction:
        return KnownPrediction(description.prediction, ".yaml beside it", explicit=True)
    if by_metadata := stated_prediction(header.metadata):
        return KnownPrediction(by_metadata, "metadata modelspec.prediction_type")
    if _MARK in header.shapes:
        return KnownPrediction("v", f"key {_MARK}")
    return KnownPrediction(family.model.predictions[0], f"as most {family.label} models", certain=False)


@torch.no_grad()
def measured(unet: Any) -> KnownPrediction:
    """Ask the UNet of a released size by one run on a constant input, as the WebUI does for SD 2.

    A model that predicts v answers with far less than it was given, at a timestep with hardly anything but noise.
    """
    like = {"device": unet.device, "dtype": unet.dtype}
    noisy = torch.full((1, 4, 8, 8), _PROBE_VALUE, **like)
    words = torch.full((1, 2, unet.config.cross_attention_dim), _PROBE_VALUE, **like)
    timestep = torch.tensor([_PROBE_TIMESTEP], device=unet.device)
    answer = unet(noisy, timestep, encoder_hidden_states=words, return_dict=False)[0]
    is_v = (answer.float() - noisy.float()).mean().item() < _PROBE_BELOW
    return KnownPrediction("v" if is_v else "eps", "trial run of its UNet")
