"""The captioner BLIP from a local folder: one sentence an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from transformers import BertTokenizerFast, BlipForConditionalGeneration

from lib_ti.errors import BadInput
from lib_ti.host.blip_input import pixels

_PROMPT = "a picture of "
"""The prompt that BLIP was trained to continue; it is not part of the caption."""
_BEAMS, _SHORTEST, _LONGEST = 3, 10, 30
"""BLIP's own defaults: beams, and tokens of prompt and caption together."""
_MAY_BE_MISSING = ("position_ids", "cls.predictions.decoder.")
"""Weights that are computed, or tied to others, when a file lacks them."""


class Blip:
    """A captioner; see :class:`lib_ti.host.tools.Captioner`."""

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
        tokens = model.generate(
            seen, input_ids=prompts, num_beams=_BEAMS, min_length=_SHORTEST, max_length=_LONGEST, do_sample=False
        )
        begin = prompts.shape[1] - 1  # BLIP takes the prompt without its end token
        return [text.strip() for text in self._tokenizer.batch_decode(tokens[:, begin:], skip_special_tokens=True)]


def load(folder: Path, device: torch.device) -> Blip:
    """Load the model that ``transformers`` saved in a folder; in half precision on a GPU.

    Raises
    ------
    BadInput
        When the files are damaged, or of another model.
    """
    try:
        model, found = BlipForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The captioner's model in {folder} is damaged, or not BLIP ({reason}).") from error
    missing = [name for name in found["missing_keys"] if not any(part in name for part in _MAY_BE_MISSING)]
    if missing:
        raise BadInput(
            f"The captioner's model in {folder} is not BLIP, or incomplete: {len(missing)} of its weights are "
            f"missing, such as {missing[0]}."
        )
    model.eval().requires_grad_(False).to(device, torch.float16 if device.type == "cuda" else torch.float32)
    size = (folder / "model.safetensors").stat().st_size
    return Blip(model, tokenizer, f"BLIP of {size} bytes, {_BEAMS} beams, {_SHORTEST} to {_LONGEST} tokens")
