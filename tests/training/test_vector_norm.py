"""Runs that keep the norms of the vectors: resumed, continued, trained some more."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.signals import LogMessage, StepDone
from lib_ti.training.files.run_state import load_state
from lib_ti.training.files.tables import read_table
from tests.training.conftest import Studio


def norms(path: Path) -> torch.Tensor:
    return files.load(path).vectors["clip_l"].norm(dim=1)


def messages(studio: Studio) -> str:
    return "\n".join(event.text for event in studio.of(LogMessage))


@pytest.mark.parametrize("how", ["fixed", "direction"])
def test_a_stopped_run_equals_an_uninterrupted_one(studio: Studio, another: Studio, how: str) -> None:
    start = norms(studio.embedding_file)

    def stop(event: object) -> None:
        if isinstance(event, StepDone) and event.step == 7:
            studio.control.stop()

    studio.train(stop, vector_norm=how, learning_rate="0.05")
    studio.train(vector_norm=how, learning_rate="0.05")
    another.train(vector_norm=how, learning_rate="0.05")
    resumed, whole = files.load(studio.embedding_file), files.load(another.embedding_file)
    assert resumed.step == whole.step == 20
    assert resumed.vectors["clip_l"].equal(whole.vectors["clip_l"])
    torch.testing.assert_close(norms(studio.embedding_file), start)


def test_norms_of_each_step_are_recorded(studio: Studio) -> None:
    finished = studio.train(learning_rate="0.05")
    rows = read_table(finished.folder / "textual_inversion_loss.csv")
    last = [float(norm) for norm in rows[-1]["norms"].split()]
    assert last == pytest.approx(norms(studio.embedding_file).tolist(), rel=1e-3)
    assert "The norms of the vectors after step 20 are" in messages(studio)


def test_training_some_more_keeps_the_first_norms(studio: Studio) -> None:
    start = norms(studio.embedding_file)
    studio.train(learning_rate="0.3")
    assert (norms(studio.embedding_file) > 1.25 * start).all()
    shutil.rmtree(studio.logs)  # no state: only the file knows how it began
    studio.train(vector_norm="fixed", max_steps=25)
    torch.testing.assert_close(norms(studio.embedding_file), start)
    assert "times their initial norms. The first step sets them back" in messages(studio)


def test_an_embedding_of_another_program_keeps_its_present_norms(studio: Studio) -> None:
    studio.train()
    shutil.rmtree(studio.logs)
    files.save(replace(files.load(studio.embedding_file), recipe={}), studio.embedding_file)
    present = norms(studio.embedding_file)
    studio.train(vector_norm="fixed", max_steps=25)
    torch.testing.assert_close(norms(studio.embedding_file), present)
    assert "does not say with which norms its 20 steps began" in messages(studio)


def test_a_state_of_an_earlier_version_resumes_as_free(studio: Studio) -> None:
    folder = studio.train(max_steps=10).folder
    (path,) = folder.glob("*state*")
    state = load_state(path)
    settings = {key: value for key, value in state.identity.settings.items() if key != "vector_norm"}
    replace(state, initial_norms={}, identity=replace(state.identity, settings=settings)).save(path)
    studio.train()
    assert "Vector norm" not in messages(studio)
    assert files.load(studio.embedding_file).step == 20


def test_a_run_can_fix_its_norms_later(studio: Studio) -> None:
    start = norms(studio.embedding_file)
    studio.train(max_steps=10, learning_rate="0.1")
    studio.train(vector_norm="fixed", learning_rate="0.1", restore_best=False)
    torch.testing.assert_close(norms(studio.embedding_file), start)
    assert "Vector norm was 'free' and is 'fixed' from the next step on." in messages(studio)


def test_another_optimizer_does_not_continue_a_run(studio: Studio) -> None:
    studio.train(max_steps=10, vector_norm="direction")
    with pytest.raises(BadInput, match="set Vector norm back to 'direction', or create a new embedding"):
        studio.train(vector_norm="fixed")


def test_the_log_says_what_norms_are_kept(studio: Studio) -> None:
    studio.train(vector_norm="direction", max_steps=1)
    assert "Vector norm is direction: each vector keeps its initial norm" in messages(studio)
    assert "the learning rate 0.005 turns it by" in messages(studio)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"vector_norm": "fixed", "weight_decay": 0.1}, "Weight decay is 0.1, and Vector norm is fixed"),
        ({"vector_norm": "direction", "clip": "norm"}, "Gradient clipping is norm, and Vector norm is direction"),
        ({"vector_norm": "sphere"}, "Vector norm is 'sphere'; choose one of free, fixed, direction."),
    ],
)
def test_settings_that_exclude_each_other_are_refused(
    studio: Studio, settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadInput, match=sentence):
        studio.train(**settings)
