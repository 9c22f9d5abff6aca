"""Comparing the numbers of vectors of an embedding, and keeping the first ones."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting


@dataclass(frozen=True)
class VectorsConfig(Settings):
    """Comparing the numbers of vectors of an embedding, and keeping the first ones."""

    name: str = setting("", "Embedding", "The embedding, which a run has trained.", required=True)
    step: str = setting(
        "",
        "Step",
        "Step of a checkpoint of its newest run, or best; empty: the embedding as it is in the embeddings folder.",
    )
    keep: int = setting(
        0,
        "Vectors to keep",
        "Replace the embedding by its first N vectors, and keep the longer one aside; 0 compares the numbers only.",
        minimum=0,
    )
    prompt: str = setting(
        "",
        "Prompt",
        "Prompt of an image with each number of vectors, with [name] for the embedding; empty: no images.",
    )
    log_directory: str = setting(
        "textual_inversion", "Log directory", "Folder of the runs.", required=True, path="folder"
    )
