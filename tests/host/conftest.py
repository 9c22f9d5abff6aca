"""A small random Stable Diffusion 1, written as a checkpoint file once for all tests of the hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.checkpoint import AUTOENCODER, TEXT_ENCODER, UNET
from lib_ti.host.embedded import EmbeddedHost
from lib_ti.host.embedded_model import EmbeddedModel
from lib_ti.host.ldm_names import text_encoder_name
from lib_ti.host.networks import Networks, autoencoder_names, unet_names

WIDTH = 64


def random_networks(seed: int = 0) -> Networks:
    """Two UNet levels, the finer without attention; an f=8 autoencoder; a text encoder of two layers and one head."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(32, 64),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            cross_attention_dim=WIDTH,
            attention_head_dim=8,
        )
        autoencoder = AutoencoderKL(
            block_out_channels=(32, 32, 32, 32),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )
        text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=49408,
                hidden_size=WIDTH,
                intermediate_size=128,
                num_hidden_layers=2,
                num_attention_heads=1,
                projection_dim=WIDTH,
            )
        )
    return Networks(unet.eval(), autoencoder.eval(), text_encoder.eval())


def in_ldm_format(networks: Networks) -> dict[str, torch.Tensor]:
    """The weights by their names in a checkpoint file."""
    unet_name, autoencoder_name = unet_names(networks.unet), autoencoder_names(networks.autoencoder)
    unet = {UNET + unet_name(name): tensor for name, tensor in networks.unet.state_dict().items()}
    autoencoder = {
        AUTOENCODER + autoencoder_name(name): tensor[..., None, None] if "to_" in name and tensor.ndim == 2 else tensor
        for name, tensor in networks.autoencoder.state_dict().items()
    }
    text = {
        TEXT_ENCODER + text_encoder_name(name): tensor for name, tensor in networks.text_encoder.state_dict().items()
    }
    return {name: tensor.contiguous() for name, tensor in {**unet, **autoencoder, **text}.items()}


@pytest.fixture(scope="session")
def networks() -> Networks:
    return random_networks()


@pytest.fixture(scope="session")
def weights(networks: Networks) -> dict[str, torch.Tensor]:
    return in_ldm_format(networks)


@pytest.fixture(scope="session")
def checkpoint(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    save_file(weights, path)
    return path


@pytest.fixture(scope="session")
def host(checkpoint: Path) -> EmbeddedHost:
    return EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent / "embeddings", device="cpu")


@pytest.fixture
def model(host: EmbeddedHost) -> Iterator[EmbeddedModel]:
    with host.session(SessionOptions()) as lent:
        yield lent


@pytest.fixture
def embedding() -> Callable[..., Embedding]:
    """Makes an embedding whose vectors are leaves, of the size of the vocabulary's."""

    def make(name: str = "my-style", count: int = 3, width: int = WIDTH, scale: float = 0.02) -> Embedding:
        vectors = torch.randn(count, width, generator=torch.Generator().manual_seed(count)) * scale
        return Embedding(name, {"clip_l": vectors.requires_grad_()})

    return make
