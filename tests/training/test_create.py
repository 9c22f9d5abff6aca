"""Creating an embedding: what it replaces is kept, and what is being trained is left alone."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from lib_ti.config import CreateConfig
from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.signals import Event, StepDone
from lib_ti.training.create import create
from lib_ti.training.files.place import Placed
from tests.fakes import WIDTH
from tests.training.conftest import Studio


def new(studio: Studio, **changes: object) -> Placed:
    return create(studio.host, CreateConfig(**{"name": "my-style", "vectors": 3, "overwrite": True, **changes}))


def backup(path: Path) -> Path:
    """Someone's own embedding."""
    files.save(Embedding(path.stem, {"clip_l": torch.rand(1, WIDTH)}), path)
    return path


def test_overwriting_keeps_everything_that_it_replaces_and_names_it(studio: Studio) -> None:
    folder = studio.host.folders.embeddings
    before = {
        path: path.read_bytes()
        for path in (
            studio.embedding_file,
            backup(folder / "my-style.png"),
            backup(folder / "backup" / "my-style.pt"),
            backup(folder / "My-Style.bin"),
        )
    }
    other = backup(folder / "other.pt").read_bytes()
    made = new(studio)
    assert made.path == studio.embedding_file
    assert files.load(made.path).count == 3
    kept = {path.with_name(path.name.split(".replaced-")[0]): path.read_bytes() for path in made.replaced}
    assert kept == before
    for path in made.replaced:
        assert str(path) in made.notes[-1]
    assert library.find_all(folder, "my-style") == [made.path]
    assert (folder / "other.pt").read_bytes() == other


def test_files_that_take_a_name_are_told_apart_by_their_folders(studio: Studio) -> None:
    backup(studio.host.folders.embeddings / "backup" / "my-style.safetensors")
    named = r"\(backup/my-style\.safetensors, my-style\.safetensors\)"
    with pytest.raises(BadInput, match=rf"already {named}: .* turn on Overwrite Old Embedding \(--overwrite\)"):
        new(studio, overwrite=False)


def test_overwriting_in_another_format_leaves_one_embedding(studio: Studio) -> None:
    made = new(studio, file_format="pt")
    assert library.find(studio.host.folders.embeddings, "my-style") == made.path
    assert [path.name.split(".replaced-")[0] for path in made.replaced] == ["my-style.safetensors"]


def test_overwriting_twice_keeps_both(studio: Studio) -> None:
    first, second = new(studio), new(studio)
    assert len({*first.replaced, *second.replaced}) == 2
    assert all(path.exists() for path in (*first.replaced, *second.replaced))


def test_where_the_new_one_cannot_be_written_the_old_ones_stay(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    backup(studio.host.folders.embeddings / "my-style.pt")
    before = sorted(studio.host.folders.embeddings.iterdir())
    monkeypatch.setattr(studio.host.model, "initial_vectors", lambda *_: {"clip_l": torch.full((1, WIDTH), torch.nan)})
    with pytest.raises(Exception, match="was not saved"):
        new(studio)
    assert sorted(studio.host.folders.embeddings.iterdir()) == before


@pytest.mark.parametrize("name", ["My-Style", "my - style"])
def test_a_name_that_prompts_cannot_tell_from_another_is_taken(studio: Studio, name: str) -> None:
    with pytest.raises(BadInput, match=rf"There is an embedding 'my-style' already .+cannot tell '{name}' from it"):
        new(studio, name=name, overwrite=False)


def test_a_failed_refresh_is_a_warning(studio: Studio) -> None:
    studio.host.models.refresh_fails = "The host did not load it."
    assert new(studio).warnings == ("The host did not load it.",)


def test_two_that_create_one_name_do_not_both_write_it(studio: Studio) -> None:
    """The second one comes while the first waits for the model."""
    refused: list[str] = []
    initial_vectors = studio.host.model.initial_vectors

    def meanwhile(text: str, count: int) -> dict[str, torch.Tensor]:
        with pytest.raises(BadInput) as caught:
            new(studio, name="fresh-one", overwrite=False)
        refused.append(str(caught.value))
        return initial_vectors(text, count)

    studio.host.model.initial_vectors = meanwhile  # type: ignore[method-assign]
    new(studio, name="fresh-one", overwrite=False)
    assert "Embedding 'fresh-one' is being created by this program since" in refused[0]


@pytest.mark.parametrize("changes", [{}, {"file_format": "pt"}, {"name": "MY-style"}])
def test_an_embedding_in_training_is_not_replaced_and_nobody_waits(studio: Studio, changes: dict[str, str]) -> None:
    """The run has the model: who waited for it would wait for the run's end."""
    refused: list[str] = []
    before: list[Path] = []

    def overwrite(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 12:
            before.extend(sorted(studio.host.folders.embeddings.iterdir()))
            sessions = studio.host.models.open_sessions
            with pytest.raises(BadInput) as caught:
                new(studio, **changes)
            refused.append(str(caught.value))
            assert studio.host.models.open_sessions == sessions

    studio.train(overwrite)
    assert len(refused) == 1
    assert "is being trained by this program since" in refused[0]
    assert files.load(studio.embedding_file).step == 20
    assert not any(".lock" in path.name for path in studio.host.folders.embeddings.iterdir()), "the run has ended"
    assert any(".lock" in path.name for path in before)
    assert new(studio).replaced


def test_a_second_training_of_the_same_name_is_refused_with_the_first_ones_start(studio: Studio) -> None:
    refused: list[str] = []

    def again(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            second = threading.Thread(target=lambda: refused.append(_refusal(studio)))
            second.start()
            second.join()

    studio.train(again)
    assert len(refused) == 1
    assert "Embedding 'my-style' is being trained by this program since" in refused[0]


def _refusal(studio: Studio) -> str:
    from lib_ti.signals import Control
    from lib_ti.training.run import train

    with pytest.raises(BadInput) as caught:
        train(studio.host, studio.config(), lambda event: None, Control())
    return str(caught.value)
