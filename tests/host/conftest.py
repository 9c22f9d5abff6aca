"""A small random Stable Diffusion 1, written as a checkpoint file once for all tests of the hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import Networks
from tests.networks import WIDTH, describe, in_ldm_format, random_networks


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
    return describe(path)


@pytest.fixture(scope="session")
def host(checkpoint: Path) -> EmbeddedHost:
    return EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent / "embeddings", device="cpu")


@pytest.fixture
def model(host: EmbeddedHost) -> Iterator[EmbeddedModel]:
    with host.models.session(SessionOptions()) as acquired:
        yield acquired


@pytest.fixture
def embedding() -> Callable[..., Embedding]:
    """Makes an embedding whose vectors are leaves, of the size of the vocabulary's."""

    def make(name: str = "my-style", count: int = 3, width: int = WIDTH, scale: float = 0.02) -> Embedding:
        vectors = torch.randn(count, width, generator=torch.Generator().manual_seed(count)) * scale
        return Embedding(name, {"clip_l": vectors.requires_grad_()})

    return make
