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

    def detached(self, length: torch.Tensor | None = None) -> tuple[TextConditioning, Callable[[], None]]:
        leaves = {
            key: (source, source.detach().requires_grad_(True))
            for key, source in (("crossattn", self.crossattn), ("pooled", self.pooled))
            if source is not None and source.requires_grad
        }

        def pass_on() -> None:
            reached = [(source, leaf.grad) for source, leaf in leaves.values() if leaf.grad is not None]
            gradients = [gradient for _, gradient in reached]
            if length is not None and gradients:
                gradients = _of_length(length, gradients)
            torch.autograd.backward([source for source, _ in reached], gradients)

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


def _of_length(length: torch.Tensor, gradients: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return gradients (B, …) scaled so that each prompt's, all of them together, has the norm ``length``.

    Zeros stay zeros; what is not finite stays so.
    """
    tiny = torch.finfo(torch.float32).tiny
    # In units of its largest value first: squares of small gradients vanish in float32.
    largest = torch.stack([one.flatten(1).abs().amax(dim=1) for one in gradients]).amax(dim=0).clamp(min=tiny)
    scaled = [one / _like(largest, one) for one in gradients]
    norm = torch.stack([one.flatten(1).square().sum(dim=1) for one in scaled]).sum(dim=0).sqrt().clamp(min=tiny)
    return [one * _like(length / norm, one) for one in scaled]


def _like(of_prompts: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return of_prompts.view(-1, *[1] * (gradient.dim() - 1))
