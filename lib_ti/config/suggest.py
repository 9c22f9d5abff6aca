"""Words to start an embedding from."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting


@dataclass(frozen=True)
class SuggestConfig(Settings):
    """Words to start an embedding from."""

    dataset: str = setting(
        "", "Dataset directory", "Folder with the images and their captions.", required=True, path="folder"
    )
    subfolders: bool = setting(False, "Include sub-folders", "Use the images of all sub-folders too.")
    template: str = setting(
        "style_filewords",
        "Prompt template",
        "Text file whose lines become prompts: each word is put in the place of [name].",
        required=True,
        path="file",
    )
    words: str = setting(
        "",
        "List of words",
        "Text file of the words to compare, one word or short phrase a line; empty: the included list of about 2,000. "
        "The captions' words are always compared too.",
        path="file",
    )
    seed: int = setting(0, "Seed", "The same images and seed give the same ranking.", minimum=0, maximum=2**32 - 1)
    precision: str = setting(
        "auto",
        "Precision",
        "auto: half precision on a graphics card, float32 on the CPU.",
        choices=("auto", "float32", "float16", "bfloat16"),
    )
    log_directory: str = setting(
        "textual_inversion",
        "Log directory",
        "Folder of the runs, where encoded images are kept for them.",
        required=True,
        path="new folder",
    )
    cache_latents: bool = setting(
        True, "Keep encoded images on disk", "A run on the same images starts without encoding them again."
    )
