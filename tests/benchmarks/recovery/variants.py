"""Ways to train that are compared: settings of a run, and prototypes of what is no setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from lib_ti.config import TrainConfig
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.training.trainer import Trainer
from tests.benchmarks.recovery.monitor import Monitor
from tests.benchmarks.recovery.prototypes import hold_then_cosine, hold_until_takeoff, only_up_blocks

Adaptation = Callable[[Trainer, EmbeddedModel, Monitor], AbstractContextManager[None]]
WEBUI = "webui"
"""The variant that others are compared with."""


def unchanged(trainer: Trainer, model: EmbeddedModel, monitor: Monitor) -> AbstractContextManager[None]:
    """Leave the trainer as the settings make it."""
    return nullcontext()


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Parameters
    ----------
    about
        A line of the table.
    settings
        Of :class:`lib_ti.config.TrainConfig`, those that differ from its defaults.
    vectors
        Of the embedding.
    adapt
        Changes the trainer that the settings make: for what is no setting.
    samples
        Whether ``adapt`` needs the losses of single samples.
    """

    name: str
    about: str
    settings: Mapping[str, object]
    vectors: int = 4
    adapt: Adaptation = unchanged
    samples: bool = False

    def config(self, seed: int, steps: int | None = None) -> TrainConfig:
        """Return the settings of a run; ``steps`` replaces the number of steps."""
        values = dict(self.settings)
        if steps:
            values["max_steps"] = steps
        return TrainConfig(seed=seed, **values)  # type: ignore[arg-type]


def _fixed(rate: str, steps: int = 100, batch: int = 4, **more: object) -> dict[str, object]:
    return {
        "learning_rate": rate, "max_steps": steps, "batch_size": batch, "vector_norm": "fixed",
        "learning_rate_decay": "cosine", **more,
    }  # fmt: skip


VARIANTS = {
    one.name: one
    for one in (
        Variant(
            WEBUI,
            "as the WebUI does: batch 1, constant learning rate, free norm",
            {"learning_rate": "0.05", "max_steps": 400, "batch_size": 1},
        ),
        Variant(
            "webui 1000",
            "the same for 1,000 steps",
            {"learning_rate": "0.05", "max_steps": 1000, "batch_size": 1},
        ),
        Variant("free .05", "batch 4, cosine over 100 steps, free norm, rate .05", _fixed("0.05", vector_norm="free")),
        Variant("free .1", "batch 4, cosine over 100 steps, free norm, rate .1", _fixed("0.1", vector_norm="free")),
        Variant("fixed .05", "batch 4, cosine over 100 steps, fixed norm, rate .05", _fixed("0.05")),
        Variant("fixed .1", "batch 4, cosine over 100 steps, fixed norm, rate .1", _fixed("0.1")),
        Variant("fixed .1 up", "the same, backward through the up blocks only", _fixed("0.1"), adapt=only_up_blocks),
        Variant(
            "fixed .1 hold 50",
            "fixed norm, rate .1 held for 50 steps, then a cosine over 50",
            _fixed("0.1"),
            adapt=hold_then_cosine(50, 50),
        ),
        Variant(
            "fixed .1 take-off 40",
            "fixed norm, rate .1 held until learning takes off, then a cosine over 40 steps; at most 140",
            _fixed("0.1", 140),
            adapt=hold_until_takeoff(40),
            samples=True,
        ),
        Variant("fixed .07 b8", "batch 8, cosine over 60 steps, fixed norm, rate .07", _fixed("0.07", 60, 8)),
    )
}
