"""How far a run goes, and what a single step may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Length of a run, size of its steps, and when it gives up."""

    max_steps: int
    """Step of the embedding at which the run ends."""
    gradient_accumulation: int = 1
    """Micro-batches accumulated per optimizer step."""
    clip: str = "disabled"
    """How gradients are clipped: ``"norm"``, ``"value"`` or ``"disabled"``."""
    clip_value: float = 1.0
    """Largest norm or value."""
    bad_steps: int = 10
    """Consecutive steps with a NaN or infinite result after which the run ends."""
    bad_steps_scaled: int = 30
    """The same under loss scaling, which needs up to 16 overflows to find its scale."""
