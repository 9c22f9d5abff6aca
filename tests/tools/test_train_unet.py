"""The training loop of the pocket models ends in time and continues where it stopped."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from tools.pocket.train_unet import Options, TrainedNetworks, train


class Small(TrainedNetworks):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.unet = nn.Linear(2, 1)
        self.begin_average()


def steps_of(folder: Path, networks: Small, minutes: float) -> list[int]:
    steps = []

    def loss_at(unet: nn.Module, step: int) -> torch.Tensor:
        steps.append(step)
        return (unet(torch.ones(1, 2)) - 1).square().mean()

    options = Options(folder, minutes, batch=1, rate=1e-3, compile=False)
    train(networks, loss_at, options, state="state.pt", average="average.pt")
    return steps


def test_a_second_start_continues_after_the_last_step(tmp_path: Path) -> None:
    first, second = Small(), Small()
    steps = steps_of(tmp_path, first, 0.002)
    assert steps == list(range(len(steps)))
    assert not steps_of(tmp_path, second, 0)  # its time is over: it only loads and saves
    assert torch.equal(second.unet.weight, first.unet.weight)
    saved = torch.load(tmp_path / "average.pt", weights_only=True)
    assert torch.equal(saved["unet.weight"], first.average[0])
    assert steps_of(tmp_path, Small(), 0.002)[0] == len(steps)
