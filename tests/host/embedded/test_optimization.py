"""Ways to run the UNet faster: the same result, undone after a session, and a sentence where they cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lib_ti.config import CreateConfig, TrainConfig
from lib_ti.embedding.embedding import Embedding
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.signals import Control, Event, LogMessage
from lib_ti.training.check import check_run
from lib_ti.training.checks.self_test import small_trial
from lib_ti.training.create import create
from lib_ti.training.run import train
from tests.checkpoints import write_checkpoint
from tests.fakes import draw_images

PROMPT = "a circle by zq-trial"


def is_channels_last(host: EmbeddedHost) -> bool:
    with host.models.session(SessionOptions()) as model:
        return bool(model._unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize("kind", ["sd1", "sd2-v", "sdxl"])
def test_channels_last_changes_results_by_rounding_only_and_is_undone(kind: str, tmp_path: Path) -> None:
    host = EmbeddedHost(write_checkpoint(tmp_path, kind), embeddings_folder=tmp_path)
    with host.models.session(SessionOptions()) as model:
        style = Embedding("zq-trial", model.initial_vectors("red", 2))
        plain = small_trial(model, style, PROMPT)
        assert model.optimize("channels-last") == ""
        found = small_trial(model, style, PROMPT)
        assert model._unet.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(found.predicted, plain.predicted, rtol=0, atol=1e-5 * float(plain.predicted.abs().max()))
    for key, gradient in plain.gradients.items():
        torch.testing.assert_close(found.gradients[key], gradient, rtol=0, atol=1e-5 * float(gradient.abs().max()))
    assert not is_channels_last(host)


def run(folder: Path, optimization: str) -> tuple[list[str], list[str]]:
    """Return the warnings of the check and of a run of one step."""
    host = EmbeddedHost(write_checkpoint(folder, "sd1"), embeddings_folder=folder)
    draw_images(folder / "images", count=1, size=64)
    create(host, CreateConfig(name="zq-fast", text="red"))
    config = TrainConfig(
        name="zq-fast",
        dataset=str(folder / "images"),
        log_directory=str(folder / "runs"),
        max_steps=1,
        save_image_every=0,
        validate_every=0,
        optimization=optimization,
    )
    events: list[Event] = []
    checked = [one.text for one in check_run(host, config) if "UNet optimization" in one.text]
    train(host, config, events.append, Control())
    return checked, [one.text for one in events if isinstance(one, LogMessage) and "UNet optimization" in one.text]


def test_a_run_with_channels_last_needs_no_word(tmp_path: Path) -> None:
    assert run(tmp_path, "channels-last") == ([], [])


def _failing(result: Any) -> Any:
    def compiled(unet: torch.nn.Module, mode: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            if isinstance(result, Exception):
                raise result
            predicted = unet(*arguments, **named)[0]
            if result == "gradient":  # the right prediction with 1.2 times its gradient
                return (1.2 * predicted - 0.2 * predicted.detach(),)
            return (result * predicted,)

        return call

    return compiled


@pytest.mark.parametrize(
    ("optimization", "result", "reason"),
    [
        ("compile", RuntimeError("no C++\ncompiler"), "cannot be used here (no C++ compiler)"),
        ("compile", 2.0, "cannot be used here (its predictions differ by 100% from exactly computed ones)"),
        ("compile", "gradient", "cannot be used here (its gradients differ by 20% from exactly computed ones)"),
        ("cuda-graphs", 1.0, "needs a graphics card"),
    ],
)
def test_training_runs_without_what_cannot_be_used_and_says_why(
    optimization: str, result: Any, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", _failing(result))
    checked, logged = run(tmp_path, optimization)
    assert checked == logged
    (said,) = logged
    assert said == f"UNet optimization {optimization} {reason}; training runs without it."
