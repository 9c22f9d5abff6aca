"""Batches carry each image's own size and crop, for models that are conditioned on them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lib_ti.config import TrainConfig
from lib_ti.data import latents
from lib_ti.data.dataset import Rules
from lib_ti.data.scan import scan
from lib_ti.data.templates import find_template
from lib_ti.host.model import Framing
from lib_ti.training.step.batch_source import BatchSource
from lib_ti.training.validation.samples import validation_samples
from tests.fakes import FakeModel

FRAMINGS = {
    "wide": Framing(original=(200, 100), crop=(16, 0), size=(32, 32)),
    "tall": Framing(original=(64, 96), crop=(0, 8), size=(32, 32)),
    "exact": Framing(original=(32, 32), crop=(0, 0), size=(32, 32)),
}


def test_each_prompt_has_the_framing_of_its_image(tmp_path: Path) -> None:
    for shade, (name, framing) in enumerate(FRAMINGS.items()):
        Image.new("RGB", framing.original, (40 * shade, 90, 200)).save(tmp_path / f"{name}.png")
        (tmp_path / f"{name}.txt").write_text(name)
    found = scan(tmp_path, Rules(32, 32, validation_split=0.0))
    found, encoded = latents.encode(
        found,
        FakeModel(),
        cache_folder=None,
        batch_size=2,
        progress=lambda done, total: None,
        stop=lambda: False,
    )
    template = find_template("subject_filewords", ())
    source = BatchSource(found, encoded, template, "my-style", TrainConfig(batch_size=2))
    seen: dict[str, Framing] = {}
    for index in range(4):
        conditions = source(index).conditions
        for prompt, framing in zip(conditions.prompts, conditions.framings, strict=True):
            (name,) = (name for name in FRAMINGS if prompt.endswith(name))
            seen[name] = framing
    assert seen == FRAMINGS
    assert {sample.framing for sample in validation_samples(found, encoded, template, "my-style")} == set(
        FRAMINGS.values()
    )
