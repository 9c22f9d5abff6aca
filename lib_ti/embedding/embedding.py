"""The embedding: some vectors in the input space of a model's text encoders, under a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lib_ti.errors import BadInput
from lib_ti.wording import quoted

if TYPE_CHECKING:
    import torch

FAMILY_BY_WIDTHS = {
    (("clip_l", 768),): "sd1",
    (("clip_h", 1024),): "sd2",
    (("clip_g", 1280), ("clip_l", 768)): "sdxl",
}


@dataclass(frozen=True)
class Embedding:
    """Vectors by text encoder, and where they come from.

    Parameters
    ----------
    name
        The word that stands for it in prompts.
    vectors
        By encoder, each (count, width) float32 with the same count: ``{"clip_l": (8, 768)}`` for SD1, ``"clip_h"`` for
        SD2, ``"clip_l"`` and ``"clip_g"`` for SDXL. During training these are the leaf tensors being optimised.
    step
        Finished training steps; 0 for a fresh one.
    model_name, model_hash
        The checkpoint it was trained on, empty where unknown. The hash is the WebUI's ten digits.
    recipe
        How it was made, as plain data that goes into file metadata: run, settings, initialization text.
    """

    name: str
    vectors: Mapping[str, torch.Tensor]
    step: int = 0
    model_name: str = ""
    model_hash: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {tuple(tensor.shape[:1]) for tensor in self.vectors.values() if tensor.ndim == 2}
        if not self.vectors or len(counts) != 1 or any(t.ndim != 2 or not t.numel() for t in self.vectors.values()):
            shapes = {key: tuple(tensor.shape) for key, tensor in self.vectors.items()}
            raise BadInput(
                f"Embedding {quoted(self.name)} needs equally many vectors for each encoder, and has {shapes}."
            )

    @property
    def count(self) -> int:
        """Number of vectors per token."""
        return next(iter(self.vectors.values())).shape[0]

    @property
    def widths(self) -> dict[str, int]:
        return {key: tensor.shape[1] for key, tensor in self.vectors.items()}

    @property
    def family(self) -> str:
        """``"sd1"``, ``"sd2"``, ``"sdxl"``, or ``"unknown"`` for other widths."""
        return FAMILY_BY_WIDTHS.get(tuple(sorted(self.widths.items())), "unknown")

    def with_vectors(self, vectors: Mapping[str, torch.Tensor], *, step: int) -> Embedding:
        return replace(self, vectors=dict(vectors), step=step)

    def snapshot(self) -> Embedding:
        """A copy whose vectors are detached float32 tensors on the CPU, safe to keep and to save."""
        return replace(self, vectors={k: t.detach().float().cpu().clone() for k, t in self.vectors.items()})
