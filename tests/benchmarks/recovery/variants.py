"""Ways to train that are compared: settings of a run, and prototypes of what is no setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from lib_ti.config import TrainConfig
from lib_ti.config.presets import PRESETS
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.training.trainer import Trainer
from tests.benchmarks.recovery.monitor import Monitor
from tests.benchmarks.recovery.prototypes import (
    hold_then_cosine,
    hold_until_takeoff,
    only_up_blocks,
    small_start,
    timesteps_from,
)

Adaptation = Callable[[Trainer, EmbeddedModel, Monitor], AbstractContextManager[None]]
RATE = "0.37x"
"""Learning rate of the WebUI's way: 0.005 is as many times the word vectors' RMS of Stable Diffusion 1.5."""
_DIRECTION = {"vector_norm": "direction", "learning_rate": "0.3x"}
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


def _preset(name: str, **more: object) -> dict[str, object]:
    """Return the settings of a preset, with others in their place."""
    return {**PRESETS[name].settings, "max_steps": PRESETS[name].steps, **more}


_SUM = {"batch_size": 4, "normalize_gradients": False, "max_steps": 100}
"""The presets for a style and a subject as they were: images of a step count by the size of their gradients."""
_FORMER = _preset("style", **_SUM, learning_rate="0.74x")
"""Most alternatives were measured before gradients were normalized, and are variants of what the preset was."""
_SUBJECT = _preset("subject", **_SUM)
VARIANTS = {
    one.name: one
    for one in (
        Variant(
            WEBUI,
            "as the WebUI does, for 400 steps: batch 1, constant learning rate, free norm",
            _preset("webui", learning_rate=RATE, max_steps=400),
        ),
        Variant("webui 1000", "the same for 1,000 steps", _preset("webui", learning_rate=RATE, max_steps=1000)),
        Variant(
            "style", "the preset: batch 2, normalized gradients, fixed norm, cosine over 200 steps", _preset("style")
        ),
        Variant("style, former", "batch 4 over 100 steps, not normalized", _preset("style", **_SUM)),
        Variant("style, 100 steps", "a cosine over 100 steps", _preset("style", max_steps=100)),
        Variant("style, 1.5x, normalized", "with a higher learning rate", _preset("style", learning_rate="1.5x")),
        Variant("style, sum", "without normalized gradients", _preset("style", normalize_gradients=False)),
        Variant("style, late", "timesteps from 300 only", _preset("style"), adapt=timesteps_from(300)),
        Variant("style, 4 images", "batch 4 over 100 steps", _preset("style", batch_size=4, max_steps=100)),
        Variant(
            "style, 1 image",
            "batch 1, normalized gradients, at 0.74x over 400 steps",
            _preset("style", batch_size=1, learning_rate="0.74x", max_steps=400),
        ),
        Variant(
            "subject", "the preset: batch 4, normalized gradients, a third of style's learning rate", _preset("subject")
        ),
        Variant("subject, former", "batch 4, without normalized gradients", _SUBJECT),
        Variant("subject, 2 images", "the same with batch 2", _preset("subject", batch_size=2)),
        Variant("quick", "the preset: batch 8, normalized gradients, cosine over 60 steps", _preset("quick")),
        Variant("quick, former", "without normalized gradients", _preset("quick", normalize_gradients=False)),
        Variant("style, 0.74x", "style, former, with a lower learning rate", _FORMER),
        Variant(
            "style, 1.5x", "style, former, with a higher learning rate", _preset("style", **_SUM, learning_rate="1.5x")
        ),
        Variant("style, free", "at 0.74x, free norms", {**_FORMER, "vector_norm": "free"}),
        Variant("subject, free", "subject, former, with free norms", {**_SUBJECT, "vector_norm": "free"}),
        Variant("style, direction", "Directional Textual Inversion, 0.3 rad", {**_FORMER, **_DIRECTION}),
        Variant("style, constant", "at 0.74x, without decay", {**_FORMER, "learning_rate_decay": "constant"}),
        Variant("style, batch 2", "at 0.74x, batch 2, 200 steps", {**_FORMER, "batch_size": 2, "max_steps": 200}),
        Variant("style, batch 1", "at 0.74x, batch 1, 400 steps", {**_FORMER, "batch_size": 1, "max_steps": 400}),
        Variant(
            "subject, batch 1",
            "subject, former, with batch 1, 400 steps",
            {**_SUBJECT, "batch_size": 1, "max_steps": 400},
        ),
        Variant("webui, double", "double the learning rate", _preset("webui", learning_rate="0.74x", max_steps=400)),
        Variant("style, 8 vectors", "at 0.74x, 8 vectors", _FORMER, vectors=8),
        Variant(
            "style, small start",
            "at 0.74x, from a quarter of the initial norms, which then are the limit",
            _FORMER,
            adapt=small_start(0.25),
        ),
        Variant(
            "subject, small start",
            "subject, former, from a quarter of the initial norms, which then are the limit",
            _SUBJECT,
            adapt=small_start(0.25),
        ),
        Variant(
            "subject, tiny start",
            "subject, former, from a twentieth of the initial norms, which then are the limit",
            _SUBJECT,
            adapt=small_start(0.05),
        ),
        Variant("style, up blocks", "at 0.74x, backward in up blocks only", _FORMER, adapt=only_up_blocks),
        Variant("style, hold", "at 0.74x, held 50 steps, then cosine", _FORMER, adapt=hold_then_cosine(50, 50)),
        Variant(
            "style, take-off",
            "at 0.74x, held until learning takes off, then a cosine over 40 steps; at most 140",
            {**_FORMER, "max_steps": 140},
            adapt=hold_until_takeoff(40),
            samples=True,
        ),
    )
}
MAIN = (WEBUI, "style", "subject", "quick")
