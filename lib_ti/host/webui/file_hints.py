"""What a checkpoint file says of its model: before it is loaded, and where the WebUI runs it in another way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open

from lib_ti.families.family import Prediction
from lib_ti.families.modelspec import stated_prediction, stated_size
from lib_ti.families.registry import FAMILIES
from lib_ti.families.sd1 import SD1

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


def stated_by_file(names: Collection[str], metadata: Mapping[str, object]) -> Prediction | None:
    """Return what the UNet predicts by the file's own weights' names and metadata, None where it does not say."""
    return "v" if _V_PREDICTION in names else stated_prediction(metadata)


def expected_size(names: Collection[str], metadata: Mapping[str, object]) -> int:
    """Return the side in pixels of the images of a model that is not loaded yet; of Stable Diffusion 1 if unknown.

    Parameters
    ----------
    names, metadata
        Of its file.
    """
    stated = stated_size(metadata)
    if stated is not None:
        return stated
    found = (
        family.model
        for family in FAMILIES.values()
        if all(any(name.startswith(encoder.weights) for name in names) for encoder in family.encoders)
    )
    model, prediction = next(found, SD1.model), stated_by_file(names, metadata)
    return model.sizes.get(prediction, model.size) if prediction else model.size


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
    stated = stated_by_file(names, metadata)
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
