"""Speed, memory and use of a graphics card by family, batch size and checkpointing, on random models of full size."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import cast, get_args

import torch
from torch.utils.flop_counter import FlopCounterMode

from lib_ti.errors import out_of_memory
from lib_ti.families.registry import FAMILIES
from lib_ti.host.base import Precision, SessionOptions
from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import Checkpoint
from lib_ti.host.embedded.files.recognition import Header
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.embedded.networks import build
from lib_ti.host.model import Checkpointing
from lib_ti.training.trainer import Trainer
from tests.benchmarks.gpu_place import Check, Place, Result, trainer
from tests.benchmarks.gpu_speed import ONLY_ON_CARD, WARM_UP, train_steps
from tests.checkpoints import write_checkpoint
from tests.host.embedded.test_full_size import shapes_of
from tests.networks import full_shapes

BATCHES = (1, 4, 16)
SECONDS = 3.0
"""Time for the steps of a line, of which there are at least two."""
SHARES = {("sd1", 16): 0.40, ("sdxl", 4): 0.45}
"""Promised share of the matmul rate by family and batch size, without checkpointing."""
GIB = {"sd1": 3.2, "sd2": 4.5, "sdxl": 8.0}
"""Promised peak memory of batch 1 with checkpointing of all blocks, the model included."""
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def families(place: Place) -> Iterator[Check]:
    """Steps of each family at its own image size, by batch size and checkpointing."""
    precision = place.precisions[0]
    rate = _matmul_rate(place, _DTYPES[precision])
    what = f"{precision}: rate of large matrix products"
    yield Check(what, lambda: Result(what, f"{rate / 1e12:.3g} TFLOP/s", numbers={"flops_per_second": rate}))
    for key, side in place.size.sides.items():
        with _model(place, key, precision) as model:
            work = _flops(model, side)
            for batch in BATCHES:
                for level in get_args(Checkpointing):
                    line = _Line(key, side, batch, level)
                    yield Check(line.what, partial(line.run, place, model, work / rate))
        del model
        gc.collect()
        if place.on_card:
            torch.cuda.empty_cache()


class _Line:
    """One line of the table."""

    def __init__(self, key: str, side: int, batch: int, level: Checkpointing) -> None:
        self._key, self._side, self._batch, self._level = key, side, batch, level
        self.what = f"{FAMILIES[key].label}, {side} px, batch {batch}, checkpointing {level}"

    def run(self, place: Place, model: EmbeddedModel, ideal: float) -> Result:
        """Time steps; ``ideal`` is the seconds of an image's arithmetic at the rate of matrix products."""
        if place.on_card:
            gc.collect()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            seconds = self._seconds(place, model)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            return Result(self.what, "does not fit into the memory")
        numbers = {"seconds_per_step": seconds, "images_per_second": self._batch / seconds}
        measured = f"{seconds:.3g} s/step, {self._batch / seconds:.3g} images/s"
        if not place.on_card:
            return Result(self.what, f"{measured}; the rest {ONLY_ON_CARD}", numbers=numbers)
        peak, share = torch.cuda.max_memory_allocated() / 2**30, ideal * self._batch / seconds
        numbers |= {"peak": peak, "share": share}
        measured = f"{measured}, {peak:.2f} GiB, {share:.0%} of the rate of matrix products"
        if self._level == "off" and (promised := SHARES.get((self._key, self._batch))):
            return Result(self.what, measured, f"{promised:.0%}", share >= promised, numbers)
        if self._level == "all-blocks" and self._batch == 1:
            return Result(self.what, measured, f"{GIB[self._key]} GiB", peak <= GIB[self._key], numbers)
        return Result(self.what, measured, numbers=numbers)

    def _seconds(self, place: Place, model: EmbeddedModel) -> float:
        """Return the time of a step in seconds; of a small model, that of its first one."""
        made = trainer(model, batch=self._batch, side=self._side, gradient_checkpointing=self._level)
        if place.size.full:
            train_steps(made, WARM_UP)
        first = _timed(made, 1)
        if not place.size.full:
            return first
        count = min(place.size.steps, max(2, int(SECONDS / first)))
        return _timed(made, count) / count


def _timed(made: Trainer, count: int) -> float:
    start = time.perf_counter()
    train_steps(made, count)  # its last step's figures are read, so that all work is done then
    return time.perf_counter() - start


def _matmul_rate(place: Place, dtype: torch.dtype) -> float:
    """Return the operations of a second in products of large matrices."""
    side, count = (8192, 20) if place.size.full else (256, 2)
    one = torch.ones(side, side, device=place.device, dtype=dtype)
    for timed in (False, True):
        start = time.perf_counter()
        for _ in range(count):
            product = one @ one
        product[0, 0].item()
        if timed:
            return 2 * side**3 * count / (time.perf_counter() - start)
    raise AssertionError


def _flops(model: EmbeddedModel, side: int) -> float:
    """Return the operations of a step of one image, without those that checkpointing repeats."""
    made = trainer(model, batch=1, side=side, gradient_checkpointing="off")
    with FlopCounterMode(display=False) as counter:
        train_steps(made, 1)
    return float(counter.get_total_flops())


@contextmanager
def _model(place: Place, key: str, precision: str) -> Iterator[EmbeddedModel]:
    if place.size.full:
        yield full_model(key, precision, torch.device(place.device))
        return
    with tempfile.TemporaryDirectory() as name:
        path = write_checkpoint(Path(name), {"sd1": "sd1", "sd2": "sd2-v", "sdxl": "sdxl"}[key])
        host = EmbeddedHost(path, embeddings_folder=Path(name), device=place.device)
        with host.models.session(SessionOptions(cast("Precision", precision))) as model:
            yield model


def full_model(key: str, precision: str, device: torch.device) -> EmbeddedModel:
    """Return a model of full size whose random weights are made on the device, so that no file is needed."""
    shapes = full_shapes() if key == "sd1" else shapes_of(key)
    weights = {name: torch.empty(shape, dtype=torch.float16, device="meta") for name, shape in shapes.items()}
    checkpoint = Checkpoint(Path(f"{key}.safetensors"), FAMILIES[key], Header(shapes), weights)
    made = architecture(checkpoint)
    networks = build(checkpoint, made, _DTYPES[precision])
    for network in networks.all:
        positions = {name: one for name, one in network.named_buffers() if one.device.type != "meta"}
        network.to_empty(device=device)
        for name, buffer in network.named_buffers():
            if name in positions:
                buffer.copy_(positions[name])
        for name, weight in network.named_parameters():
            weight.fill_(1.0) if "norm" in name and name.endswith("weight") else weight.normal_(0, 0.02)
    return EmbeddedModel(networks, made, name=key, checkpoint_hash="", autoencoder_hash="")
