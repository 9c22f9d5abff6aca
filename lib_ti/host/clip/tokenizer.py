"""CLIP's byte-pair tokenizer, made from its vocabulary files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE

_VOCABULARY = Path(__file__).with_name("vocabulary")
# CLIP first cleans texts with the package ftfy; these are its changes to ordinary captions.
_STRAIGHT = {
    **dict.fromkeys([0x02BC, *range(0x2018, 0x201C)], "'"),
    **dict.fromkeys(range(0x201C, 0x2020), '"'),
    0x3000: " ",  # and other full-width forms of ASCII
    **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
    **{0xFB00 + index: letters for index, letters in enumerate(("ff", "fi", "fl", "ffi", "ffl"))},
}
# CLIP's own pattern of what a word is (openai/CLIP, simple_tokenizer): letters, a single digit, or other signs.
_WORD = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


@lru_cache(maxsize=8192)
def tokenize(text: str) -> tuple[int, ...]:
    """Return CLIP's tokens of a text, without start and end; case and the amount of space do not matter."""
    return tuple(_tokenizer().encode(text.translate(_STRAIGHT), add_special_tokens=False).ids)


def token_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return the first and last-plus-one letter of each token of a text.

    Several tokens may share one letter, as those of an emoji do.
    """
    origins = [place for place, letter in enumerate(text) for _ in letter.translate(_STRAIGHT)]
    found = _tokenizer().encode(text.translate(_STRAIGHT), add_special_tokens=False).offsets
    return tuple((origins[first], origins[max(first, after - 1)] + 1) for first, after in found)


@lru_cache(maxsize=1)
def vocabulary() -> Mapping[str, int]:
    """Return CLIP's byte pairs and their tokens; a pair at the end of a word ends in ``</w>``."""
    return MappingProxyType(_tokenizer().get_vocab())


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    """Build the tokenizer.

    ``transformers``' own ``CLIPTokenizer`` is not used: without the package ``ftfy`` it cuts words at apostrophes
    and drops accents in some versions and not in others, and training needs the same tokens everywhere.
    """
    tokenizer = Tokenizer(
        BPE.from_file(
            str(_VOCABULARY / "vocab.json"),
            str(_VOCABULARY / "merges.txt"),
            continuing_subword_prefix="",
            end_of_word_suffix="</w>",
            unk_token="<|endoftext|>",
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer
