"""The captioners that the WebUI and its forks have of their own: BLIP for a sentence and deepbooru for tags.

The WebUI's ``interrogate`` is not used: it begins a job of its own, which forgets that the user pressed Interrupt,
loads a second model, and moves both for each image.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from modules import deepbooru as webui_deepbooru
from modules import interrogate, paths, shared
from PIL import Image

from lib_ti.errors import BadInput
from lib_ti.host.blip_input import pixels
from lib_ti.host.tools import Captioner, Report

BLIP, DEEPBOORU = "BLIP", "deepbooru"
NAMES = (BLIP, DEEPBOORU)
_BLIP_FILE = Path("BLIP") / "model_base_caption_capfilt_large.pth"
_DEEPBOORU_FILE = Path("torch_deepdanbooru") / "model-resnet_custom_v3.pt"
_TAG_SETTINGS = (
    "interrogate_deepbooru_score_threshold",
    "deepbooru_sort_alpha",
    "deepbooru_use_spaces",
    "deepbooru_filter_tags",
)


def load_blip(report: Report) -> Any:
    """Load BLIP's model, in float32 on the CPU.

    Raises
    ------
    BadInput
        When it is neither there nor can be downloaded.
    """
    _announce(BLIP, _BLIP_FILE, report)
    return _loaded(BLIP, _BLIP_FILE, shared.interrogator.load_blip_model)


@contextmanager
def deepbooru(report: Report) -> Iterator[Captioner]:
    """Load deepbooru with the options of Settings, Interrogate."""
    tagger = webui_deepbooru.model
    if tagger.model is not None and not tagger.model.tags:
        tagger.model = None  # with random weights, left by the WebUI after a failure to load it
    try:
        if tagger.model is None:
            _announce(DEEPBOORU, _DEEPBOORU_FILE, report)
        try:
            _loaded(DEEPBOORU, _DEEPBOORU_FILE, tagger.start)
        except BadInput:
            tagger.model = None
            raise
        yield _Deepbooru(tagger)
    finally:
        if tagger.model is not None:
            tagger.stop()


class Blip:
    """Captions several images at once, as the WebUI's ``generate_caption`` does one, by its settings."""

    def __init__(self, model: Any) -> None:
        self._model = model
        options = shared.opts
        self._beams = int(options.interrogate_clip_num_beams)
        self._lengths = {
            "min_length": int(options.interrogate_clip_min_length),
            "max_length": int(options.interrogate_clip_max_length),
        }

    @property
    def options(self) -> str:
        return f"{BLIP} of the WebUI, {self._beams} beams, {self._lengths}"

    @torch.no_grad()
    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        model, decoder = self._model, self._model.text_decoder
        weight = next(model.parameters())
        seen = pixels(images, interrogate.blip_image_eval_size).to(weight.device, weight.dtype)
        features = model.visual_encoder(seen)
        prompts = model.tokenizer([model.prompt] * len(images), return_tensors="pt").input_ids[:, :-1]
        prompts[:, 0] = model.tokenizer.bos_token_id
        # BLIP's own generate() repeats the images for several beams, as transformers does by now: both fail.
        generated = decoder.generate(
            input_ids=prompts.to(weight.device),
            num_beams=self._beams,
            **self._lengths,
            do_sample=False,
            eos_token_id=model.tokenizer.sep_token_id,
            pad_token_id=model.tokenizer.pad_token_id,
            encoder_hidden_states=features,
            encoder_attention_mask=torch.ones(features.shape[:-1], dtype=torch.long, device=weight.device),
        )
        texts = model.tokenizer.batch_decode(generated, skip_special_tokens=True)
        return [text[len(model.prompt) :].strip() for text in texts]


class _Deepbooru:
    def __init__(self, tagger: Any) -> None:
        self._tagger = tagger

    @property
    def options(self) -> str:
        return f"{DEEPBOORU} of the WebUI, {[getattr(shared.opts, name) for name in _TAG_SETTINGS]}"

    def caption(self, images: Sequence[Image.Image]) -> list[str]:
        tags = [self._tagger.tag_multi(image, force_disable_ranks=True) for image in images]
        # Captions are plain text, in which brackets need no escaping.
        return [re.sub(r"\\([\\()])", r"\1", one) for one in tags] if shared.opts.deepbooru_escape else tags


def _announce(name: str, file: Path, report: Report) -> None:
    there = (Path(paths.models_path) / file).exists()
    report(f"Loading the captioner {name}{'' if there else '; the WebUI downloads its model first, about 1 GB'}.")


def _loaded(name: str, file: Path, load: Any) -> Any:
    try:
        return load()
    except Exception as error:  # the WebUI raises any error after a failed download or on a damaged file
        path = Path(paths.models_path) / file
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if not path.exists():
            raise BadInput(
                f"The captioner {name} has no model, and the WebUI could not download it: put {path.name} into "
                f"{path.parent}, or use another captioner."
            ) from error
        if isinstance(error, OSError) and "huggingface.co" in str(error):
            raise BadInput(
                f"The captioner {name} needs the tokenizer bert-base-uncased besides {path.name}, and the WebUI could "
                "not download it from huggingface.co: connect this machine for the first time, or take another "
                "captioner."
            ) from error
        raise BadInput(
            f"The captioner {name} cannot be loaded from {path} ({cause}); if the file is damaged, remove it, "
            "and the WebUI downloads it again."
        ) from error
