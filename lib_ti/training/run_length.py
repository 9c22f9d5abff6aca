"""The step at which a run ends, where its preset has a number of further steps."""

from __future__ import annotations

from dataclasses import replace

from lib_ti.config import PRESETS, TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.training.resume import continued_run


def with_max_steps(config: TrainConfig, embedding: Embedding) -> TrainConfig:
    """Return settings whose Max steps is a step of the embedding.

    For Max steps 0 that is the preset's number of steps after the run's last one, which may be later than the restored
    best one; for a run with this preset that was stopped on the same images, the step at which that was to end.
    """
    if config.max_steps or config.preset not in PRESETS:
        return config
    earlier = continued_run(config, embedding)
    if earlier is None:
        return replace(config, max_steps=embedding.step + PRESETS[config.preset].steps)
    state = earlier[1]
    former = state.identity.settings
    end = int(former.get("max_steps", 0))
    same = all(former.get(name) == getattr(config, name) for name in ("preset", "dataset"))
    if not (same and not state.ended and state.step < end):
        end = state.step + PRESETS[config.preset].steps
    return replace(config, max_steps=end)
