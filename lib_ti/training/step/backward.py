"""Forward and backward passes of one micro-batch: from its index to gradients in the leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Conditioning, Model
from lib_ti.training.step.batch import Batches, TrainingBatch
from lib_ti.training.step.diffusion import Draw
from lib_ti.training.step.embeddings import TrainableEmbeddings
from lib_ti.training.step.nested_dropout import VectorsInUse, all_vectors
from lib_ti.training.step.objective import Objective


@dataclass(frozen=True)
class _Images:
    """Latents (B, 4, h, w), loss weights (B, 1, h, w) or None, and draws of some images, on the model's device."""

    latents: Tensor
    weight: Tensor | None
    draw: Draw

    def part(self, of_part: slice) -> _Images:
        weight = None if self.weight is None else self.weight[of_part]
        return _Images(self.latents[of_part], weight, Draw(self.draw.timesteps[of_part], self.draw.noise[of_part]))


class Backward:
    """Adds the gradients of micro-batches to the leaves.

    Parameters
    ----------
    batches
        Returns the micro-batch of an index.
    in_use
        Says how many of an embedding's vectors each image uses. Images with different numbers go through the model one
        after the other.
    normalize
        Whether each image's gradient, at the text encoders' output, is scaled to the same length. Otherwise a few
        images and timesteps with large gradients decide where a step goes: those of small timesteps are about 15
        times as large as those of large ones, and say less about what is learned.
    """

    def __init__(
        self,
        model: Model,
        batches: Batches,
        embeddings: TrainableEmbeddings,
        objective: Objective,
        *,
        in_use: VectorsInUse = all_vectors,
        normalize: bool = False,
    ) -> None:
        self._model, self._batches, self._objective, self._in_use = model, batches, objective, in_use
        self._normalize = normalize
        self._live = embeddings.live(embeddings.step)

    def __call__(self, index: int, factor: Tensor, images: int | None) -> tuple[TrainingBatch, Tensor]:
        """Return the micro-batch and its loss, a scalar without gradient.

        Parameters
        ----------
        factor
            By which the gradients are multiplied, normalized ones too.
        images
            How many images go through the UNet at once; None for all. The draws, the prompts' padding and the result
            are the same, up to the order of sums.
        """
        model, batch = self._model, self._batches(index)
        count = len(batch.latents)
        every = _Images(
            batch.latents.to(model.device, non_blocking=True),
            None if batch.weight is None else batch.weight.to(model.device, non_blocking=True),
            self._objective.draw(index, tuple(batch.latents.shape)).to(model.device),
        )
        losses = []
        with torch.enable_grad():
            for of_group, embeddings in self._groups(index, count):
                conditioning = model.encode_prompts(batch.conditions.part(of_group), embeddings)
                losses += self._add_gradients(every.part(of_group), conditioning, factor, images, count)
        return batch, torch.stack(losses).sum()

    def _groups(self, index: int, images: int) -> Iterator[tuple[slice, Sequence[Embedding]]]:
        """Yield which images go together, and the embeddings for them, with as many vectors as they use.

        These are really shorter, so that what is trained is what a prompt gets after the cut, on any host.
        """
        counts = zip(*(self._in_use(index, images, embedding.count) for embedding in self._live), strict=True)
        first = 0
        for of_group, members in groupby(counts):
            following = first + len(list(members))
            shortened = [embedding.first(count) for embedding, count in zip(self._live, of_group, strict=True)]
            yield slice(first, following), shortened
            first = following

    def _add_gradients(
        self, group: _Images, conditioning: Conditioning, factor: Tensor, images: int | None, count: int
    ) -> list[Tensor]:
        """Add the gradients of images that were encoded together; return the shares of the loss of all ``count``."""
        of_group = len(group.latents)
        if not self._normalize and (images is None or images >= of_group):
            loss = self._loss(group, conditioning, count)
            (loss * factor).backward()
            return [loss.detach()]
        at_once = min(images or of_group, of_group)
        detached, pass_on = conditioning.detached(factor / count if self._normalize else None)
        losses = []
        for place, part in enumerate(detached.split(at_once)):
            loss = self._loss(group.part(slice(place * at_once, (place + 1) * at_once)), part, count)
            (loss * factor).backward()
            losses.append(loss.detach())
            del loss  # and with it the graph, before the next part needs its memory
        pass_on()
        return losses

    def _loss(self, part: _Images, conditioning: Conditioning, count: int) -> Tensor:
        """Return the share of a part in the loss of ``count`` images: a mean is a weighted mean of means."""
        loss = self._objective.loss(self._model, part.latents, part.weight, part.draw, conditioning)
        return loss * (len(part.latents) / count)
