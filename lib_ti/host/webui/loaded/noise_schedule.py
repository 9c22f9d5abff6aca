"""The noise schedule of the WebUI's loaded model."""

from __future__ import annotations

from typing import Any

import torch
from modules import shared

from lib_ti.families.family import Family
from lib_ti.host.noise_schedule import scaled_linear, with_zero_terminal_snr

ZERO_TERMINAL_SNR = "Zero Terminal SNR"
"""The WebUI's own value of its setting "Noise schedule for sampling"."""
_TOLERANCE = 1e-2
"""Rounding of the noise schedule in half precision; its values are 0 to 1."""


def alphas_cumprod(sd_model: Any, family: Family) -> torch.Tensor:
    """(1000,) float32 on the CPU: from the schedule's two ends, unless the model has a schedule of its own.

    The buffer itself may be rounded to half precision, by the checkpoint file or by the WebUI. With the WebUI's
    setting for zero terminal SNR, it is rescaled as for the user's images.
    """
    buffer = getattr(sd_model, "alphas_cumprod_original", sd_model.alphas_cumprod).detach().float().cpu()
    exact = scaled_linear(*_ends(sd_model, family))
    same = buffer.shape == exact.shape and torch.allclose(buffer, exact, rtol=0, atol=_TOLERANCE)
    schedule = exact if same else buffer
    return with_zero_terminal_snr(schedule) if has_zero_terminal_snr() else schedule


def has_zero_terminal_snr() -> bool:
    return bool(shared.opts.sd_noise_schedule == ZERO_TERMINAL_SNR)


def _ends(sd_model: Any, family: Family) -> tuple[float, float]:
    """Return the first and last beta; sgm's models do not have them."""
    traits = family.model
    return (
        float(getattr(sd_model, "linear_start", traits.linear_start)),
        float(getattr(sd_model, "linear_end", traits.linear_end)),
    )
