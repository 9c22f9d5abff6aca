"""Captions written by a model."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting


@dataclass(frozen=True)
class CaptionConfig(Settings):
    """Captions written by a model."""

    captioner: str = setting("", "Captioner", "Who looks at the pictures; empty: the first that there is, BLIP mostly.")
    existing: str = setting(
        "keep",
        "Existing captions",
        "keep: pictures with a caption that is no file name are left alone; ignore: they get a new one; prepend: the "
        "existing one goes before the new one; append: it goes after it. What is replaced is kept in .captions-before.",
        choices=("keep", "ignore", "prepend", "append"),
    )
    prefix: str = setting("", "Prefix", "Written before each new caption, such as “a portrait,” or “photo of”.")
    suffix: str = setting("", "Suffix", "Written after each new caption, such as “, side light”.")
    blacklist: str = setting(
        "",
        "Words to leave out",
        "Words and tags, parted by commas, that new captions shall not have: those for the style that is learned.",
    )
    batch_size: int = setting(
        8, "Pictures at once", "Pictures that the captioner looks at together.", minimum=1, maximum=64
    )
