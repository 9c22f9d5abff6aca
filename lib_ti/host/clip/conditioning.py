"""Encoded prompts, the same for all hosts; opaque to everyone else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from lib_ti.host.clip.network import to_device
from lib_ti.host.model import Conditioning, Framing


@dataclass(frozen=True)
class TextConditioning(Conditioning):
    """Inputs of the UNet besides latents and timesteps.

    Parameters
    ----------
    crossattn
        (B, 77·k, width) float32: hidden states of k contexts, those of several encoders side by side.
    pooled
        (B, projected) float32: the prompts' pooled vectors, where the family has them.
    sizes
        (B, 6) float32, see :func:`sizes_of`, where the family is conditioned on them.
    """

    crossattn: torch.Tensor
    pooled: torch.Tensor | None = None
    sizes: torch.Tensor | None = None

    def split(self, count: int) -> list[TextConditioning]:
        crossattn = self.crossattn.split(count)
        pooled, sizes = (
            [None] * len(crossattn) if one is None else one.split(count) for one in (self.pooled, self.sizes)
        )
        return [TextConditioning(*parts) for parts in zip(crossattn, pooled, sizes, strict=True)]

    def detached(self) -> tuple[TextConditioning, Callable[[], None]]:
        leaves = {
            key: (source, source.detach().requires_grad_(True))
            for key, source in (("crossattn", self.crossattn), ("pooled", self.pooled))
            if source is not None and source.requires_grad
        }

        def pass_on() -> None:
            reached = [(source, leaf.grad) for source, leaf in leaves.values() if leaf.grad is not None]
            torch.autograd.backward([source for source, _ in reached], [gradient for _, gradient in reached])

        return replace(self, **{key: leaf for key, (_, leaf) in leaves.items()}), pass_on

    def kept_where(self, kept: Sequence[bool]) -> TextConditioning:
        """Return it with the prompts' parts zeros where ``kept``, one for each prompt, is False."""
        factor = to_device(kept, self.crossattn.device)[:, None]
        pooled = None if self.pooled is None else self.pooled * factor
        return replace(self, crossattn=self.crossattn * factor[:, None], pooled=pooled)

    def followed_by(self, other: TextConditioning) -> TextConditioning:
        """Return one batch of both, which have equally many contexts."""
        return TextConditioning(
            torch.cat([self.crossattn, other.crossattn]),
            _joined(self.pooled, other.pooled),
            _joined(self.sizes, other.sizes),
        )


def sizes_of(framings: Sequence[Framing], device: torch.device) -> torch.Tensor:
    """Return (B, 6) float32 pixels: own height and width, top and left of the crop, height and width seen.

    The order is that of SDXL's three conditions, and of ``time_ids`` in diffusers.
    """
    rows = [(*reversed(framing.original), *reversed(framing.crop), *reversed(framing.size)) for framing in framings]
    return to_device(rows, device).float()


def _joined(one: torch.Tensor | None, other: torch.Tensor | None) -> torch.Tensor | None:
    return None if one is None or other is None else torch.cat([one, other])
