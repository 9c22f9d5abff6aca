"""VAE files: in the names of ldm and of diffusers, with and without a prefix, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_ti.errors import BadInput
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER
from lib_ti.host.embedded.files.vae_file import is_vae_file
from lib_ti.host.embedded.models import EmbeddedModels, Variant
from lib_ti.host.embedded.networks import Networks

Weights = dict[str, torch.Tensor]
FORMER = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
"""diffusers' names of the attention's parts before 0.15."""


def latent_by(checkpoint: Path, vae: Path | None) -> torch.Tensor:
    models = EmbeddedModels(checkpoint, "cpu", variant=Variant(vae))
    with models.session(SessionOptions()) as model:
        return model.encode_images(torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)).mean


@pytest.fixture
def own(weights: Weights) -> Weights:
    """The checkpoint's own autoencoder without a prefix."""
    return {name.removeprefix(AUTOENCODER): one for name, one in weights.items() if name.startswith(AUTOENCODER)}


def test_every_form_of_one_autoencoder_is_the_same(
    checkpoint: Path, own: Weights, networks: Networks, tmp_path: Path
) -> None:
    expected = latent_by(checkpoint, None)
    diffusers = {name: one.clone() for name, one in networks.autoencoder.state_dict().items()}
    former = {}
    for name, one in diffusers.items():
        for now, before in FORMER.items():
            name = name.replace(f".attentions.0.{now}.", f".attentions.0.{before}.")  # noqa: PLW2901
        former[name] = one
    forms: dict[str, Weights] = {
        "plain": own,
        "prefixed": {AUTOENCODER + name: one for name, one in own.items()},
        "with-more": {**own, "loss.logvar": torch.zeros(1), "model_ema.decay": torch.zeros(1)},
        "diffusers": diffusers,
        "former": former,
    }
    for name, form in forms.items():
        path = tmp_path / f"{name}.safetensors"
        save_file({key: one.contiguous() for key, one in form.items()}, path)
        assert is_vae_file(path)
        assert torch.equal(latent_by(checkpoint, path), expected), name
    torch.save({"state_dict": own}, tmp_path / "old.pt")
    assert torch.equal(latent_by(checkpoint, tmp_path / "old.pt"), expected)


def test_another_autoencoder_changes_the_latents_and_their_identity(
    checkpoint: Path, own: Weights, tmp_path: Path
) -> None:
    save_file({name: one * 0.5 for name, one in own.items()}, tmp_path / "other.safetensors")
    models = [EmbeddedModels(checkpoint, "cpu", variant=Variant(vae)) for vae in (None, tmp_path / "other.safetensors")]
    found = []
    for one in models:
        with one.session(SessionOptions()) as model:
            found.append(model.info.autoencoder)
    assert found[0] != found[1]
    assert "vae" not in models[0].arguments
    assert models[1].arguments["vae"] == str(tmp_path / "other.safetensors")


def test_what_is_no_autoencoder_is_refused_by_name(checkpoint: Path, tmp_path: Path) -> None:
    text = tmp_path / "clip.safetensors"
    save_file({"text_model.final_layer_norm.weight": torch.ones(4)}, text)
    assert not is_vae_file(text)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"nothing")
    for path, said in (
        (text, "The VAE clip.safetensors is no autoencoder"),
        (damaged, "is truncated or damaged"),
        (tmp_path / "none.safetensors", "does not exist; choose another, or none"),
        (tmp_path, "does not exist"),
    ):
        with pytest.raises(BadInput, match=said):
            latent_by(checkpoint, path)
    other = tmp_path / "vae.gguf"
    other.write_bytes(b"")
    with pytest.raises(BadInput, match="has the suffix '.gguf'"):
        is_vae_file(other)
