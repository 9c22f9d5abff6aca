"""The self-test before the first step: it passes on every family, and names what would go wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.signals import Control, Event, LogMessage
from lib_ti.training.check import check_run
from lib_ti.training.checks.attention import attention_by, kernels
from lib_ti.training.checks.self_test import SelfTest, _plain_attention, self_test
from lib_ti.training.create import create
from lib_ti.training.run import train
from tests.checkpoints import write_checkpoint
from tests.fakes import FakeModel, draw_images

PROMPT = "a circle by zq-trial"


@pytest.fixture(scope="module", params=["sd1", "sd2-v", "sdxl"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EmbeddedHost:
    folder: Path = tmp_path_factory.mktemp("models")
    return EmbeddedHost(write_checkpoint(folder, request.param), embeddings_folder=folder)


def embedding(model: EmbeddedModel | FakeModel) -> Embedding:
    return Embedding("zq-trial", model.initial_vectors("red", 2))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_sound_model_passes(host: EmbeddedHost, precision: Any) -> None:
    with host.models.session(SessionOptions(precision)) as model:
        assert self_test(model, embedding(model), PROMPT) == SelfTest()


class BrokenAttention(TorchFunctionMode):
    """Attention that forgets to scale, or gives NaN: by every kernel, or by the flash kernel only."""

    def __init__(self, *, result: str = "unscaled", only_flash: bool = False) -> None:
        super().__init__()
        self._result, self._only_flash = result, only_flash

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **kwargs)
        if self._only_flash and not torch.backends.cuda.flash_sdp_enabled():
            return func(*args, **kwargs)
        if self._result == "nan":
            return func(*args, **kwargs) * torch.nan
        return func(*args, **{**kwargs, "scale": 1.0})


def test_attention_that_is_wrong_by_every_kernel_is_an_error(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model, BrokenAttention():
        (problem,) = self_test(model, embedding(model), PROMPT).problems
    assert problem.startswith("The attention computed here is wrong: its ")
    assert problem.endswith("--no-half.")


@pytest.mark.parametrize(("result", "words"), [("unscaled", "its predictions differ by "), ("nan", "is NaN or inf")])
def test_attention_is_computed_by_the_next_kernel_where_the_first_is_wrong(
    host: EmbeddedHost, result: str, words: str
) -> None:
    with host.models.session(SessionOptions()) as model, BrokenAttention(result=result, only_flash=True):
        tested = self_test(model, embedding(model), PROMPT)
        with attention_by(tested.attention):
            assert self_test(model, embedding(model), PROMPT) == SelfTest()
    assert tested.problems == ()
    assert tested.remark.startswith("Attention is computed by PyTorch's math kernel, since by the kernel that PyTorch")
    assert words in tested.remark
    assert torch.backends.cuda.flash_sdp_enabled()


def test_kernels_are_enabled_again_after_an_error() -> None:
    def enabled() -> tuple[bool, ...]:
        flags = torch.backends.cuda
        return flags.flash_sdp_enabled(), flags.mem_efficient_sdp_enabled(), flags.math_sdp_enabled()

    as_set, efficient, math = kernels(torch.device("cuda"))
    before, found = enabled(), []
    for kernel in (as_set, efficient, math):
        with suppress(RuntimeError), attention_by(kernel):
            found.append(enabled())
            raise RuntimeError("step failed")
        assert enabled() == before
    assert found == [before, (False, True, True), (False, False, True)]


def test_a_weight_with_a_gradient_is_found(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model:
        weight = model._unet.conv_out.weight.requires_grad_(True)
        try:
            (problem,) = self_test(model, embedding(model), PROMPT).problems
        finally:
            weight.requires_grad_(False)
            weight.grad = None
    assert "computes gradients of 1 weight of it (4 × " in problem


def test_an_undefined_gradient_is_found() -> None:
    model = FakeModel()
    model.poison_after = 0
    (problem,) = self_test(model, embedding(model), PROMPT).problems
    assert problem.startswith("A trial step gave the gradient nan, from which nothing can be learned")


def test_vectors_that_no_gradient_reaches_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    model = FakeModel()
    encode = model.encode_prompts

    def first_vector_only(conditions: Any, embeddings: list[Embedding]) -> Any:
        (style,) = embeddings
        kept = style.vectors["clip_l"] * torch.tensor([[1.0], [0.0]])
        return encode(conditions, [style.with_vectors({"clip_l": kept}, step=0)])

    monkeypatch.setattr(model, "encode_prompts", first_vector_only)
    (problem,) = self_test(model, embedding(model), PROMPT).problems
    assert "1 vector of clip_l had the gradient 0" in problem


@pytest.mark.parametrize("how", ["plain", "causal", "bool", "float", "scale"])
def test_plain_attention_is_torchs(how: str) -> None:
    sample = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(2, 3, 5, 4, generator=sample) for _ in range(3))
    options: dict[str, Any] = {
        "plain": {},
        "causal": {"is_causal": True},
        "bool": {"attn_mask": torch.rand(5, 5, generator=sample) > 0.3},
        "float": {"attn_mask": torch.randn(5, 5, generator=sample)},
        "scale": {"scale": 0.3},
    }[how]
    expected = functional.scaled_dot_product_attention(query, key, value, **options)
    torch.testing.assert_close(_plain_attention(query, key, value, **options), expected)


def test_the_check_and_the_run_say_which_kernel_is_used(tmp_path: Path) -> None:
    host = EmbeddedHost(write_checkpoint(tmp_path, "sd1"), embeddings_folder=tmp_path)
    draw_images(tmp_path / "images", count=1, size=64)
    create(host, CreateConfig(name="zq-kernel", text="red"))
    config = TrainConfig(
        name="zq-kernel",
        dataset=str(tmp_path / "images"),
        log_directory=str(tmp_path / "runs"),
        max_steps=1,
        save_image_every=0,
        validate_every=0,
    )
    events: list[Event] = []
    with BrokenAttention(only_flash=True):
        found = check_run(host, config)
        train(host, config, events.append, Control())
    assert any(one.text.startswith("Recognized as SD 1 (text encoder CLIP), noise prediction (") for one in found)
    checked = [one.text for one in found if one.kind == "warning"]
    logged = [event.text for event in events if isinstance(event, LogMessage) and event.warning]
    for texts in (checked, logged):
        assert any(text.startswith("Attention is computed by PyTorch's math kernel") for text in texts)
    assert torch.backends.cuda.flash_sdp_enabled()
