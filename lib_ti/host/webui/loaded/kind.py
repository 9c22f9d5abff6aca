"""Which family the WebUI's loaded model belongs to, and the size of its images.

The WebUI's classes are known by their names here, as its forks do not have all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib_ti.families.family import VAE_SCALE_FACTOR, Family, Prediction
from lib_ti.families.modelspec import stated_size
from lib_ti.families.registry import FAMILIES
from lib_ti.families.sd1 import SD1
from lib_ti.families.sd2 import SD2
from lib_ti.families.sdxl import SDXL
from lib_ti.host.recognized import Recognition

_WRAPPERS: Mapping[tuple[str, ...], str] = {
    ("FrozenCLIPEmbedderWithCustomWords",): "sd1",
    ("FrozenOpenCLIPEmbedderWithCustomWords",): "sd2",
    ("FrozenCLIPEmbedderForSDXLWithCustomWords", "FrozenOpenCLIPEmbedder2WithCustomWords"): "sdxl",
}
"""The WebUI's classes around a model's text encoders, and the model's family."""
_REFINER = ("FrozenOpenCLIPEmbedder2WithCustomWords",)
_SCALINGS = ("EpsScaling", "VScaling")
"""sgm's classes for what the UNet predicts; the WebUI takes all others for epsilon."""
_STATED_BY_ALL = 64
"""The released configurations of Stable Diffusion 2 all state this latent size, that of the 768 pixel model too."""


def text_wrappers(sd_model: Any) -> list[Any]:
    """Return the WebUI's objects around the text encoders of a model, in the order of their outputs."""
    conditioner = getattr(sd_model, "conditioner", None)
    if conditioner is None:
        return [sd_model.cond_stage_model]
    return [embedder for embedder in getattr(conditioner, "embedders", ()) if hasattr(embedder, "process_texts")]


def family_of(sd_model: Any) -> Family | None:
    """Return the family by the model's text encoders; None where no family has them."""
    key = _WRAPPERS.get(_wrapper_names(sd_model))
    if key is None or (key != "sdxl" and hasattr(sd_model, "conditioner")):
        return None
    return FAMILIES[key]


def other_kind(sd_model: Any) -> str:
    """Return what the model is, with its article, if it is not of a kind that is trained on; else an empty text."""
    if getattr(sd_model, "is_sd3", False):
        return "an SD3 model"
    if getattr(sd_model, "is_ssd", False):
        return "an SSD-1B model"
    if getattr(sd_model, "is_sdxl_inpaint", False):
        return "an SDXL inpainting model"
    if hasattr(sd_model, "conditioner") and _wrapper_names(sd_model) == _REFINER:
        return "an SDXL refiner"
    family = family_of(sd_model)
    if family is None:
        return "a model with other text encoders than those of SD 1, SD 2 and SDXL"
    if sd_model.model.conditioning_key != "crossattn":
        return "an inpainting, depth or instruction model"
    predicted = _prediction(sd_model)
    return "" if predicted in family.model.predictions else f"a model that predicts {predicted}"


def image_size(sd_model: Any) -> int:
    """Return the side in pixels of the images that a model was made for; of Stable Diffusion 1 where there is none.

    First what the checkpoint file says (``modelspec.resolution``), then its configuration, then the family's.
    """
    return _size(sd_model)[0]


def recognition(sd_model: Any, family: Family, stated: Prediction | None, *, zero_terminal_snr: bool) -> Recognition:
    """Return what the WebUI loaded the model as, and by what.

    Parameters
    ----------
    stated
        What the checkpoint file says of its prediction.
    zero_terminal_snr
        Whether the WebUI's settings ask for that noise schedule.
    """
    prediction: Prediction = sd_model.parameterization
    configuration = Path(getattr(sd_model, "used_config", "") or "")
    own = configuration == Path(sd_model.sd_checkpoint_info.filename).with_suffix(".yaml")
    # For SD2 the WebUI chooses the configuration by a trial run of the UNet.
    certain = own or family.model.either_prediction or stated == prediction
    said = "v-prediction" if prediction == "eps" else "noise prediction"
    by = ".yaml beside it" if own else f"the WebUI's configuration {configuration.name}"
    size, sized_by = _size(sd_model)
    return Recognition(
        family=family,
        prediction=prediction,
        predicted_by=by if configuration.name else "as the WebUI loaded it",
        size=size,
        sized_by=sized_by,
        zero_terminal_by="the WebUI's setting" if zero_terminal_snr else "",
        advice="" if certain else f"put a .yaml of the same name beside it that says {said}",
    )


def _size(sd_model: Any) -> tuple[int, str]:
    """Return :func:`image_size` and what says so; an empty text where it is the family's."""
    checkpoint = getattr(sd_model, "sd_checkpoint_info", None)
    stated = stated_size(getattr(checkpoint, "metadata", None) or {})
    if stated is not None:
        return stated, "metadata modelspec.resolution"
    latent_side = int(getattr(sd_model, "image_size", None) or 0)
    is_sd2 = getattr(sd_model, "is_sd2", False)
    if latent_side and not (is_sd2 and latent_side == _STATED_BY_ALL):
        return latent_side * VAE_SCALE_FACTOR, "image_size of its configuration"
    is_large = getattr(sd_model, "is_sdxl", False) or getattr(sd_model, "is_sd3", False)
    traits = (SDXL if is_large else SD2 if is_sd2 else SD1).model
    return traits.sizes.get(getattr(sd_model, "parameterization", "eps"), traits.size), ""


def _wrapper_names(sd_model: Any) -> tuple[str, ...]:
    return tuple(type(wrapper).__name__ for wrapper in text_wrappers(sd_model))


def _prediction(sd_model: Any) -> str:
    scaling = type(sd_model.denoiser.scaling).__name__ if hasattr(sd_model, "denoiser") else _SCALINGS[0]
    return str(sd_model.parameterization) if scaling in _SCALINGS else f"by {scaling}"
