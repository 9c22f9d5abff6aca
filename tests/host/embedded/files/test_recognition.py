"""What a checkpoint is taken for and why, and what is refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr
from safetensors.torch import load_file, save_file

from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.files.ldm_names import UNET
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.prediction import measured
from lib_ti.host.model import ImageRequest
from lib_ti.host.noise_schedule import scaled_linear, with_zero_terminal_snr
from lib_ti.pocket import CHECKPOINT, XL_CHECKPOINT
from tests.checkpoints import SIZE, write_checkpoint

Weights = dict[str, torch.Tensor]
FIRST = f"{UNET}input_blocks.0.0.weight"


@pytest.fixture(scope="module")
def sd2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("sd2"), "sd2-v")


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("sdxl"), "sdxl")


def alone(source: Path, target: Path, *marks: str, **metadata: str) -> Path:
    """Write the checkpoint again without its ``.yaml``, with empty weights of these names and this modelspec."""
    weights = load_file(source) | {name: torch.zeros(0) for name in marks}
    save_file(weights, target, metadata={f"modelspec.{name}": value for name, value in metadata.items()})
    return target


def host_of(path: Path, prediction: str = "auto") -> EmbeddedHost:
    return EmbeddedHost(path, embeddings_folder=path.parent, device="cpu", prediction=prediction)


def loaded(path: Path, prediction: str = "auto") -> tuple[str, int, str]:
    """Return prediction, size and everything that was reported."""
    reported: list[str] = []
    with host_of(path, prediction).models.session(SessionOptions(report=reported.append)) as model:
        return model.info.prediction, model.info.size, " ".join(reported)


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught, host_of(path).models.session(SessionOptions()):
        pass
    return str(caught.value)


def test_the_yaml_counts_most_and_needs_no_report(sdxl: Path) -> None:
    assert loaded(sdxl) == ("eps", SIZE, "")


def test_without_a_yaml_the_metadata_count_then_the_key(sdxl: Path, tmp_path: Path) -> None:
    plain = loaded(alone(sdxl, tmp_path / "plain.safetensors"))
    assert plain[:2] == ("eps", 1024)
    said = "plain.safetensors is recognized as SDXL (text encoders CLIP and OpenCLIP), noise prediction (as most SDXL "
    assert f"{said}models), 1024 × 1024 (as SDXL models with that prediction)." in plain[2]
    assert "choose v with --prediction" in plain[2]
    marked = loaded(alone(sdxl, tmp_path / "marked.safetensors", "v_pred"))
    assert marked[:2] == ("v", 1024)
    assert "v-prediction (key v_pred), 1024 × 1024 (as SDXL models with that prediction)." in marked[2]
    path = alone(sdxl, tmp_path / "said.safetensors", "v_pred", prediction_type="epsilon", resolution="512x768")
    stated = loaded(path)
    assert stated[:2] == ("eps", 640)
    assert (
        "noise prediction (metadata modelspec.prediction_type), 640 × 640 (metadata modelspec.resolution)" in stated[2]
    )
    assert loaded(path, "v")[:2] == ("v", 640)
    assert host_of(path).models.size == 640


def test_sd2_without_any_word_is_asked_by_a_trial_run(sd2: Path, tmp_path: Path) -> None:
    prediction, size, reported = loaded(alone(sd2, tmp_path / "plain.safetensors"))
    assert size == {"v": 768, "eps": 512}[prediction]
    assert "(trial run of its UNet)" in reported
    assert loaded(tmp_path / "plain.safetensors", "eps") == ("eps", 512, "")
    assert loaded(tmp_path / "plain.safetensors", "v") == ("v", 768, "")


@pytest.mark.parametrize(("offset", "prediction"), [(0.0, "eps"), (-0.9, "eps"), (-1.1, "v")])
def test_the_trial_run_recognizes_v_prediction_by_a_low_output(offset: float, prediction: str) -> None:
    class Unet:
        device, dtype = torch.device("cpu"), torch.float32
        config = SimpleNamespace(cross_attention_dim=8)

        def __call__(self, noisy: torch.Tensor, *_: Any, **__: Any) -> tuple[torch.Tensor]:
            return (noisy + offset,)

    assert measured(Unet()).prediction == prediction


def test_the_configuration_of_all_sd2_models_does_not_state_their_size(sd2: Path, tmp_path: Path) -> None:
    path = alone(sd2, tmp_path / "stock.safetensors")
    content = json.loads(sd2.with_suffix(".yaml").read_text())
    content["model"]["params"]["image_size"] = 64  # in v2-inference-v.yaml too, for 768 pixels
    path.with_suffix(".yaml").write_text(json.dumps(content))
    assert loaded(path) == ("v", 768, "")
    assert host_of(path).models.size == 768


def test_an_unknown_prediction_is_refused(sdxl: Path) -> None:
    with pytest.raises(BadInput, match="'x0' is not known; use one of auto, eps, v"):
        host_of(sdxl, "x0")
    assert host_of(sdxl, "v").models.arguments["prediction"] == "v"
    assert "prediction" not in host_of(sdxl).models.arguments


def _set(name: str, tensor: torch.Tensor) -> Callable[[Weights], Weights]:
    return lambda weights: {**weights, name: tensor}


def _without(part: str) -> Callable[[Weights], Weights]:
    return lambda weights: {name: one for name, one in weights.items() if part not in name}


REFUSED: Mapping[str, tuple[str, Callable[[Weights], Weights]]] = {
    "an SDXL inpainting checkpoint": ("sdxl", _set(FIRST, torch.zeros(64, 9, 3, 3))),
    "an SDXL distilled (SSD-1B or like it) checkpoint": ("sdxl", _without("middle_block.1.")),
    "an SDXL EDM (CosXL, Playground 2.5) checkpoint": ("sdxl", _set("edm_vpred.sigma_max", torch.ones(1))),
    "an SDXL refiner checkpoint": ("sdxl", _without("conditioner.embedders.1.")),
    "an SD 2 inpainting checkpoint": ("sd2", _set(FIRST, torch.zeros(64, 9, 3, 3))),
    "an SD 2 depth checkpoint": ("sd2", _set(FIRST, torch.zeros(64, 5, 3, 3))),
    "an SD 2 unCLIP checkpoint": ("sd2", _set(f"{UNET}label_emb.0.0.weight", torch.zeros(8, 8))),
}


@pytest.mark.parametrize("says", REFUSED)
def test_other_models_of_these_families_are_refused_by_name(says: str, sd2: Path, sdxl: Path, tmp_path: Path) -> None:
    source, change = REFUSED[says]
    path = tmp_path / "other.safetensors"
    save_file(change(load_file({"sd2": sd2, "sdxl": sdxl}[source])), path)
    assert f"other.safetensors is {says}; this program trains SD 1, SD 2 and SDXL checkpoints" in refusal(path)


def test_quantized_weights_are_refused_by_their_types(sdxl: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    for dtype, name in ((torch.float8_e4m3fn, "F8_E4M3"), (torch.uint8, "U8")):
        weights = load_file(sdxl)
        weights[FIRST] = torch.zeros(64, 4, 3, 3).to(dtype)
        save_file(weights, path)
        assert f"other.safetensors has quantized weights ({name})" in refusal(path)
    torch.save(weights, tmp_path / "other.ckpt")
    assert "other.ckpt has quantized weights (uint8)" in refusal(tmp_path / "other.ckpt")


def test_a_unet_alone_lacks_the_text_encoder_of_its_family(sdxl: Path, tmp_path: Path) -> None:
    path = tmp_path / "unet.safetensors"
    save_file(_without("conditioner.")(load_file(sdxl)), path)
    assert "has no text encoder; give a complete SDXL checkpoint" in refusal(path)


def test_missing_and_misshapen_weights_have_the_file_s_names(sdxl: Path, tmp_path: Path) -> None:
    weights = load_file(sdxl)
    del weights["conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight"]
    weights["conditioner.embedders.1.model.ln_final.weight"] = torch.ones(7)
    save_file(weights, tmp_path / "holes.safetensors")
    message = refusal(tmp_path / "holes.safetensors")
    assert "conditioner.embedders.1.model.transformer.resblocks.0.attn.in_proj_weight is missing" in message
    assert "conditioner.embedders.1.model.ln_final.weight is (7,) and not (48,)" in message


def test_a_yaml_that_contradicts_the_weights_is_refused_with_both(sd2: Path, sdxl: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sdxl, tmp_path / "described.safetensors"))
    described = path.with_suffix(".yaml")
    shutil.copy(sd2.with_suffix(".yaml"), described)
    assert "described.yaml contradicts described.safetensors: it describes a model of ldm" in refusal(path)
    content = json.loads(sdxl.with_suffix(".yaml").read_text())
    unet = content["model"]["params"]["network_config"]["params"]
    unet |= {"context_dim": 2048, "adm_in_channels": 2816}
    described.write_text(json.dumps(content))
    message = refusal(path)
    assert "context_dim is 2048, and the weights have 80" in message
    assert "adm_in_channels is 2816, and the weights have 232" in message
    content["model"]["params"]["denoiser_config"]["params"]["scaling_config"]["target"] = "sgm.x.EDMScaling"
    described.write_text(json.dumps(content))
    assert "scaling_config is EDMScaling, and has to be EpsScaling or VScaling" in refusal(path)
    other = Path(shutil.copy(sd2, tmp_path / "other.safetensors"))
    content = json.loads(sd2.with_suffix(".yaml").read_text())
    content["model"]["params"]["cond_stage_config"] = {"target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder"}
    other.with_suffix(".yaml").write_text(json.dumps(content))
    assert "its text encoder is FrozenCLIPEmbedder, and the weights are those of an SD 2 model" in refusal(other)


def test_a_ckpt_gives_the_same_images(sdxl: Path, tmp_path: Path) -> None:
    path = tmp_path / "sdxl.ckpt"
    torch.save({"state_dict": load_file(sdxl)}, path)
    shutil.copy(sdxl.with_suffix(".yaml"), path.with_suffix(".yaml"))
    request = ImageRequest("a cat", steps=2, width=64, height=64)
    images = []
    for one in (sdxl, path):
        with host_of(one).models.session(SessionOptions()) as model:
            images.append(model.generate(request, []).tobytes())
    assert images[0] == images[1]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(("kind", "size"), [("sd1", 512), ("sd2-v", 768), ("sdxl", 1024)])
def test_the_size_of_a_ckpt_is_known_before_it_is_loaded(
    kind: str, size: int, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = load_file(write_checkpoint(tmp_path, kind))
    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": weights}, path, _use_new_zipfile_serialization=zipped)
    monkeypatch.setattr(torch.UntypedStorage, "from_file", None)  # by which values are read
    assert host_of(path).models.size == size


@pytest.mark.parametrize("source", [CHECKPOINT, XL_CHECKPOINT], ids=lambda path: path.stem)
def test_a_small_model_without_its_yaml_is_refused(source: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(source, tmp_path / "copy.safetensors"))
    said = refusal(path)
    assert (
        "copy.safetensors cannot be used: its UNet begins with 96 channels instead of the released models' 320" in said
    )
    assert said.endswith("put that .yaml beside it.")
    shutil.copy(source.with_suffix(".yaml"), path.with_suffix(".yaml"))
    assert "config.json, which is not there: copy that folder too" in refusal(path)


def test_a_zero_terminal_snr_schedule_ends_in_noise() -> None:
    plain = scaled_linear(0.00085, 0.012)
    betas = 1 - plain.double() / torch.cat([torch.ones(1, dtype=torch.float64), plain[:-1].double()])
    theirs = torch.cumprod(1 - rescale_zero_terminal_snr(betas), 0)
    ours = with_zero_terminal_snr(plain)
    assert torch.allclose(ours[:-1].double(), theirs[:-1], atol=1e-7)
    assert 0 < ours[-1].item() < 1e-7
    assert ours[0].item() == pytest.approx(plain[0].item())


@pytest.mark.parametrize("sampler", ["Euler a", "Euler", "DPM++ 2M", "DDIM"])
def test_the_key_ztsnr_changes_training_and_sampling(sdxl: Path, tmp_path: Path, sampler: str) -> None:
    marked = alone(sdxl, tmp_path / "marked.safetensors", "v_pred", "ztsnr")
    plain = alone(sdxl, tmp_path / "plain.safetensors", "v_pred")
    assert "with a noise schedule of zero terminal SNR" in loaded(marked)[2]
    request = ImageRequest("a cat", steps=3, width=64, height=64, sampler=sampler)
    images = []
    for one in (marked, plain):
        with host_of(one).models.session(SessionOptions()) as model:
            images.append(model.generate(request, []).tobytes())
            last = model.alphas_cumprod[-1].item()
            assert last == pytest.approx(4.9e-8 if one == marked else 0.00466, rel=0.01)
    assert images[0] != images[1]
