"""Images to generate."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import MODEL_SIZE, Settings, setting


@dataclass(frozen=True)
class GenerateConfig(Settings):
    """Images to generate."""

    prompt: str = setting("", "Prompt", "What to generate; write an embedding's name to use it.", required=True)
    negative: str = setting("", "Negative prompt", "What the image should not show.")
    steps: int = setting(20, "Sampling steps", "Steps of the sampler.", minimum=1, maximum=150)
    sampler: str = setting(
        "Euler a",
        "Sampling method",
        "Euler a, Euler, Heun, DPM++ 2M, LCM, DDIM or others of the WebUI.",
    )
    scheduler: str = setting("Automatic", "Schedule type", "Automatic, Uniform, Karras or others of the WebUI.")
    cfg: float = setting(7.0, "CFG scale", "How strictly the image follows the prompt.", minimum=1, maximum=30)
    seed: int = setting(-1, "Seed", "-1 chooses one at random.", minimum=-1, maximum=2**32 - 1)
    width: int = setting(
        MODEL_SIZE, "Width", "In pixels; 0 is the model's own size.", minimum=0, maximum=2048, multiple=8
    )
    height: int = setting(
        MODEL_SIZE, "Height", "In pixels; 0 is the model's own size.", minimum=0, maximum=2048, multiple=8
    )
    count: int = setting(1, "Images", "How many images; each has the next seed.", minimum=1, maximum=1000)
    output: str = setting("generated", "Output folder", "Folder for the images.", required=True, path="new folder")
