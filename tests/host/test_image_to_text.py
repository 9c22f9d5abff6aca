"""Captioners of models/captioners that transformers loads as image-to-text, in small."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, VisionEncoderDecoderModel, ViTImageProcessor

from lib_ti.errors import BadInput
from lib_ti.host.embedded.tools import CAPTIONER
from tests.host.captioner_models import make_image_to_text
from tests.host.drawn import noise
from tests.host.embedded.sessions import host_of

KINDS = ("blip", "git", "vision-encoder-decoder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's folder with a captioner of each kind, named after it."""
    folder = tmp_path_factory.mktemp("host")
    for kind in KINDS:
        make_image_to_text(folder / "captioners" / kind, kind)
    return folder


def captions(folder: Path, name: str, images: list[Image.Image]) -> list[str]:
    with host_of(folder).tools.captioner(name, lambda _: None) as captioner:
        return captioner.caption(images)


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_captioned_alike_alone_and_together(folder: Path, kind: str) -> None:
    images = [noise(40, 30), noise(64, 200, seed=1), Image.new("RGB", (32, 32), "white")]
    messages: list[str] = []
    with host_of(folder).tools.captioner(kind, messages.append) as captioner:
        together = captioner.caption(images)
        assert together == [captioner.caption([image])[0] for image in images]
        assert kind in captioner.options
    assert len(set(together)) > 1
    assert all("[" not in caption for caption in together)
    assert messages == [f"Loading the captioner {kind} from {folder / 'captioners' / kind}."]


def test_captions_are_those_of_transformers(folder: Path) -> None:
    source, image = folder / "captioners" / "vision-encoder-decoder", noise(40, 30)
    model = VisionEncoderDecoderModel.from_pretrained(source)
    seen = ViTImageProcessor.from_pretrained(source)(image, return_tensors="pt").pixel_values
    tokens = model.generate(seen, num_beams=3, max_new_tokens=50)
    expected = AutoTokenizer.from_pretrained(source).batch_decode(tokens, skip_special_tokens=True)
    assert captions(folder, source.name, [image]) == expected


def test_all_folders_are_listed_and_blip_is_first_only_where_it_is(folder: Path, tmp_path: Path) -> None:
    assert host_of(folder).tools.captioners == (*KINDS, CAPTIONER)
    (tmp_path / "captioners" / "BLIP").mkdir(parents=True)
    (tmp_path / "BLIP").mkdir()
    assert host_of(tmp_path).tools.captioners == (CAPTIONER, "captioners/BLIP")


def copied(folder: Path, target: Path, kind: str = "vision-encoder-decoder") -> Path:
    copy = target / "captioners" / kind
    copy.mkdir(parents=True)
    for path in (folder / "captioners" / kind).iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    return copy


def test_pickled_and_split_weights_give_the_same_captions(folder: Path, tmp_path: Path) -> None:
    images, kind = [noise(40, 30)], "vision-encoder-decoder"
    expected = captions(folder, kind, images)
    copy = copied(folder, tmp_path)
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    assert captions(tmp_path, kind, images) == expected
    half = dict(list(weights.items())[::2])
    rest = {name: value for name, value in weights.items() if name not in half}
    save_file(half, copy / "a.safetensors")
    names = ", ".join(f'"{name}": "{"a" if name in half else "b"}.safetensors"' for name in weights)
    (copy / "model.safetensors.index.json").write_text(f'{{"weight_map": {{{names}}}}}')
    with pytest.raises(BadInput, match=r"lacks b\.safetensors, which model\.safetensors\.index\.json names"):
        captions(tmp_path, kind, images)
    save_file(rest, copy / "b.safetensors")
    assert captions(tmp_path, kind, images) == expected


def test_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    for name in ("preprocessor_config.json", "model.safetensors"):
        (copy / name).unlink()
    words = "lacks preprocessor_config.json, and model.safetensors or .* or pytorch_model.bin: put all files"
    with pytest.raises(BadInput, match=words):
        captions(tmp_path, copy.name, [])
    with pytest.raises(BadInput, match="no captioner 'clip' here; use vision-encoder-decoder, BLIP"):
        captions(tmp_path, "clip", [])


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("config.json", b"{", "is damaged, or cannot be loaded here"),
        ("config.json", b'{"model_type": "bert"}', "is of the type bert, which is not image-to-text"),
        ("config.json", b'{"model_type": "new"}', "is damaged, or cannot be loaded here"),
        ("model.safetensors", b"\x08\0\0\0\0\0\0\0{}", "is damaged, or cannot be loaded here"),
        ("model.safetensors", None, "its weights are missing, such as "),
        ("preprocessor_config.json", b"[", "is damaged, or cannot be loaded here"),
    ],
)
def test_a_damaged_captioner_is_refused(
    folder: Path, tmp_path: Path, file: str, content: bytes | None, words: str
) -> None:
    copy = copied(folder, tmp_path)
    if content is None:
        save_file({"some.weight": torch.zeros(1)}, copy / file, metadata={"format": "pt"})
    else:
        (copy / file).write_bytes(content)
    with pytest.raises(BadInput, match=words):
        captions(tmp_path, copy.name, [])
