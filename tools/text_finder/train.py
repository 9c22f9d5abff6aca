"""Train the text finder: ``python -m tools.text_finder.train PHOTOGRAPHS FONTS``, twenty minutes.

The shipped weights were made from 19 photographs and regions of photographs without text of the suite of test images
that Kodak is understood to have released for any use, and from 60 fonts, in several passes that each continued from the
one before. The photographs that the tests judge by were not among them.
"""

from __future__ import annotations

import argparse
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from lib_ti.prep.remove.text_map import WEIGHTS, TextNetwork
from tools.text_finder.scenes import Scenes

logger = logging.getLogger(__name__)


def train(network: TextNetwork, scenes: Scenes, minutes: float, rate: float = 2e-3) -> None:
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    began, step, running = time.monotonic(), 0, 0.0
    pool = ThreadPoolExecutor(1)
    coming = pool.submit(scenes.batch)
    while (progress := (time.monotonic() - began) / (minutes * 60)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * (1 - progress)
        pixels, targets, weights = coming.result()
        coming = pool.submit(scenes.batch)  # drawn while the network learns
        losses = functional.binary_cross_entropy_with_logits(network(pixels), targets, weights, reduction="sum")
        loss = losses / weights.sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        running += (loss.item() - running) * max(0.01, 1 / step)
        if step % 100 == 0:
            logger.info("%d loss %.4f %.0f %%", step, running, 100 * progress)
    pool.shutdown()


def begin(start: Path | None) -> TextNetwork:
    """A network from earlier weights, or one that knows nothing."""
    torch.manual_seed(0)
    network = TextNetwork()
    if start is not None:
        network.load_state_dict({name: value.float() for name, value in load_file(start).items()})
        return network
    for layer in network.layers:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photographs", type=Path, help="folder of photographs without text")
    parser.add_argument("fonts", type=Path, help="folder of .ttf and .otf files")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the scenes; another one when going on")
    parser.add_argument("--start", type=Path, help="weights to continue from")
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    network = begin(arguments.start)
    train(network, Scenes(arguments.photographs, arguments.fonts, arguments.seed), arguments.minutes)
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(weights, arguments.output)
    arguments.output.chmod(0o644)


if __name__ == "__main__":
    main()
