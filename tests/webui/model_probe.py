"""Runs inside the WebUI that ``instance.py`` starts, beside ``probe.py``: it looks into the loaded model."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from modules import devices, shared

import lib_ti
from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host import weights_hash
from lib_ti.host.base import SessionOptions
from lib_ti.host.model import Conditions
from lib_ti.host.webui.host import WebUIHost
from lib_ti.host.webui.model import WebUIModel
from lib_ti.training.build import build_trainer
from lib_ti.training.step.batch import TrainingBatch
from tests.webui.inside import serve

with patch.object(sys, "path", [str(Path(lib_ti.__file__).parents[1]), *sys.path]):
    from tests.waits import waits

HOST = WebUIHost()
FLAGS = ("checkpoint", "use_checkpoint")


def _blocks() -> Iterator[tuple[Any, str]]:
    """The UNet's blocks that can checkpoint in ldm's way, each with the name of its flag."""
    for module in shared.sd_model.model.diffusion_model.modules():
        if hasattr(module, "_forward"):
            yield from ((module, name) for name in FLAGS if name in vars(module))


def their_checkpointing(on: bool | None = None) -> list[bool]:
    """The flags of all blocks, after they were set where ``on`` says so."""
    for block, name in _blocks():
        if on is not None:
            setattr(block, name, on)
    return [getattr(block, name) for block, name in _blocks()]


def frozen_backward() -> str:
    """What a backward pass through the frozen UNet says, outside of a session of ours."""
    unet = shared.sd_model.model.diffusion_model
    flags = [parameter.requires_grad for parameter in unet.parameters()]
    context = torch.ones(1, 77, shared.sd_model.cond_stage_model.wrapped.transformer.config.hidden_size)
    try:
        unet.requires_grad_(False)
        predicted = unet(torch.ones(1, 4, 8, 8), torch.tensor([5]), context=context.requires_grad_())
        predicted.square().sum().backward()
    except RuntimeError as error:
        return str(error)
    finally:
        for parameter, flag in zip(unet.parameters(), flags, strict=True):
            parameter.requires_grad_(flag)
    return ""


def autoencoders(times: int) -> dict[str, Any]:
    """The autoencoder's identity in so many sessions, and how often its weights were read for it."""
    read: list[int] = []
    compute = weights_hash.weights_hash

    def count(weights: dict[str, torch.Tensor]) -> str:
        read.append(len(weights))
        return compute(weights)

    found = []
    with patch.object(weights_hash, "weights_hash", count):
        for _ in range(times):
            with HOST.models.session(SessionOptions()) as model:
                found.append(model.info.autoencoder)
    return {"found": found, "read": len(read)}


def steps_without_values(checkpointing: str, steps: int) -> list[str]:
    """The places in the code where a training of so many steps waits for its device."""
    with HOST.models.session(SessionOptions()) as model, _on_meta(model):
        widths = model.info.widths
        embedding = Embedding("zqtest", {key: torch.full((2, width), 0.1) for key, width in widths.items()})
        config = TrainConfig(max_steps=steps, gradient_checkpointing=checkpointing)
        trainer = build_trainer(model, config, _batch, embedding, first_step=0)
        with waits() as found:
            trainer.run()
    return found


def _batch(index: int) -> TrainingBatch:
    conditions = Conditions.whole(["art by zqtest", "a (fence), " * 40], width=64, height=64)
    return TrainingBatch(torch.ones(2, 4, 8, 8), torch.ones(2, 1, 8, 8), conditions, 0, index)


@contextmanager
def _on_meta(model: WebUIModel) -> Iterator[None]:
    """The lent model without values, in float32: what the WebUI does for half precision needs a graphics card."""
    device, sd_model = torch.device("meta"), model._sd_model
    words = [encoder.table for encoder in model._prompts.encoders]
    tables = [table for part in sd_model.modules() for table in (part._parameters, part._buffers)]
    before = [(table, name, tensor) for table in tables for name, tensor in table.items() if tensor is not None]
    with ExitStack() as undo:
        for where, name, value in (
            (devices, "device", device),
            (sd_model, "_device", device),
            (model, "_alphas_cumprod", model._alphas_cumprod.to(device)),
            *((table, "_weight", table._weight.to(device)) for table in words),
        ):
            undo.enter_context(patch.object(where, name, value))
        for table, name, tensor in before:
            undo.callback(table.update, {name: tensor})
            empty = tensor.detach().to(device)
            table[name] = torch.nn.Parameter(empty, False) if isinstance(tensor, torch.nn.Parameter) else empty
        yield


serve("model", (their_checkpointing, frozen_backward, autoencoders, steps_without_values))
