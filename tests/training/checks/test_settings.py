"""Settings that are possible and hardly meant are pointed out alike by the check and by the run itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_ti.config import TrainConfig
from lib_ti.data.templates import Template
from lib_ti.signals import LogMessage
from lib_ti.training.check import check_run
from lib_ti.training.checks.settings import check_settings
from tests.fakes import FakeModel
from tests.training.conftest import Studio

SD1 = replace(FakeModel().info, widths={"clip_l": 768}, word_norm={"clip_l": 0.4})
FILEWORDS = Template("mine", Path("mine.txt"), ("[filewords], [name]",), (1,))
PLAIN = Template("plain", Path("plain.txt"), ("by [name]",), (1,))
OTHERS = ("my-style", "my-style-2", "other-style")


def texts(template: Template = FILEWORDS, *, vectors: int = 4, **changes: Any) -> list[str]:
    config = TrainConfig(**{"name": "my-style", "dataset": "images", "max_steps": 500, **changes})
    return check_settings(config, template, SD1, OTHERS, vectors)


@pytest.mark.parametrize("rate", ["0.005", "0.02", "0.005:100, 1e-3:1000, 1e-5"])
def test_rates_of_tutorials_are_not_remarked_on(rate: str) -> None:
    assert texts(learning_rate=rate) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": "0.05"}, "learning rate 0.05 is high: for this model learning rates above 0.02"),
        ({"learning_rate": "5"}, "learning rate 5 is far too high"),
        ({"learning_rate": "0.005:10, 1e10"}, "learning rate 10000000000 is far too high"),
        ({"learning_rate": "1e-7"}, "learning rate 0.0000001 is so low"),
        ({"warmup_steps": 501}, "Warm-up steps is 501, above Max steps, 500"),
        ({"tag_dropout": 1.0}, "Drop out tags is 1: every tag"),
        ({"template": PLAIN, "shuffle_tags": True}, "Shuffle tags has no effect: template plain"),
        ({"nested_dropout": True, "vectors": 1}, "Nested dropout of vectors has no effect: the embedding has 1 vector"),
        ({"preview_prompt": "a house"}, "neither [name] nor the name 'my-style': the previews"),
        ({"preview_prompt": "by other-style"}, "nor the name 'my-style', but that of 'other-style'"),
        ({"preview_prompt": "by my-style-2"}, "but that of 'my-style-2'"),
        ({"preview_prompt": "by [name]\na house"}, "Preview prompt has lines ('a house') with neither [name] nor"),
        ({"preview_prompt": "[name] and Other-Style"}, "also names 'other-style'"),
    ],
)
def test_what_is_hardly_meant_is_pointed_out(changes: dict[str, Any], words: str) -> None:
    said = texts(**changes)
    assert len(said) == 1
    assert words in said[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"preview_prompt": "a house by [name]"},
        {"preview_prompt": "a house by [name]\na cat by my-style"},
        {"preview_prompt": "a house, (My-Style:1.2)"},
        {"preview_prompt": "a house", "preview_negative": "[name]"},
        {"preview_prompt": "a house", "save_image_every": 0},
        {"warmup_steps": 500, "tag_dropout": 0.1},
        {"nested_dropout": True},
    ],
)
def test_what_is_right_is_left_alone(changes: dict[str, Any]) -> None:
    assert texts(**changes) == []


def test_the_check_and_the_run_point_out_the_same(studio: Studio) -> None:
    changes = {"learning_rate": "1e10", "preview_prompt": "a house", "warmup_steps": 30, "max_steps": 2}
    found = check_run(studio.host, studio.config(**changes))
    checked = [finding.text for finding in found if finding.kind == "warning"]
    studio.train(**changes)
    assert [event.text for event in studio.of(LogMessage) if event.warning] == checked
    assert len(checked) == 3
