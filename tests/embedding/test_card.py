"""Cards: images that are embedding files, in the WebUI too, and images that are not."""

import base64
import json
import zlib

import numpy
import pytest
import torch
from PIL import Image

from lib_ti.embedding import files, text_mask
from lib_ti.embedding.card import make_card, read_card, save_card
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats import pixelcode
from lib_ti.embedding.formats.pixelcode import frame, read_frame
from lib_ti.errors import BadInput


def embedding(count=2, width=768, **other) -> Embedding:
    generator = torch.Generator().manual_seed(count)
    return Embedding("riso-print", {"clip_l": torch.randn(count, width, generator=generator)}, 500, "pocket", **other)


def noise(width, height, seed=0) -> Image.Image:
    return Image.fromarray(numpy.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=numpy.uint8))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1", "I;16"])
def test_images_of_any_mode_become_cards(tmp_path, mode):
    image = Image.new(mode, (64, 64)) if mode == "I;16" else noise(64, 64).convert(mode)
    save_card(tmp_path / "a.png", image, embedding())
    assert torch.equal(read_card(tmp_path / "a.png").vectors["clip_l"], embedding().vectors["clip_l"])


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (512, 512), (100, 800), (3000, 40), (700, 600)])
def test_cards_are_large_enough_to_read_their_words(tmp_path, size):
    save_card(tmp_path / "a.png", noise(*size), embedding())
    card = Image.open(tmp_path / "a.png")
    assert min(card.size) >= 512
    assert max(card.size) <= 2200
    assert read_card(tmp_path / "a.png").name == "riso-print"


def caption_contrast(card: Image.Image) -> tuple[float, float]:
    """Darkest tenth and lightest thousandth of the caption's band."""
    band = numpy.asarray(card.convert("L"))[-90:, 60:-60]
    return float(numpy.quantile(band, 0.1)), float(numpy.quantile(band, 0.999))


@pytest.mark.parametrize("colour", ["white", "black", "red", "#808080"])
def test_the_caption_is_legible_on_any_colour(colour):
    card, _ = make_card(Image.new("RGB", (64, 64), colour), embedding())
    dark, light = caption_contrast(card)
    assert dark < 70
    assert light > 230


@pytest.mark.parametrize("name", ["a", "x" * 300, "日本語", "a very long name " * 5, "\U0001f600"])
def test_any_name_can_be_rendered(name):
    other = Embedding(name, {"clip_l": torch.ones(1, 8)}, 1, "m" * 200, "0123456789")
    card, _ = make_card(None, other)
    assert caption_contrast(card)[1] > 150


@pytest.mark.parametrize("name", ["riso-print", "日本語", "x" * 200])
def test_captions_are_rendered_without_system_fonts(monkeypatch, name):
    monkeypatch.setattr(text_mask, "_FONTS", ())
    monkeypatch.setattr(text_mask, "_fonts_of_matplotlib", list)
    card, _ = make_card(Image.new("RGB", (64, 64), "white"), Embedding(name, {"clip_l": torch.ones(1, 8)}, 1, "m"))
    dark, light = caption_contrast(card)
    assert dark < 70
    assert light > 230


@pytest.mark.parametrize(("count", "form"), [(1, "png"), (75, "png"), (8, "webp")])
def test_the_pixels_alone_hold_the_embedding(tmp_path, count, form):
    saved = embedding(count, recipe={"rate": 0.005})
    save_card(tmp_path / "a.png", noise(64, 64), saved)
    copy = Image.open(tmp_path / "a.png").convert("RGB")
    copy.save(tmp_path / f"copy.{form}", lossless=True)
    loaded = read_card(tmp_path / f"copy.{form}")
    assert torch.equal(loaded.vectors["clip_l"], saved.vectors["clip_l"])
    assert (loaded.name, loaded.step, loaded.model_name, loaded.recipe) == (
        "riso-print",
        500,
        "pocket",
        {"rate": 0.005},
    )


def test_the_pixel_code_is_the_webuis():
    """Decoded here step by step as its description says, with the sequence that its own test gives."""
    card, _ = make_card(Image.new("RGB", (512, 512), "black"), embedding(1, 16))
    pixels = numpy.asarray(card) & 15
    (columns,) = numpy.nonzero(pixels.sum(axis=(0, 2)) == 0)
    halves = []
    for block in (pixels[:, : columns[0]], pixels[:, columns[-1] + 1 :]):
        state, sequence = 0, []
        for _ in range(block.size):
            state = (1664525 * state + 1013904223) % 2**32
            sequence.append(state % 255)
        assert sequence[:8] == [253, 242, 127, 44, 157, 27, 239, 133]
        halves.append(block.ravel() ^ (numpy.array(sequence, numpy.uint8) & 15))
    data = json.loads(zlib.decompressobj().decompress((halves[1] << 4 | halves[0]).astype(numpy.uint8).tobytes()))
    vectors = torch.tensor(data["string_to_param"]["*"]["TORCHTENSOR"], dtype=torch.float64).float()
    assert torch.equal(vectors, embedding(1, 16).vectors["clip_l"])


def test_the_text_chunk_is_the_webuis(tmp_path):
    save_card(tmp_path / "a.png", None, embedding())
    data = json.loads(base64.b64decode(Image.open(tmp_path / "a.png").text["sd-ti-embedding"]))
    assert (data["name"], data["step"], data["sd_checkpoint_name"]) == ("riso-print", 500, "pocket")
    assert numpy.array(data["string_to_param"]["*"]["TORCHTENSOR"]).shape == (2, 768)


def test_numbers_of_any_size_survive(tmp_path):
    values = [1e-45, 3.4028235e38, -0.0, 1 / 3, 16777217.0, 1.1754944e-38, -2.7182817, 0.1]
    saved = Embedding("a", {"clip_l": torch.tensor([values])})
    save_card(tmp_path / "a.webp", None, saved)
    assert torch.equal(read_card(tmp_path / "a.webp").vectors["clip_l"], saved.vectors["clip_l"])


def test_an_sdxl_card_holds_all_in_chunks_and_nothing_but_tensors_where_the_webui_looks(tmp_path):
    saved = Embedding("xl", {"clip_l": torch.randn(2, 768), "clip_g": torch.randn(2, 1280)}, 7, "m", "h", {"a": 1})
    save_card(tmp_path / "other-name.png", noise(64, 64), saved)
    data = json.loads(base64.b64decode(Image.open(tmp_path / "other-name.png").text["sd-ti-embedding"]))
    assert {key: list(item) for key, item in data.items()} == {"clip_l": ["TORCHTENSOR"], "clip_g": ["TORCHTENSOR"]}
    loaded = read_card(tmp_path / "other-name.png")
    assert (loaded.name, loaded.step, loaded.model_name, loaded.model_hash, loaded.recipe) == (
        "xl",
        7,
        "m",
        "h",
        {"a": 1},
    )
    with pytest.raises(BadInput, match=r"SDXL.*\.png"):
        save_card(tmp_path / "a.webp", None, saved)


@pytest.mark.parametrize("spoil", ["jpeg", "resized", "cut", "painted"])
def test_a_spoilt_card_holds_no_embedding(tmp_path, spoil):
    card, _ = make_card(noise(64, 64), embedding(8))
    path = tmp_path / "a.png"
    if spoil == "jpeg":
        card.save(tmp_path / "a.jpg", quality=98)
        card = Image.open(tmp_path / "a.jpg")
    elif spoil == "resized":
        card = card.resize((300, 300))
    elif spoil == "cut":
        card = card.crop((3, 0, card.width, card.height))
    else:
        card.paste("white", (0, 0, 20, 20))
    card.save(path)
    with pytest.raises(BadInput, match="holds no embedding"):
        read_card(path)


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_ordinary_images_contain_no_embedding(tmp_path, name):
    for image in (
        noise(64, 64),
        Image.new("RGB", (64, 64)),
        Image.new("RGB", (1, 1), "white"),
        Image.new("L", (5, 5)),
    ):
        image.save(tmp_path / name, lossless=True)
        with pytest.raises(BadInput, match="holds no embedding"):
            files.load(tmp_path / name)


def test_images_with_black_columns_contain_no_embedding(tmp_path):
    random = numpy.random.default_rng(0)
    for seed in range(150):
        pixels = numpy.asarray(noise(*random.integers(1, 60, 2), seed=seed)).copy()
        pixels[:, random.integers(0, pixels.shape[1], random.integers(1, 9))] = random.integers(0, 2) * 16
        if seed % 3 == 0:
            pixels[:, : random.integers(1, 5)] = 0
        assert read_frame(Image.fromarray(pixels)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "%%%", "bm8=", base64.b64encode(b"[1,2]").decode(), base64.b64encode(b"{}").decode()),
        base64.b64encode(b'{"string_to_param": {"*": {"TORCHTENSOR": [[1], [1, 2]]}}}').decode(),
        base64.b64encode(b'{"string_to_param": {"*": {"TORCHTENSOR": "x"}}}').decode(),
        base64.b64encode(b'{"name": 5, "string_to_param": {"*": {"TORCHTENSOR": [[NaN]]}}}').decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_odd_chunks_are_bad_input(tmp_path, text):
    chunks = make_card(None, embedding())[1].__class__()
    chunks.add_text("sd-ti-embedding", text)
    noise(8, 8).save(tmp_path / "a.png", pnginfo=chunks)
    with pytest.raises(BadInput, match=r"a\.png"):
        read_card(tmp_path / "a.png")


def test_a_code_that_unfolds_without_end_is_cut(tmp_path, monkeypatch):
    colours = numpy.full((4, 3), 128, numpy.uint8)
    frame(noise(64, 512), b" " * 2**24, colours).save(tmp_path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr(pixelcode, "MAX_BYTES", 2**20)
        assert read_frame(Image.open(tmp_path / "a.png")) == b" " * 2**20
    with pytest.raises(BadInput, match="holds no embedding"):
        read_card(tmp_path / "a.png")


def test_truncated_cards_are_bad_input(tmp_path):
    path = tmp_path / "a.png"
    save_card(path, noise(64, 64), embedding())
    whole = path.read_bytes()
    for length in (1, 8, 20, 40, 500, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(BadInput, match=r"a\.png"):
            read_card(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.preview.png", "a"])
def test_names_that_cannot_be_cards_are_refused(tmp_path, name):
    with pytest.raises(BadInput, match="cannot be a card"):
        save_card(tmp_path / name, None, embedding())
    assert not list(tmp_path.iterdir())
