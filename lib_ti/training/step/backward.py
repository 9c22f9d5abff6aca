"""Forward and backward passes of one micro-batch: from its index to gradients in the leaves."""

from __future__ import annotations

import torch
from torch import Tensor

from lib_ti.host.model import Model
from lib_ti.training.step.batch import Batches, TrainingBatch
from lib_ti.training.step.diffusion import Draw
from lib_ti.training.step.embeddings import TrainableEmbeddings
from lib_ti.training.step.nested_dropout import VectorsInUse, all_vectors
from lib_ti.training.step.objective import Objective


class Backward:
    """Adds the gradients of micro-batches to the leaves.

    Parameters
    ----------
    batches
        Returns the micro-batch of an index.
    in_use
        Says how many of an embedding's vectors the micro-batch of an index uses.
    """

    def __init__(
        self,
        model: Model,
        batches: Batches,
        embeddings: TrainableEmbeddings,
        objective: Objective,
        *,
        in_use: VectorsInUse = all_vectors,
    ) -> None:
        self._model, self._batches, self._objective, self._in_use = model, batches, objective, in_use
        self._live = embeddings.live(embeddings.step)

    def __call__(self, index: int, factor: Tensor, images: int | None) -> tuple[TrainingBatch, Tensor]:
        """Return the micro-batch and its loss, a scalar without gradient.

        Parameters
        ----------
        factor
            By which the gradients are multiplied.
        images
            How many images go through the UNet at once; None for all. The draws, the prompts' padding and the result
            are the same, up to the order of sums.
        """
        model, batch = self._model, self._batches(index)
        draw = self._objective.draw(index, tuple(batch.latents.shape)).to(model.device)
        latents = batch.latents.to(model.device, non_blocking=True)
        weight = None if batch.weight is None else batch.weight.to(model.device, non_blocking=True)
        with torch.enable_grad():
            # An embedding that is really shorter: what is trained is what a prompt gets after the cut, on any host.
            live = [embedding.first(self._in_use(index, embedding.count)) for embedding in self._live]
            conditioning = model.encode_prompts(batch.conditions, live)
            if images is None or images >= len(latents):
                loss = self._objective.loss(model, latents, weight, draw, conditioning)
                (loss * factor).backward()
                return batch, loss.detach()
            detached, pass_on = conditioning.detached()
            losses = []
            for place, part in enumerate(detached.split(images)):
                of_part = slice(place * images, (place + 1) * images)
                weight_of_part = None if weight is None else weight[of_part]
                drawn = Draw(draw.timesteps[of_part], draw.noise[of_part])
                loss = self._objective.loss(model, latents[of_part], weight_of_part, drawn, part)
                loss = loss * (len(drawn.timesteps) / len(latents))  # a mean of the whole is a weighted mean of means
                (loss * factor).backward()
                losses.append(loss.detach())
                del loss  # and with it the graph, before the next part needs its memory
            pass_on()
        return batch, torch.stack(losses).sum()
