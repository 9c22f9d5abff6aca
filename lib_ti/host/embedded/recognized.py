"""What a checkpoint was recognized as and by what, in words."""

from __future__ import annotations

from lib_ti.host.embedded.architecture import Architecture
from lib_ti.host.recognized import OTHER, Recognition


def recognized(made: Architecture) -> str:
    """Return what follows "Recognized as", and what to do where the prediction is a guess."""
    known = made.known_prediction
    return str(
        Recognition(
            family=made.family,
            prediction=made.prediction,
            predicted_by=known.reason,
            size=made.size,
            sized_by=made.stated_size[1] if made.stated_size else "",
            zero_terminal_by="key ztsnr" if made.zero_terminal_snr else "",
            advice="" if known.certain else f"choose {OTHER[known.prediction]} with --prediction or in its .yaml",
        )
    )
