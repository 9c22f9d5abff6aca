"""The caches of encoded prompts; three entries each, as the forks have them."""

from typing import ClassVar


class StableDiffusionProcessing:
    cached_c: ClassVar = ["key", "encoded", "more"]
    cached_uc: ClassVar = ["key", "encoded", "more"]


class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    cached_hr_c: ClassVar = ["key", "encoded", "more"]
    cached_hr_uc: ClassVar = ["key", "encoded", "more"]
