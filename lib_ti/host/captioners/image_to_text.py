"""Image-to-text models in the format of ``transformers``: vision-encoder-decoder, BLIP, GIT and the like.

Weights are read by our own code, which runs none of a file's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import (
    MODEL_FOR_VISION_2_SEQ_MAPPING,
    AutoConfig,
    AutoImageProcessor,
    AutoTokenizer,
    GenerationConfig,
)

from lib_ti.embedding.formats.tensor_files import load_tensors
from lib_ti.errors import BadInput

_BEAMS, _LONGEST = 3, 50
"""Beams of the search, and the most tokens of a caption."""
_SAFE, _SHARDED, _PICKLED = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"
_NEEDED = (
    ("config.json",),
    ("preprocessor_config.json",),
    (_SAFE, _SHARDED, _PICKLED),
    ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model"),
)
"""Files of a captioner's folder; of several, one is enough."""


class ImageToText:
    """A captioner; see :class:`lib_ti.host.tools.Captioner`."""

    def __init__(self, model: Any, image_processor: Any, tokenizer: Any, options: str) -> None:
        self._model, self._image_processor, self._tokenizer, self._options = model, image_processor, tokenizer, options

    @property
    def options(self) -> str:
        return self._options

    @torch.no_grad()
    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        model = self._model
        seen = self._image_processor(images=list(images), return_tensors="pt")
        inputs = {
            name: value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)
            for name, value in seen.items()
        }
        tokens = model.generate(**inputs, num_beams=_BEAMS, max_new_tokens=_LONGEST, do_sample=False)
        return [text.strip() for text in self._tokenizer.batch_decode(tokens, skip_special_tokens=True)]


def load(folder: Path, device: torch.device) -> ImageToText:
    """Load the model of a folder; in half precision on a GPU.

    Raises
    ------
    BadInput
        When a file is missing or damaged, or the model is none that ``transformers`` loads as image-to-text.
    """
    missing = [" or ".join(files) for files in _NEEDED if not any((folder / file).is_file() for file in files)]
    if missing:
        raise BadInput(
            f"The captioner in {folder.absolute()} lacks {', and '.join(missing)}: put all files of an image-to-text "
            "model of transformers there, or model.onnx and selected_tags.csv of a WD tagger."
        )
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model, found = _model(folder, config)
        image_processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        # Damaged files make the code of transformers stumble in all of these ways.
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(f"The captioner in {folder} is damaged, or cannot be loaded here ({reason}).") from error
    lacking = _lacking(model, found["missing_keys"])
    if lacking:
        raise BadInput(
            f"The captioner in {folder} is incomplete, or its config.json belongs to another model: {len(lacking)} of "
            f"its weights are missing, such as {lacking[0]}."
        )
    model.eval().requires_grad_(False).to(device, torch.float16 if device.type == "cuda" else torch.float32)
    size = sum(parameter.numel() for parameter in model.parameters())
    options = f"{folder.name}, {config.model_type} of {size} weights, {_BEAMS} beams, up to {_LONGEST} tokens"
    return ImageToText(model, image_processor, tokenizer, options)


def _model(folder: Path, config: Any) -> tuple[Any, dict[str, Any]]:
    if type(config) not in MODEL_FOR_VISION_2_SEQ_MAPPING:
        raise BadInput(
            f"The model in {folder} is of the type {config.model_type}, which is not image-to-text; use BLIP, GIT or a "
            "vision-encoder-decoder."
        )
    model_class = MODEL_FOR_VISION_2_SEQ_MAPPING[type(config)]
    model, found = model_class.from_pretrained(
        None, config=config, state_dict=_weights(folder), output_loading_info=True
    )
    if (folder / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(folder, local_files_only=True)
    return model, found


def _lacking(model: torch.nn.Module, missing: Sequence[str]) -> list[str]:
    """Return missing weights that are neither computed, as buffers are, nor the same tensor as one that is there."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    there = {parameter.data_ptr() for name, parameter in parameters.items() if name not in missing}
    return [name for name in missing if name in parameters and parameters[name].data_ptr() not in there]


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    if (folder / _SAFE).is_file():
        return load_file(folder / _SAFE)
    if not (folder / _SHARDED).is_file():
        found = load_tensors(folder / _PICKLED)
        if not isinstance(found, dict):
            raise BadInput(f"{folder / _PICKLED} holds no table of weights; download it again.")
        return found
    files = sorted(set(json.loads((folder / _SHARDED).read_text(encoding="utf-8"))["weight_map"].values()))
    missing = [file for file in files if not (folder / Path(file).name).is_file()]
    if missing:
        raise BadInput(f"The captioner in {folder.absolute()} lacks {', '.join(missing)}, which {_SHARDED} names.")
    weights: dict[str, torch.Tensor] = {}
    for file in files:
        weights.update(load_file(folder / Path(file).name))
    return weights
