"""The loaded model's family by the WebUI's classes, what is not trained on, and the images' size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lib_ti.host.webui.loaded.kind import family_of, image_size, other_kind, recognition

CLIP, OPEN = "FrozenCLIPEmbedderWithCustomWords", "FrozenOpenCLIPEmbedderWithCustomWords"
XL_L, XL_G = "FrozenCLIPEmbedderForSDXLWithCustomWords", "FrozenOpenCLIPEmbedder2WithCustomWords"


def wrapper(name: str) -> Any:
    return type(name, (), {"process_texts": None})()


def ldm(encoder: str, prediction: str = "eps", key: str = "crossattn", **more: Any) -> Any:
    """A model of ldm's classes: SD1, SD2 and what is like them."""
    inner = SimpleNamespace(conditioning_key=key)
    return SimpleNamespace(cond_stage_model=wrapper(encoder), model=inner, parameterization=prediction, **more)


def sgm(*encoders: str, scaling: str = "EpsScaling", **more: Any) -> Any:
    """A model of sgm's classes: SDXL and what is like it."""
    sizes = [SimpleNamespace(input_key="original_size_as_tuple")]
    return SimpleNamespace(
        conditioner=SimpleNamespace(embedders=[*map(wrapper, encoders), *sizes]),
        model=SimpleNamespace(conditioning_key="crossattn"),
        denoiser=SimpleNamespace(scaling=type(scaling, (), {})()),
        parameterization="v" if scaling == "VScaling" else "eps",
        is_sdxl=True,
        **more,
    )


@pytest.mark.parametrize(
    ("model", "family"),
    [
        (ldm(CLIP), "sd1"),
        (ldm(CLIP, "v"), "sd1"),
        (ldm(OPEN), "sd2"),
        (ldm(OPEN, "v"), "sd2"),
        (sgm(XL_L, XL_G), "sdxl"),
        (sgm(XL_L, XL_G, scaling="VScaling"), "sdxl"),
    ],
)
def test_families_are_known_by_their_encoders(model: Any, family: str) -> None:
    found = family_of(model)
    assert found is not None
    assert (found.key, other_kind(model)) == (family, "")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (SimpleNamespace(is_sd3=True), "an SD3 model"),
        (sgm(XL_L, XL_G, is_ssd=True), "an SSD-1B model"),
        (sgm(XL_L, XL_G, is_sdxl_inpaint=True), "an SDXL inpainting model"),
        (sgm(XL_G), "an SDXL refiner"),
        (sgm(OPEN), "other text encoders"),
        (sgm(XL_L, XL_G, scaling="EDMScaling"), "predicts by EDMScaling"),
        (ldm("FrozenXLMREmbedderWithCustomWords"), "other text encoders"),
        (ldm(CLIP, key="hybrid"), "an inpainting, depth or instruction model"),
        (ldm(OPEN, key="crossattn-adm"), "an inpainting, depth or instruction model"),
        (ldm(CLIP, "x0"), "predicts x0"),
    ],
)
def test_other_kinds_have_a_name(model: Any, words: str) -> None:
    assert words in other_kind(model)


@pytest.mark.parametrize(
    ("model", "size"),
    [
        (None, 512),
        (ldm(CLIP, image_size=64), 512),
        (ldm(CLIP, image_size=8), 64),
        (ldm(OPEN, "v", image_size=64, is_sd2=True), 768),
        (ldm(OPEN, "eps", image_size=64, is_sd2=True), 512),
        (ldm(OPEN, "v", image_size=96, is_sd2=True), 768),
        (ldm(OPEN, "v", image_size=8, is_sd2=True), 64),
        (sgm(XL_L, XL_G), 1024),
        (SimpleNamespace(is_sd3=True), 1024),
    ],
)
def test_the_size_is_the_configuration_s_or_the_family_s(model: Any, size: int) -> None:
    assert image_size(model) == size


def test_size_stated_in_the_file_has_precedence() -> None:
    checkpoint = SimpleNamespace(metadata={"modelspec.resolution": "768x768"})
    assert image_size(sgm(XL_L, XL_G, sd_checkpoint_info=checkpoint)) == 768


def recognized(model: Any, configuration: str | None, stated: Any = None, **metadata: str) -> str:
    model.sd_checkpoint_info = SimpleNamespace(filename="/models/it.safetensors", metadata=metadata or None)
    if configuration is not None:
        model.used_config = configuration
    family = family_of(model)
    assert family is not None
    return str(recognition(model, family, stated, zero_terminal_snr=False))


def test_what_the_webui_loaded_is_said_with_its_reasons() -> None:
    assert recognized(ldm(OPEN, "v", image_size=64, is_sd2=True), "/webui/configs/v2-inference-v.yaml") == (
        "SD 2 (text encoder OpenCLIP), v-prediction (the WebUI's configuration v2-inference-v.yaml), "
        "768 × 768 (as SD 2 models with that prediction)."
    )
    assert recognized(ldm(CLIP, image_size=96), "/models/it.yaml") == (
        "SD 1 (text encoder CLIP), noise prediction (.yaml beside it), 768 × 768 (image_size of its configuration)."
    )
    resolution = {"modelspec.resolution": "1024x1024"}
    assert recognized(sgm(XL_L, XL_G, scaling="VScaling"), "/models/it.yaml", **resolution) == (
        "SDXL (text encoders CLIP and OpenCLIP), v-prediction (.yaml beside it), "
        "1024 × 1024 (metadata modelspec.resolution)."
    )


@pytest.mark.parametrize(
    ("stated", "configuration", "doubtful"),
    [
        (None, "/webui/sd_xl_base.yaml", True),
        ("eps", "/webui/sd_xl_base.yaml", False),
        (None, "/models/it.yaml", False),
    ],
)
def test_a_guessed_prediction_comes_with_advice(stated: Any, configuration: str, doubtful: bool) -> None:
    advice = "If its images are noise, put a .yaml of the same name beside it that says v-prediction."
    assert (advice in recognized(sgm(XL_L, XL_G), configuration, stated)) == doubtful


def test_a_fork_without_the_configuration_s_name_is_described_too() -> None:
    assert "noise prediction (as the WebUI loaded it)" in recognized(ldm(CLIP, image_size=64), None)
