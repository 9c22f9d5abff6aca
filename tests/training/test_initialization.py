"""What a new embedding starts from."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lib_ti.cli.main import main
from lib_ti.config import CreateConfig
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.signals import LogMessage
from lib_ti.training.create import create
from tests.fakes import WIDTH
from tests.training.conftest import Studio


def new(studio: Studio, **changes: object) -> tuple[Embedding, str]:
    """A new embedding, and what is said of it."""
    placed = create(studio.host, CreateConfig(**{"name": "new-style", "text": "oil painting", "vectors": 3, **changes}))
    return files.load(placed.path), " ".join(placed.notes)


def test_words_are_the_default(studio: Studio) -> None:
    made, _ = new(studio)
    assert made.vectors["clip_l"].equal(studio.host.model.initial_vectors("oil painting", 3)["clip_l"])
    assert made.recipe["initialization_text"] == "oil painting"


def test_the_mean_of_the_words_is_as_long_as_they_are(studio: Studio) -> None:
    made, said = new(studio, initialization="mean")
    words = studio.host.model.initial_vectors("oil painting", 2)["clip_l"]
    first = made.vectors["clip_l"][0]
    assert torch.nn.functional.cosine_similarity(first, words.mean(dim=0), dim=0).item() == pytest.approx(1)
    assert first.norm().item() == pytest.approx(words.norm(dim=1).mean().item())
    assert len({tuple(vector) for vector in made.vectors["clip_l"].tolist()}) == 3
    assert said.startswith("Each vector starts from the mean of 2 tokens, with a little noise")
    assert made.recipe["initialization"] == "mean of 'oil painting'"
    assert "initialization_text" not in made.recipe


def test_zeros_are_near_zero_and_differ(studio: Studio) -> None:
    made, said = new(studio, initialization="zeros")
    norms = made.vectors["clip_l"].norm(dim=1)
    assert (norms > 0).all() and (norms < 0.01).all()
    assert len({tuple(vector) for vector in made.vectors["clip_l"].tolist()}) == 3
    assert "start near zero, and the Initialization text is not used" in said
    again, _ = new(studio, initialization="zeros", overwrite=True)
    assert again.vectors["clip_l"].equal(made.vectors["clip_l"])


def test_zeros_are_trained_at_the_norm_of_a_word(studio: Studio) -> None:
    create(studio.host, CreateConfig(name="my-style", initialization="zeros", vectors=2, overwrite=True))
    studio.train(vector_norm="fixed", max_steps=3)
    norms = files.load(studio.embedding_file).vectors["clip_l"].norm(dim=1)
    torch.testing.assert_close(norms, torch.full((2,), studio.host.model.info.word_norm["clip_l"]))
    texts = [event.text for event in studio.of(LogMessage)]
    assert "2 vectors start near zero, where there is no norm to keep, and will have an ordinary word's." in texts


@pytest.mark.parametrize(("vectors", "used"), [(1, "the first 1 of the 2 vectors"), (2, "the 2 vectors")])
def test_another_embedding_gives_its_vectors(studio: Studio, vectors: int, used: str) -> None:
    studio.train()
    made, said = new(studio, init_from="my-style", vectors=vectors)
    theirs = files.load(studio.embedding_file).vectors["clip_l"]
    assert made.vectors["clip_l"].equal(theirs[:vectors])
    assert (made.step, made.recipe["initialization"]) == (0, "my-style after 20 steps")
    assert f"The vectors start from {used} of my-style after 20 steps" in said


def test_more_vectors_than_another_embedding_has_are_repeated_with_noise(studio: Studio) -> None:
    made, said = new(studio, init_from="my-style", vectors=5)
    theirs = files.load(studio.embedding_file).vectors["clip_l"]
    assert made.vectors["clip_l"][[0, 3]].equal(theirs)
    assert len({tuple(vector) for vector in made.vectors["clip_l"].tolist()}) == 5
    assert "Repeats get a little noise" in said


def test_an_embedding_of_another_family_is_refused(studio: Studio) -> None:
    files.save(Embedding("wide", {"clip_h": torch.ones(1, 1024)}), studio.host.folders.embeddings / "wide.safetensors")
    with pytest.raises(BadInput, match=f"its vectors are clip_h 1024 wide, and fake takes clip_l {WIDTH}"):
        new(studio, init_from="wide")
    assert not (studio.host.folders.embeddings / "new-style.safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"init_from": "nothing"}, "There is no embedding 'nothing'"),
        ({"init_from": "my-style", "initialization": "zeros"}, "Initialization is zeros, and Initial embedding is"),
        ({"initialization": "random"}, "choose one of words, mean, zeros"),
    ],
)
def test_what_cannot_be_started_from_is_refused(studio: Studio, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        new(studio, **changes)


def test_long_vectors_that_are_kept_long_are_pointed_out(studio: Studio) -> None:
    path = studio.embedding_file
    embedding = files.load(path)
    files.save(replace(embedding, vectors={"clip_l": embedding.vectors["clip_l"] * 20}), path)
    studio.train(vector_norm="fixed", max_steps=1)
    assert any("times the norm of an ordinary word" in event.text for event in studio.of(LogMessage))


def test_the_command_line_says_what_a_new_embedding_starts_from(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert main(["create", "my-style", "--initialization", "zeros", "--vectors", "2"]) == 0
    out = capsys.readouterr().out
    assert "with 2 vectors.\nThe vectors start near zero" in out
    assert main(["create", "other-style", "--init-from", "my-style", "--vectors", "2"]) == 0
    assert "The vectors start from the 2 vectors of my-style after 0 steps" in capsys.readouterr().out
