"""Reads the ``.yaml`` beside a checkpoint: facts that its weights do not show.

``<stem>.yaml`` beside the checkpoint is the WebUI's convention, in the format of the inference configurations of ldm
(SD 1, SD 2) or sgm (SDXL).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lib_ti.errors import BadInput
from lib_ti.families.family import Family, ModelTraits, Prediction
from lib_ti.host.embedded.files.ldm_names import UNET
from lib_ti.host.embedded.files.recognition import Header
from lib_ti.host.noise_schedule import TIMESTEPS

_SCALINGS: Mapping[str, Prediction] = {"EpsScaling": "eps", "VScaling": "v"}
"""sgm's class names for what the UNet predicts."""
_STOCK_LATENT_SIZE = 64
"""``image_size`` of all of ldm's configurations, also of those for models of 768 pixels."""
_CHECKED = {
    "in_channels": ("input_blocks.0.0.weight", 1),
    "model_channels": ("input_blocks.0.0.weight", 0),
    "context_dim": ("middle_block.1.transformer_blocks.0.attn2.to_k.weight", 1),
    "adm_in_channels": ("label_emb.0.0.weight", 1),
}
"""Settings of the UNet that a weight shows too: its name, and which of its sizes."""


@dataclass(frozen=True)
class Description:
    """Facts that weights do not show; those that the ``.yaml`` lacks are the family's defaults.

    Parameters
    ----------
    prediction, latent_size
        None where there is no ``.yaml`` or it does not say so.
    from_file
        Whether there is a ``.yaml``.
    text
        Settings of the text encoder in the format of ``transformers``, as far as they are known.
    """

    heads: int
    head_channels: int
    scale_factor: float
    linear_start: float
    linear_end: float
    prediction: Prediction | None = None
    latent_size: int | None = None
    text: Mapping[str, Any] = field(default_factory=dict)
    from_file: bool = True


def read_description(checkpoint: Path, family: Family, header: Header) -> Description:
    """Read the ``.yaml`` beside a checkpoint.

    Parameters
    ----------
    header
        That of the checkpoint, which the ``.yaml`` has to agree with.

    Raises
    ------
    BadInput
        When the ``.yaml`` is damaged, or says anything that this program cannot do or that contradicts the weights.
    """
    path = checkpoint.with_suffix(".yaml")
    if not path.exists():
        return _defaults(family.model)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        params = content["model"]["params"]
        problems = list(_contradictions(params, family, header))
        described = _sgm(params, family.model, path.parent) if _is_sgm(params) else _ldm(params, family, path.parent)
    except (yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise BadInput(
            f"{path} is no model configuration for {checkpoint.name} ({reason}); correct it or move it away."
        ) from error
    if problems:
        raise BadInput(f"{path} contradicts {checkpoint.name}: {'; '.join(problems)}. Correct it or move it away.")
    return described


def _defaults(traits: ModelTraits) -> Description:
    return Description(
        heads=traits.heads,
        head_channels=traits.head_channels,
        scale_factor=traits.scale_factor,
        linear_start=traits.linear_start,
        linear_end=traits.linear_end,
        from_file=False,
    )


def _is_sgm(params: Mapping[str, Any]) -> bool:
    return "network_config" in params or "conditioner_config" in params


def _contradictions(params: Mapping[str, Any], family: Family, header: Header) -> Iterator[str]:
    """Yield what the ``.yaml`` and the weights say of one thing."""
    library = "sgm" if _is_sgm(params) else "ldm"
    if library != family.model.library:
        yield f"it describes a model of {library}, and the weights are those of an {family.label} model"
        return
    target = str((params.get("cond_stage_config") or {}).get("target", ""))
    is_open = any(encoder.naming == "open_clip" for encoder in family.encoders)
    if target and ("OpenCLIP" in target) != is_open:
        yield f"its text encoder is {target.rpartition('.')[2]}, and the weights are those of an {family.label} model"
    unet = _unet(params)
    for name, (weight, axis) in _CHECKED.items():
        stated, shape = unet.get(name), header.shapes.get(UNET + weight)
        stated = stated[0] if isinstance(stated, list) and stated else stated
        if stated is not None and shape and stated != shape[axis]:
            yield f"{name} is {stated}, and the weights have {shape[axis]}"


def _unet(params: Mapping[str, Any]) -> Mapping[str, Any]:
    config = params.get("network_config" if _is_sgm(params) else "unet_config") or {}
    found: Mapping[str, Any] = config.get("params") or {}
    return found


def _heads(unet: Mapping[str, Any], traits: ModelTraits) -> tuple[int, int]:
    """Return the number of heads and their channels, of which only one is not 0."""
    head_channels = int(unet.get("num_head_channels", 0))
    if head_channels > 0:
        return 0, head_channels
    if "num_heads" in unet:
        return int(unet["num_heads"]), 0
    return traits.heads, traits.head_channels


def _ldm(params: Mapping[str, Any], family: Family, folder: Path) -> Description:
    traits = family.model
    for name, only in (("beta_schedule", "linear"), ("timesteps", TIMESTEPS)):
        if params.get(name, only) != only:
            raise ValueError(f"{name} is {params[name]!r}, and has to be {only!r}")
    prediction = params.get("parameterization", "eps")
    if prediction not in traits.predictions:
        raise ValueError(
            f"parameterization is {prediction!r}, and has to be {' or '.join(map(repr, traits.predictions))}"
        )
    stated = params.get("image_size")
    heads, head_channels = _heads(_unet(params), traits)
    return Description(
        heads=heads,
        head_channels=head_channels,
        scale_factor=float(params.get("scale_factor", traits.scale_factor)),
        linear_start=float(params.get("linear_start", traits.linear_start)),
        linear_end=float(params.get("linear_end", traits.linear_end)),
        prediction=prediction,
        latent_size=None if stated in (None, _STOCK_LATENT_SIZE) else int(stated),
        text=_text(params.get("cond_stage_config") or {}, folder),
    )


def _sgm(params: Mapping[str, Any], traits: ModelTraits, folder: Path) -> Description:
    denoiser = (params.get("denoiser_config") or {}).get("params") or {}
    scaling = _class_name(denoiser.get("scaling_config"))
    if scaling and scaling not in _SCALINGS:
        raise ValueError(f"scaling_config is {scaling}, and has to be {' or '.join(_SCALINGS)}")
    discretization = _class_name(denoiser.get("discretization_config"))
    if discretization not in ("", "LegacyDDPMDiscretization"):
        raise ValueError(f"discretization_config is {discretization}, and has to be LegacyDDPMDiscretization")
    embedders = ((params.get("conditioner_config") or {}).get("params") or {}).get("emb_models") or []
    clip: Mapping[str, Any] = next((one for one in embedders if _class_name(one) == "FrozenCLIPEmbedder"), {})
    heads, head_channels = _heads(_unet(params), traits)
    return Description(
        heads=heads,
        head_channels=head_channels,
        scale_factor=float(params.get("scale_factor", traits.scale_factor)),
        linear_start=traits.linear_start,
        linear_end=traits.linear_end,
        prediction=_SCALINGS.get(scaling),
        text=_text(clip, folder),
    )


def _class_name(config: Mapping[str, Any] | None) -> str:
    return str((config or {}).get("target", "")).rpartition(".")[2]


def _text(config: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return the text encoder's ``config.json``, when ``version`` names a folder, not a model of the hub."""
    version = (config.get("params") or {}).get("version")
    file = folder / str(version) / "config.json"
    if version is None or not file.is_file():
        if str(version).startswith(".") or Path(str(version)).is_absolute():
            raise ValueError(f"it needs {file.resolve()}, which is not there: copy that folder too")
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    text: Mapping[str, Any] = content.get("text_config") or content
    return text
