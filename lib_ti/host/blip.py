"""BLIP, which says in a sentence what a picture shows: what it is given, and the model in a local folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError

from lib_ti.errors import BadInput

_PROMPT = "a picture of "
"""The words that BLIP was trained to go on from; they are no part of the caption."""
_BEAMS, _SHORTEST, _LONGEST = 3, 10, 30
"""BLIP's own: ways of going on that are followed at once, and tokens of prompt and caption together."""
_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's training pictures, as all BLIP models have them."""
_MAY_BE_MISSING = ("position_ids", "cls.predictions.decoder.")
"""Weights that are made, or tied to others, when they are not in a file."""


def pixels(images: Sequence[Image.Image], side: int) -> torch.Tensor:
    """RGB pictures of any sizes as BLIP sees them: (B, 3, side, side), squeezed to squares, in CLIP's scale."""
    small = [image.resize((side, side), Image.Resampling.BICUBIC) for image in images]
    levels = torch.from_numpy(np.stack([np.asarray(one, dtype=np.float32) for one in small]))
    return ((levels / 255 - torch.tensor(_MEAN)) / torch.tensor(_STD)).permute(0, 3, 1, 2).contiguous()


class Blip:
    """A captioner; see :class:`lib_ti.host.base.Captioner`."""

    def __init__(self, model: Any, tokenizer: Any, options: str) -> None:
        self._model, self._tokenizer, self._options = model, tokenizer, options

    @property
    def options(self) -> str:
        return self._options

    @torch.no_grad()
    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        model = self._model
        seen = pixels(images, model.config.vision_config.image_size).to(model.device, model.dtype)
        prompts = self._tokenizer([_PROMPT] * len(images), return_tensors="pt").input_ids.to(model.device)
        said = model.generate(
            seen, input_ids=prompts, num_beams=_BEAMS, min_length=_SHORTEST, max_length=_LONGEST, do_sample=False
        )
        begin = prompts.shape[1] - 1  # BLIP takes the prompt without its end token
        return [text.strip() for text in self._tokenizer.batch_decode(said[:, begin:], skip_special_tokens=True)]


def load(folder: Path, device: torch.device) -> Blip:
    """Read the model that ``transformers`` saved in a folder; in half precision on a graphics card.

    Raises
    ------
    BadInput
        When the files are damaged, or of another model.
    """
    from transformers import BertTokenizerFast, BlipForConditionalGeneration

    try:
        model, found = BlipForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The captioner's model in {folder} is damaged, or none of BLIP ({reason}).") from error
    missing = [name for name in found["missing_keys"] if not any(part in name for part in _MAY_BE_MISSING)]
    if missing:
        raise BadInput(
            f"The captioner's model in {folder} is none of BLIP, or not whole: {len(missing)} of its weights are "
            f"missing, such as {missing[0]}."
        )
    model.eval().requires_grad_(False).to(device, torch.float16 if device.type == "cuda" else torch.float32)
    size = (folder / "model.safetensors").stat().st_size
    return Blip(model, tokenizer, f"BLIP of {size} bytes, {_BEAMS} beams, {_SHORTEST} to {_LONGEST} tokens")
