"""All families, and which of them an embedding belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lib_ti.families.family import EmbeddingLayout, Family, TextEncoderSpec, single_layout
from lib_ti.families.sd1 import SD1
from lib_ti.families.sd2 import SD2
from lib_ti.families.sdxl import SDXL

FAMILIES: Mapping[str, Family] = {family.key: family for family in (SD1, SD2, SDXL)}
"""By key; of encoders of one width in several families, the first family's counts."""

EMBEDDING_KEYS = frozenset(
    {"string_to_param", *(name for family in FAMILIES.values() for name in family.layout.tensors.values())}
)
"""Names at the top of the embedding files that we write."""
_UNKNOWN_ENCODER = SD1.encoders[0].key


def family_of_widths(widths: Mapping[str, int]) -> Family | None:
    """Return the family whose released models have encoders of these widths."""
    return next((family for family in FAMILIES.values() if family.widths == dict(widths)), None)


def encoders_of_width(width: int) -> tuple[tuple[str, int], ...]:
    """Return which encoders vectors of this width are for, as (key, width).

    A width that is the sum of a family's encoders is theirs side by side, as the WebUI's "Create embedding" writes
    SDXL's. A width that no family has is that of a small model like Stable Diffusion 1.
    """
    for family in FAMILIES.values():
        if sum(family.widths.values()) == width:
            return tuple(family.widths.items())
    known = (encoder for family in FAMILIES.values() for encoder in family.encoders if encoder.width == width)
    return ((next((encoder.key for encoder in known), _UNKNOWN_ENCODER), width),)


def key_of(family: Family, encoder: TextEncoderSpec, width: int) -> str:
    """Return the key of an encoder's vectors in a model whose encoder has this width.

    Files with vectors for one encoder do not name it, and their width shows it only where it is that of a released
    model. Of small models with one encoder, it is therefore the one that their width is taken for.
    """
    return encoder.key if len(family.encoders) > 1 else encoders_of_width(width)[0][0]


def layout_of(encoders: Iterable[str]) -> EmbeddingLayout:
    """Return the file layout of an embedding with vectors for these encoders, one for each encoder if none fits."""
    keys = set(encoders)
    for family in FAMILIES.values():
        if family.layout.tensors.keys() == keys:
            return family.layout
    if len(keys) == 1:
        return single_layout(keys.pop())
    return EmbeddingLayout(tensors={key: key for key in keys}, string_to_param=False)
