"""Captions written by a model."""

from __future__ import annotations

from dataclasses import dataclass

from lib_ti.config.setting import Settings, setting


@dataclass(frozen=True)
class CaptionConfig(Settings):
    """Captions written by a model."""

    captioner: str = setting(
        "", "Captioner", "Model that writes the captions; empty: the first that is available, usually BLIP."
    )
    existing: str = setting(
        "keep",
        "Existing captions",
        "keep: images that have a caption file are skipped; ignore: it is replaced; prepend: the existing caption goes "
        "before the new one; append: it goes after it. Replaced captions are kept in .captions-before.",
        choices=("keep", "ignore", "prepend", "append"),
    )
    prefix: str = setting("", "Prefix", "Written before each new caption, such as “a portrait,” or “photo of”.")
    suffix: str = setting("", "Suffix", "Written after each new caption, such as “, side light”.")
    blacklist: str = setting(
        "",
        "Words to remove",
        "Comma-separated words and tags to remove from generated captions, such as the name of the style.",
    )
    batch_size: int = setting(
        8, "Batch size", "Images that are captioned at once; more need more memory.", minimum=1, maximum=64
    )
    tag_threshold: float = setting(
        0.35,
        "Tag threshold",
        "Least confidence of the tags that a WD tagger writes, the most confident first; lower: more tags, "
        "and more wrong ones.",
        minimum=0,
        maximum=1,
    )
    character_threshold: float = setting(
        0.85,
        "Character tag threshold",
        "Least confidence of a WD tagger's tags that name characters; 1: none of them.",
        minimum=0,
        maximum=1,
    )
    tag_spaces: bool = setting(True, "Spaces in tags", "A WD tagger's tags have spaces instead of underscores.")
