"""The loss scale of float16 training, without waiting for the device."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

INITIAL_SCALE = 2.0**16
GROWTH_INTERVAL = 2000


class LossScale:
    """The factor that keeps small float16 gradients from vanishing (Micikevicius et al. 2018), or 1 where not needed.

    Halved when a gradient overflows, doubled after 2000 consecutive finite steps as by ``torch.cuda.amp.GradScaler``,
    but without reading a value back.
    """

    def __init__(self, *, enabled: bool, device: torch.device) -> None:
        self.enabled = enabled
        self.value = torch.tensor(INITIAL_SCALE if enabled else 1.0, device=device)
        self._good = torch.zeros((), device=device)

    def update(self, finite: Tensor) -> None:
        if not self.enabled:
            return
        good = torch.where(finite, self._good + 1, torch.zeros_like(self._good))
        grown = good >= GROWTH_INTERVAL
        scale = torch.where(finite, self.value, self.value * 0.5)
        self.value = torch.where(grown, scale * 2, scale)
        self._good = torch.where(grown, torch.zeros_like(good), good)

    def state(self) -> dict[str, Tensor]:
        """Return scale and counter; empty without scaling, so that a run resumed in float16 finds its own scale."""
        return {"scale": self.value, "good": self._good} if self.enabled else {}

    def load(self, state: Mapping[str, Tensor]) -> None:
        if self.enabled and state:
            self.value, self._good = state["scale"].to(self.value), state["good"].to(self._good)
