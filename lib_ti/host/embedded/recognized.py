"""What a checkpoint was recognized as and by what, in words."""

from __future__ import annotations

from collections.abc import Mapping

from lib_ti.families.family import Prediction
from lib_ti.host.embedded.architecture import Architecture

_LIBRARIES = {"transformers": "CLIP", "open_clip": "OpenCLIP"}
_PREDICTIONS = {"eps": "noise prediction", "v": "v-prediction"}
_OTHER: Mapping[Prediction, Prediction] = {"eps": "v", "v": "eps"}


def recognized(made: Architecture) -> str:
    """Return what follows "Recognized as", and what to do where the prediction is a guess."""
    family, known = made.family, made.known_prediction
    encoders = " and ".join(_LIBRARIES[encoder.naming] for encoder in family.encoders)
    text = f"text encoder{'s' if len(family.encoders) > 1 else ''} {encoders}"
    size = made.stated_size[1] if made.stated_size else f"as {family.label} models with that prediction"
    schedule = ", with a noise schedule of zero terminal SNR (key ztsnr)" if made.zero_terminal_snr else ""
    doubt = "" if known.certain else f" If its images are noise, choose {_OTHER[known.prediction]} with --prediction."
    return (
        f"{family.label} ({text}), {_PREDICTIONS[known.prediction]} ({known.reason}), "
        f"{made.size} × {made.size} ({size}){schedule}.{doubt}"
    )
