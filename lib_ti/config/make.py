"""A keyword made from a folder of images in one go."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting
from lib_ti.config.train import TrainConfig


@dataclass(frozen=True)
class MakeConfig(Settings):
    """A keyword made from a folder of images in one go."""

    images: str = setting(
        "",
        "Folder with your images",
        "It is only read; captions beside the images are used.",
        required=True,
        path="folder",
    )
    keyword: str = setting("", "Keyword", "The word you will write in prompts, such as my-style.", required=True)
    kind: str = setting(
        "style",
        "The images show",
        "style: how images look, whatever they show; subject: one person, animal or thing.",
        choices=("style", "subject"),
    )
    what: str = setting(
        "",
        "What it is",
        "One or two words that come close, such as “watercolor painting”; empty: found by the model's own loss.",
    )
    output: str = setting(
        "",
        "Prepared folder",
        "Folder for the cropped images; empty: beside the folder with your images, with -prepared at the end.",
        path="new folder",
    )
    max_steps: int = setting(
        0, "Max steps", "The run ends at this step; 0: after as many as the preset has.", minimum=0
    )
    log_directory: str = setting(
        TrainConfig.log_directory,
        "Log directory",
        "Folder for the run: previews, checkpoints, losses.",
        required=True,
        path="new folder",
    )
