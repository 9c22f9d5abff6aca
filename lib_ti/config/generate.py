"""Pictures to draw."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import MODEL_SIZE, Settings, setting


@dataclass(frozen=True)
class GenerateConfig(Settings):
    """Pictures to draw."""

    prompt: str = setting("", "Prompt", "What to draw; write an embedding's name to use it.", required=True)
    negative: str = setting("", "Negative prompt", "What not to draw.")
    steps: int = setting(20, "Sampling steps", "Steps of the sampler.", minimum=1, maximum=150)
    sampler: str = setting("Euler a", "Sampling method", "Euler a, Euler, DPM++ 2M or DDIM.")
    scheduler: str = setting("Automatic", "Schedule type", "Automatic or Karras.")
    cfg: float = setting(7.0, "CFG scale", "How strictly the prompt is followed.", minimum=1, maximum=30)
    seed: int = setting(-1, "Seed", "-1 draws one.", minimum=-1, maximum=2**32 - 1)
    width: int = setting(MODEL_SIZE, "Width", "0 is the model's own size.", minimum=0, maximum=2048, multiple=8)
    height: int = setting(MODEL_SIZE, "Height", "0 is the model's own size.", minimum=0, maximum=2048, multiple=8)
    count: int = setting(1, "Pictures", "How many; each has the next seed.", minimum=1, maximum=1000)
    output: str = setting("generated", "Output folder", "Where the pictures go.", required=True, path=True)
