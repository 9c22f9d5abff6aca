"""Settings: one declaration, all problems at once."""

import json

import pytest

from lib_ti.config import (
    CaptionConfig,
    CreateConfig,
    GenerateConfig,
    InspectConfig,
    MakeConfig,
    PrepareConfig,
    SuggestConfig,
    TrainConfig,
    VectorsConfig,
    described,
    from_mapping,
    problems,
    to_mapping,
)
from lib_ti.errors import BadInput

KINDS = (
    MakeConfig,
    PrepareConfig,
    InspectConfig,
    CaptionConfig,
    CreateConfig,
    TrainConfig,
    GenerateConfig,
    SuggestConfig,
    VectorsConfig,
)
GOOD = {"name": "my-style", "dataset": "images"}


def test_defaults_are_those_of_the_tutorials() -> None:
    config = from_mapping(TrainConfig, GOOD)
    assert (config.learning_rate, config.max_steps, config.template) == ("0.005", 5000, "style_filewords")
    assert (config.save_image_every, config.save_embedding_every, config.png_chunks) == (50, 500, True)
    assert from_mapping(CreateConfig, {"name": "x"}).vectors == 10


@pytest.mark.parametrize("kind", KINDS)
def test_each_setting_is_described(kind: type) -> None:
    for name, value_type, default, setting in described(kind):
        assert setting.label and setting.help.endswith((".", ")")), name
        assert isinstance(default, value_type)


def test_text_values_are_read() -> None:
    values = {**GOOD, "max_steps": "500", "tag_dropout": "0.1", "shuffle_tags": "true", "png_chunks": False}
    config = from_mapping(TrainConfig, values)
    assert (config.max_steps, config.tag_dropout, config.shuffle_tags, config.png_chunks) == (500, 0.1, True, False)


def test_settings_survive_a_file() -> None:
    config = from_mapping(TrainConfig, {**GOOD, "learning_rate": "0.01:10, 0.001", "seed": 7})
    assert from_mapping(TrainConfig, json.loads(json.dumps(to_mapping(config)))) == config


def test_all_problems_are_reported_together() -> None:
    values = {"max_step": 3, "max_steps": "abc", "learning_rate": "0", "width": 65, "batch_size": -1, "clip": "both"}
    with pytest.raises(BadInput) as raised:
        from_mapping(TrainConfig, values, source="the options")
    text = "\n".join(raised.value.problems)
    for part in (
        "no setting 'max_step' in the options; did you mean 'max_steps'?",
        "Max steps must be a whole number, and is 'abc'",
        "above 0",
        "Width is 65; it must be a multiple of 8",
        "Batch size is -1; the smallest possible value is 1",
        "Gradient clipping is 'both'; choose one of disabled, norm, value",
        "Embedding is empty",
        "Dataset directory is empty",
    ):
        assert part in text
    assert len(raised.value.problems) == 8


@pytest.mark.parametrize("value", [0, -5, 2.5, True, None, "1e"])
def test_steps_must_be_a_positive_whole_number(value: object) -> None:
    with pytest.raises(BadInput, match="Max steps"):
        from_mapping(TrainConfig, {**GOOD, "max_steps": value})


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("preview_seed", 2.0**33, "Preview seed is 8589934592; the largest possible value is 4294967295."),
        ("tag_dropout", -5, "Drop out tags is -5; the smallest possible value is 0."),
        ("learning_rate", "0,005", "Embedding learning rate is '0,005', with a decimal comma. Write 0.005."),
        ("weight_decay", "0,1", "Weight decay must be a number, and is '0,1'. Write 0.1."),
        ("max_steps", "5,000", "Max steps must be a whole number, and is '5,000'. Write 5000."),
        ("max_steps", 2.5, "Max steps must be a whole number, and is 2.5."),
    ],
)
def test_numbers_in_messages_read_as_people_write_them(setting: str, value: object, sentence: str) -> None:
    with pytest.raises(BadInput) as raised:
        from_mapping(TrainConfig, {**GOOD, setting: value})
    assert raised.value.problems == (sentence,)


def test_preview_prompts_are_kept_for_any_embedding() -> None:
    config = from_mapping(TrainConfig, {**GOOD, "preview_prompt": "a cat, My-Style", "preview_negative": "my-style"})
    assert (config.preview_prompt, config.preview_negative) == ("a cat, [name]", "[name]")


@pytest.mark.parametrize("setting", ["preview_prompt", "preview_negative"])
def test_filewords_in_preview_prompts_are_refused(setting: str) -> None:
    with pytest.raises(BadInput, match="contains .filewords., which only a prompt template can fill"):
        from_mapping(TrainConfig, {**GOOD, setting: "a photo of [filewords]"})


def test_too_many_preview_prompts_are_refused() -> None:
    from_mapping(TrainConfig, {**GOOD, "preview_prompt": "a cat\n\n" * 16})
    with pytest.raises(BadInput, match="Preview prompt has 17 lines, and each is a preview of its own"):
        from_mapping(TrainConfig, {**GOOD, "preview_prompt": "a cat\n" * 17})


def test_not_a_number_is_refused() -> None:
    assert any("finite" in problem for problem in problems(TrainConfig(**GOOD, preview_cfg=float("nan"))))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        *((flag, "all-blocks") for flag in (True, "true", "on", "1")),
        *((flag, "off") for flag in (False, "False", "off", "0")),
        ("transformer-blocks", "transformer-blocks"),
        ("auto", "auto"),
    ],
)
def test_a_former_flag_is_read_as_a_choice(given: object, expected: str) -> None:
    config = from_mapping(TrainConfig, {**GOOD, "gradient_checkpointing": given})
    assert config.gradient_checkpointing == expected
