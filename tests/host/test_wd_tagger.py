"""WD taggers: which tags are written, and what is refused. The model itself runs where onnxruntime is installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_ti.config import CaptionConfig
from lib_ti.errors import BadInput
from lib_ti.host.captioners.wd_tagger import Tag, WDTagger, tag_text
from lib_ti.host.tools import DEFAULT_TAGS, TagOptions
from lib_ti.prep.captions.captioning import caption_with_host
from tests.host.captioner_models import tagger_model
from tests.host.embedded.sessions import host_of

needs_onnxruntime = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed")
TAGS = "tag_id,name,category,count\n1,general,9,9\n2,blue_sky,0,5\n3,red_dress,0,4\n4,miku_(x),4,3\n5,0_0,0,2\n"
WEIGHTS = np.array([[0, 0.02, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0.02, 0.02, 0.01], [9, -3, -3, -3.2, -2]], float)
"""Of the mean blue, green and red in 0..255, and constants; the scores are the sigmoid of their sums."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tagger that is named wd, and sees blue and red."""
    folder = tmp_path / "captioners" / "wd"
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(tagger_model(WEIGHTS))
    (folder / "selected_tags.csv").write_text(TAGS)
    return folder


def load(folder: Path, options: TagOptions = DEFAULT_TAGS) -> Any:
    return host_of(folder.parents[1]).tools.captioner(folder.name, lambda _: None, options)


def test_tags_are_ordered_by_confidence_without_ratings() -> None:
    tags = [Tag("general", 9), Tag("blue_sky", 0), Tag("dog", 0), Tag("miku_(x)", 4), Tag("0_0", 0), Tag(">_<", 0)]
    scores = [0.99, 0.4, 0.9, 0.86, 0.5, 0.36]
    assert tag_text(tags, scores, TagOptions()) == "dog, miku (x), 0_0, blue sky, >_<"
    assert tag_text(tags, scores, TagOptions(0.45, 0.9, spaces=False)) == "dog, 0_0"
    assert tag_text(tags, scores, TagOptions(1, 0.5, spaces=False)) == "miku_(x)"


@pytest.mark.parametrize("batch", [1, "batch"])
def test_images_are_padded_with_white_and_blue_is_first(batch: int | str) -> None:
    seen: list[np.ndarray] = []

    class Session:
        def get_inputs(self) -> list[Any]:
            return [SimpleNamespace(name="images", shape=[batch, 8, 8, 3])]

        def run(self, _: None, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            seen.append(inputs["images"])
            return [np.full((len(inputs["images"]), 1), 0.9)]

    tagger = WDTagger(Session(), [Tag("a_cat", 0)], TagOptions(), "wd")
    assert tagger.caption([Image.new("RGB", (40, 20), "red"), Image.new("RGB", (8, 8))]) == ["a cat", "a cat"]
    assert [len(one) for one in seen] == ([1, 1] if batch == 1 else [2])
    pixels = seen[0][0]
    assert (pixels.dtype, pixels.shape) == (np.float32, (8, 8, 3))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[4, 4].tolist() == [0, 0, 255]


def test_the_settings_are_part_of_what_captions_depend_on() -> None:
    session = SimpleNamespace(get_inputs=lambda: [SimpleNamespace(name="images", shape=["batch", 8, 8, 3])])
    first, second = (WDTagger(session, [], TagOptions(threshold), "wd").options for threshold in (0.3, 0.4))
    assert first != second


@needs_onnxruntime
def test_a_model_tags_a_folder_of_images_by_the_settings(folder: Path, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("red", "blue", "magenta"):
        Image.new("RGB", (30, 20), name).save(images / f"{name}.png")

    def caption(**values: Any) -> list[str]:
        config = CaptionConfig(captioner="wd", existing="ignore", **values)
        caption_with_host(
            host_of(tmp_path), images, config, report=lambda _: None, progress=lambda *_: None, stop=lambda: False
        )
        return [(images / f"{name}.txt").read_text() for name in ("red", "blue", "magenta")]

    assert caption() == ["red dress, miku (x), 0_0", "blue sky", "blue sky, red dress, miku (x), 0_0"]
    assert caption(character_threshold=1.0) == ["red dress, 0_0", "blue sky", "blue sky, red dress, 0_0"]
    assert caption(tag_threshold=0.7, tag_spaces=False)[0] == "red_dress, miku_(x)"


@needs_onnxruntime
@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model.onnx", b"x", "is damaged, or not a model in ONNX format"),
        ("selected_tags.csv", b"tag_id,name\n1,cat\n", "columns name and category"),
        ("selected_tags.csv", b"tag_id,name,category\n1,cat,0\n", "scores 5 tags, and selected_tags.csv .* names 1"),
    ],
)
def test_damaged_files_are_refused(folder: Path, file: str, content: bytes, words: str) -> None:
    (folder / file).write_bytes(content)
    with pytest.raises(BadInput, match=words), load(folder):
        pass


@pytest.mark.parametrize("file", ["model.onnx", "selected_tags.csv"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(BadInput, match=f"The WD tagger in .*wd lacks {file}: put it there"), load(folder):
        pass


def test_without_onnxruntime_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BadInput, match="wd needs the package onnxruntime, .* pip install onnxruntime"), load(folder):
        pass
