"""What is written into previews, so that a WebUI draws the same again."""

from __future__ import annotations

from lib_ti.families.model_info import ModelInfo
from lib_ti.host.model import ImageRequest
from lib_ti.prompt_syntax import parse
from lib_ti.training.images.previews import infotext

INFO = ModelInfo("model", "0123456789", "sd1", "eps", {"clip_l": 768}, "", 512, {"clip_l": 0.4})


def test_a_caption_is_written_so_that_it_is_no_emphasis() -> None:
    caption = "a (red) cat, [x|y], COFFEE BREAK"
    written = infotext(ImageRequest(caption, literal=True), INFO).splitlines()[0]
    assert parse(written) == ((("a (red) cat, [x|y], COFFEE break", 1.0),),)


def test_a_prompt_is_written_as_it_was_given() -> None:
    prompt = "a (red:1.3) cat BREAK a dog"
    assert infotext(ImageRequest(prompt, "(blur)"), INFO).startswith(f"{prompt}\nNegative prompt: (blur)\n")
