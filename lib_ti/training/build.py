"""A trainer from the settings of a run."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from lib_ti.config import TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.model import Model
from lib_ti.schedule import LearningRateSchedule, parse_learning_rates
from lib_ti.training.memory.sets import MemorySet, MemorySets
from lib_ti.training.step.backward import Backward
from lib_ti.training.step.batch import Batches
from lib_ti.training.step.embeddings import TrainableEmbeddings
from lib_ti.training.step.limits import Limits
from lib_ti.training.step.nested_dropout import NestedDropout, all_vectors
from lib_ti.training.step.norms import norms_of, target_norms
from lib_ti.training.step.objective import DenoisingObjective
from lib_ti.training.step.optimizers import build_optimizer
from lib_ti.training.trainer import Trainer


def build_trainer(
    model: Model,
    config: TrainConfig,
    batches: Batches,
    embedding: Embedding,
    *,
    first_step: int,
    memory: MemorySet | None = None,
    initial_norms: Mapping[str, Tensor] | None = None,
) -> Trainer:
    """Return a trainer of one embedding.

    Parameters
    ----------
    first_step
        Steps that were finished when the run began, for warm-up and decay; ``embedding.step`` of a fresh run.
    memory
        The set to begin with; None for the fastest that the settings allow.
    initial_norms
        (count,) by encoder: norms of the vectors that the embedding's training started from; None for the present ones.
    """
    embeddings = TrainableEmbeddings([embedding], model.device)
    norms = target_norms(initial_norms or norms_of(embedding.vectors), model.info)
    return Trainer(
        model,
        embeddings,
        backward=Backward(
            model,
            batches,
            embeddings,
            DenoisingObjective(config.seed),
            in_use=NestedDropout(config.seed) if config.nested_dropout else all_vectors,
            normalize=config.normalize_gradients,
        ),
        optimizer=build_optimizer(
            embeddings.named,
            norms,
            vector_norm=config.vector_norm,
            weight_decay=config.weight_decay,
            scales=model.info.encoder_scales if config.scale_per_encoder else {},
        ),
        schedule=LearningRateSchedule(
            parse_learning_rates(config.learning_rate, word_rms=model.info.first_word_rms),
            first_step=first_step + 1,
            max_steps=config.max_steps,
            warmup_steps=config.warmup_steps,
            cosine=config.learning_rate_decay == "cosine",
        ),
        limits=Limits(
            max_steps=config.max_steps,
            gradient_accumulation=config.gradient_accumulation,
            clip=config.clip,
            clip_value=config.clip_value,
        ),
        memory=MemorySets(
            config.batch_size,
            config.gradient_checkpointing,
            memory,
            can_offload=model.autoencoder_bytes > 0,
        ),
    )
