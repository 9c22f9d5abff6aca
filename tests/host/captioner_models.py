"""Captioners of a few kilobytes, of the shapes of real ones: image-to-text models, and an ONNX tagger."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch
from transformers import (
    BertConfig,
    BertTokenizerFast,
    BlipImageProcessor,
    CLIPImageProcessor,
    GitConfig,
    GitForCausalLM,
    PreTrainedModel,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessor,
)

from tests.small_blip import WORDS, make_blip

_SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "initializer_range": 1.0,
}
_IMAGES = {"image_size": 32, "patch_size": 16}
_TEXTS = {"vocab_size": len(WORDS), "max_position_embeddings": 64}
_TOKENS = {"bos_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}


def make_image_to_text(folder: Path, kind: str) -> None:
    """Write a model of random weights: ``blip``, ``git`` or ``vision-encoder-decoder``."""
    folder.mkdir(parents=True)
    if kind == "blip":
        make_blip(folder)
        BlipImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            _git(folder) if kind == "git" else _encoder_decoder(folder)
    (folder / "words.txt").write_text("\n".join(WORDS) + "\n")
    BertTokenizerFast(str(folder / "words.txt"), additional_special_tokens=["[DEC]"]).save_pretrained(folder)
    (folder / "words.txt").unlink()


def _git(folder: Path) -> None:
    config = GitConfig(vision_config={**_SIZES, **_IMAGES}, **_SIZES, **_TEXTS, **_TOKENS)
    _save(GitForCausalLM(config), folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)


def _encoder_decoder(folder: Path) -> None:
    decoder = BertConfig(**_SIZES, **_TEXTS, is_decoder=True, add_cross_attention=True)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**_SIZES, **_IMAGES), decoder)
    config.decoder_start_token_id, config.eos_token_id, config.pad_token_id = 2, 3, 0
    _save(VisionEncoderDecoderModel(config), folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)


def _save(model: PreTrainedModel, folder: Path) -> None:
    model.save_pretrained(folder, safe_serialization=True)


def tagger_model(weights: np.ndarray, side: int = 8) -> bytes:
    """An ONNX file: scores (batch, T) of images (batch, side, side, 3), by a linear map (4, T) of their mean colour.

    The last row of the weights is a constant. Written by hand, so that no test needs the package ``onnx``.
    """
    count = weights.shape[1]
    nodes = (
        _node("ReduceMean", ["images"], "mean", _attribute("axes", [1, 2]), _attribute("keepdims", 0)),
        _node("MatMul", ["mean", "weights"], "linear"),
        _node("Add", ["linear", "constant"], "sum"),
        _node("Sigmoid", ["sum"], "scores"),
    )
    graph = b"".join(_bytes(1, node) for node in nodes) + _text(2, "tagger")
    graph += _bytes(5, _tensor("weights", weights[:3])) + _bytes(5, _tensor("constant", weights[3]))
    graph += _bytes(11, _value("images", ["batch", side, side, 3])) + _bytes(12, _value("scores", ["batch", count]))
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _text(1, "") + _number(2, 13))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    names = b"".join(_text(1, name) for name in inputs) + _text(2, output) + _text(4, kind)
    return names + b"".join(_bytes(5, one) for one in attributes)


def _attribute(name: str, value: int | list[int]) -> bytes:
    """Attributes of the types INT (2) and INTS (7)."""
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, 2)
    return _text(1, name) + b"".join(_number(8, one) for one in value) + _number(20, 7)


def _tensor(name: str, values: np.ndarray) -> bytes:
    sizes = b"".join(_number(1, size) for size in values.shape)
    flat = values.astype(np.float32).ravel()
    return sizes + _number(2, 1) + _text(8, name) + _bytes(9, struct.pack(f"<{flat.size}f", *flat))


def _value(name: str, shape: list[int | str]) -> bytes:
    sizes = b"".join(_bytes(1, _number(1, one) if isinstance(one, int) else _text(2, one)) for one in shape)
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, sizes)))
