"""The training that both pocket models share: UNet and text encoders together, for as long as there is time.

The learning rate falls with the time left, so a slow machine gets fewer steps, not an unfinished model. Resumable: run
it again with the minutes that are left.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn

from tools.pocket.compiling import without_interpolate
from tools.pocket.training_loop import Clock, Log, follow, save

_EMA = 0.999
_SAVE_EVERY = 500

LossAt = Callable[[Callable[..., Any], int], Tensor]
"""The UNet, compiled or not, and a step -> the loss of that step."""


class TrainedNetworks(nn.Module):
    """A UNet and text encoders in training, and the running average of their weights, which is what is kept."""

    unet: UNet2DConditionModel
    trained: list[nn.Parameter]
    average: list[Tensor]

    def begin_average(self) -> None:
        """Start the average at the present weights; to be called once all networks are there."""
        self.trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        self.average = [parameter.detach().clone() for parameter in self.trained]

    def averaged(self) -> dict[str, Tensor]:
        """Return the averaged weights by name."""
        names = (name for name, parameter in self.named_parameters() if parameter.requires_grad)
        return dict(zip(names, self.average, strict=True))


@dataclass(frozen=True)
class Options:
    """What a start of a training is given: its folder, the minutes from now on, and how steps are made."""

    work: Path
    minutes: float
    batch: int
    rate: float
    compile: bool


def parser_of(description: str, minutes: float) -> argparse.ArgumentParser:
    """Return a parser of the fields of :class:`Options`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--work", type=Path, required=True, help="folder for drawings and checkpoints")
    parser.add_argument("--minutes", type=float, default=minutes, help="how long to train from now on")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--compile", action="store_true", help="torch.compile for the UNet")
    return parser


def train(networks: TrainedNetworks, loss_at: LossAt, options: Options, *, state: str, average: str) -> None:
    """Train for `options.minutes`, after what `<work>/<state>` holds of earlier starts.

    The averaged weights are in `<work>/<average>` from the first 500 steps on.
    """
    rate, file = options.rate, options.work / state
    optimizer = torch.optim.AdamW(networks.trained, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    step, clock = 0, Clock(options.minutes)
    if file.exists():
        saved = torch.load(file, weights_only=True)
        networks.load_state_dict(saved["networks"])
        networks.average = saved["average"]
        optimizer.load_state_dict(saved["optimizer"])
        step, clock = saved["step"], Clock(options.minutes, saved["spent"])

    def keep() -> None:
        parts = {"networks": networks.state_dict(), "average": networks.average, "optimizer": optimizer.state_dict()}
        save({**parts, "step": step, "spent": clock.spent}, file)
        save(networks.averaged(), options.work / average)

    unet = _compiled(networks.unet) if options.compile else networks.unet
    log = Log(100)
    while (share := clock.share) < 1:
        for group in optimizer.param_groups:  # a warm-up, a fifth of the time at full rate, then down evenly
            group["lr"] = rate * min(1.0, (step + 1) / 200) * min(1.0, 1.25 * (1 - share) + 0.01)
        loss = loss_at(unet, step)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(networks.trained, 1.0)
        optimizer.step()
        step += 1
        follow(networks.average, networks.trained, _EMA, step)
        log.step(step, share, loss=loss)
        if step % _SAVE_EVERY == 0:
            keep()
    keep()
    print(f"finished after {step} steps, {clock.spent / 60:.0f} minutes")


def _compiled(unet: UNet2DConditionModel) -> Callable[..., Any]:
    without_interpolate(unet)
    unet.to(memory_format=torch.channels_last)
    compiled: Callable[..., Any] = torch.compile(unet, dynamic=False)
    return compiled
