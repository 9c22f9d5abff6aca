"""What a checkpoint file says of its model, where the WebUI runs the model in another way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from lib_ti.families.modelspec import stated_prediction

_V_PREDICTION, _ZERO_TERMINAL_SNR = "v_pred", "ztsnr"
"""Names of empty weights by which fine-tunes such as NoobAI's say what they were trained for."""
_WORDS = {"eps": "epsilon", "v": "v-prediction"}


def weight_names(path: Path) -> Collection[str]:
    """Return the names of the weights of a ``.safetensors`` file; of all other files, and damaged ones, none."""
    if path.suffix.lower() != ".safetensors":
        return ()
    try:
        with safe_open(path, "pt") as file:
            return frozenset(file.keys())
    except (OSError, SafetensorError):
        return ()


def differences(
    names: Collection[str], metadata: Mapping[str, object], prediction: str, *, zero_terminal_snr: bool
) -> Iterator[str]:
    """Yield a sentence for each difference between the file and the loaded model.

    Parameters
    ----------
    names, metadata
        Of the file.
    prediction, zero_terminal_snr
        What the loaded model predicts, and whether its noise schedule ends in pure noise.
    """
    stated = "v" if _V_PREDICTION in names else stated_prediction(metadata)
    if stated and stated != prediction:
        yield (
            f"The checkpoint's file says {_WORDS[stated]}, and the WebUI runs it with "
            f"{_WORDS.get(prediction, prediction)}: put a .yaml of the same name beside it that says "
            f"{_WORDS[stated]}, else images and embedding come out wrong."
        )
    if _ZERO_TERMINAL_SNR in names and not zero_terminal_snr:
        yield (
            "The checkpoint's file asks for a noise schedule with zero terminal SNR: choose it in Settings, Sampler "
            "parameters, Noise schedule for sampling."
        )
