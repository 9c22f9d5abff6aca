"""What a model was recognized as and by what, in words, the same for all hosts."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.families.family import Family, Prediction

PREDICTIONS: dict[Prediction, str] = {"eps": "noise prediction", "v": "v-prediction"}
OTHER: dict[Prediction, Prediction] = {"eps": "v", "v": "eps"}
_LIBRARIES = {"transformers": "CLIP", "open_clip": "OpenCLIP"}


@dataclass(frozen=True)
class Recognition:
    """What a model is, and what says so.

    Parameters
    ----------
    predicted_by, sized_by, zero_terminal_by
        What says what the UNet predicts, which size the images have, and that the noise schedule has zero terminal
        SNR, such as "key v_pred"; the last is empty for a schedule without.
    advice
        What to do where the prediction is only a guess, after "If its images are noise"; else empty.
    """

    family: Family
    prediction: Prediction
    predicted_by: str
    size: int
    sized_by: str = ""
    zero_terminal_by: str = ""
    advice: str = ""

    def __str__(self) -> str:
        """Return what follows "recognized as", up to the end of the sentence, and the advice."""
        family = self.family
        encoders = " and ".join(_LIBRARIES[encoder.naming] for encoder in family.encoders)
        text = f"text encoder{'s' if len(family.encoders) > 1 else ''} {encoders}"
        sized = self.sized_by or f"as {family.label} models with that prediction"
        by = self.zero_terminal_by
        schedule = f", with a noise schedule of zero terminal SNR ({by})" if by else ""
        return (
            f"{family.label} ({text}), {PREDICTIONS[self.prediction]} ({self.predicted_by}), "
            f"{self.size} × {self.size} ({sized}){schedule}."
            + (f" If its images are noise, {self.advice}." if self.advice else "")
        )
