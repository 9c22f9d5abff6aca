"""What a checkpoint file says of its model is compared with how the WebUI runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_ti.host.webui.file_hints import differences, expected_size, weight_names

V = {"modelspec.prediction_type": "v"}
EPSILON = {"modelspec.prediction_type": "epsilon"}
SD1 = ("cond_stage_model.transformer.text_model.final_layer_norm.weight",)
SD2 = ("cond_stage_model.model.ln_final.weight",)
SDXL = (
    "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight",
    "conditioner.embedders.1.model.ln_final.weight",
)


@pytest.mark.parametrize(
    ("names", "metadata", "prediction", "zero", "words"),
    [
        ((), {}, "eps", False, []),
        ((), V, "v", False, []),
        ((), EPSILON, "eps", True, []),
        (("v_pred", "ztsnr"), {}, "v", True, []),
        (("v_pred",), {}, "eps", False, ["says v-prediction, and the WebUI runs it with epsilon"]),
        ((), EPSILON, "v", False, ["says epsilon, and the WebUI runs it with v-prediction"]),
        (("v_pred", "ztsnr"), V, "eps", False, ["v-prediction", "zero terminal SNR"]),
    ],
)
def test_differences_are_named(
    names: tuple[str, ...], metadata: dict[str, str], prediction: str, zero: bool, words: list[str]
) -> None:
    found = list(differences(names, metadata, prediction, zero_terminal_snr=zero))
    assert len(found) == len(words)
    assert all(word in one for one, word in zip(found, words, strict=True))


def test_names_are_read_without_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"v_pred": torch.tensor([]), "a": torch.ones(2)}, path)
    assert set(weight_names(path)) == {"v_pred", "a"}


@pytest.mark.parametrize(
    ("names", "metadata", "size"),
    [
        ((), {}, 512),
        (SD1, {}, 512),
        (SD2, {}, 768),
        (SD2, EPSILON, 512),
        (SDXL, {}, 1024),
        ((*SDXL, "v_pred"), {}, 1024),
        (SDXL[1:], {}, 512),
        (SDXL, {"modelspec.resolution": "832x832"}, 832),
    ],
)
def test_the_size_is_known_before_a_model_is_loaded(
    names: tuple[str, ...], metadata: dict[str, str], size: int
) -> None:
    assert expected_size(names, metadata) == size


@pytest.mark.parametrize("name", ["model.ckpt", "damaged.safetensors", "missing.safetensors"])
def test_other_files_say_nothing(tmp_path: Path, name: str) -> None:
    if not name.startswith("missing"):
        (tmp_path / name).write_bytes(b"no weights")
    assert not weight_names(tmp_path / name)
