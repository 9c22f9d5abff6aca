"""Embedded hosts of a folder, and what a session's model is asked for."""

from __future__ import annotations

from pathlib import Path

import torch

from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.tools import ToolFolders
from lib_ti.host.model import Conditioning


def host_of(folder: Path, checkpoint: Path = Path("none.safetensors")) -> EmbeddedHost:
    """Return a host whose embeddings and tools are all in one folder."""
    return EmbeddedHost(
        checkpoint,
        embeddings_folder=folder,
        device="cpu",
        tool_folders=ToolFolders(folder / "BLIP", folder / "captioners", folder / "ESRGAN"),
    )


def loss_of(model: EmbeddedModel, conditioning: Conditioning) -> torch.Tensor:
    """Return a loss of one step, the same for equal models and prompts."""
    count = len(conditioning.crossattn)
    noisy = torch.randn(count, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    prediction = model.predict(noisy, torch.arange(count) * 400 + 5, conditioning)
    assert prediction.dtype == torch.float32
    return (prediction - noisy).square().mean()


def modules(model: EmbeddedModel) -> list[torch.nn.Module]:
    return [model._unet, model._autoencoder, *(encoder._network for encoder in model._text._encoders)]


def state_of(model: EmbeddedModel) -> list[object]:
    """Return what a session changes in the networks, and must undo."""
    return [
        (module.training, getattr(module, "gradient_checkpointing", None), len(module._forward_hooks))
        for network in modules(model)
        for module in network.modules()
    ] + [parameter.requires_grad for network in modules(model) for parameter in network.parameters()]
