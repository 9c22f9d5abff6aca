"""The embedding's file and its preview while a run replaces them: what others put there is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from lib_ti.signals import Event, LogMessage, Saved, StepDone
from tests.fakes import WIDTH, FakeHost
from tests.training.conftest import Studio


def replaced(folder: Path, name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob(f"{name}.replaced-*"))]


def test_a_file_put_there_during_the_run_is_kept_and_reported(studio: Studio) -> None:
    other = Embedding("my-style", {"clip_l": torch.rand(4, WIDTH)})

    def put(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 15:
            files.save(other, studio.embedding_file)

    studio.train(put)
    assert files.load(studio.embedding_file).step == 20
    (kept,) = studio.host.folders.embeddings.glob("my-style.safetensors.replaced-*")
    copy = shutil.copy(kept, studio.folder / "kept.safetensors")
    assert files.load(Path(copy)).count == 4
    assert any(note.warning and str(kept) in note.text for note in studio.of(LogMessage))


def test_a_run_keeps_nothing_of_its_own(studio: Studio) -> None:
    studio.train()
    studio.train(max_steps=40)
    assert sorted(path.name for path in studio.host.folders.embeddings.iterdir()) == [
        "my-style.preview.png", "my-style.safetensors",
    ]  # fmt: skip


def test_vectors_of_someone_else_are_kept_before_they_are_trained(studio: Studio) -> None:
    theirs = Embedding("my-style", {"clip_l": torch.rand(2, WIDTH)}, recipe={"trained_with": "another program"})
    files.save(theirs, studio.embedding_file)
    folder = studio.train().folder
    assert (
        files.load(folder / "embeddings" / "my-style-0.safetensors").vectors["clip_l"].equal(theirs.vectors["clip_l"])
    )


def test_a_persons_own_preview_is_kept_and_our_own_are_not(studio: Studio) -> None:
    shown = studio.embedding_file.with_name("my-style.preview.png")
    Image.new("RGB", (9, 9), "red").save(shown)
    theirs = shown.read_bytes()
    studio.train()
    assert shown.read_bytes() != theirs
    assert replaced(shown.parent, shown.name) == [theirs]
    studio.train(max_steps=30)
    assert replaced(shown.parent, shown.name) == [theirs]


def test_our_preview_that_a_person_edited_is_theirs(studio: Studio) -> None:
    studio.train()
    shown = studio.embedding_file.with_name("my-style.preview.png")
    with Image.open(shown) as picture:
        texts = PngInfo()
        for key, text in picture.text.items():
            texts.add_text(key, text)
        picture.transpose(Image.Transpose.ROTATE_90).point(lambda level: 255 - level).save(shown, pnginfo=texts)
    edited = shown.read_bytes()
    studio.train(max_steps=30)
    assert replaced(shown.parent, shown.name) == [edited]


def test_a_host_that_cannot_load_the_file_is_a_warning_and_the_run_goes_on(studio: Studio) -> None:
    studio.host.models.refresh_fails = "my-style.safetensors is saved, but the host did not load it."
    finished = studio.train()
    assert finished.reason == "done"
    assert [event.step for event in studio.of(Saved)] == [10, 20]
    warnings = [note.text for note in studio.of(LogMessage) if note.warning]
    assert warnings == [studio.host.models.refresh_fails] * 2
    assert studio.host.models.refresh_fails in (finished.folder / "run.log").read_text()


def test_one_run_is_continued_from_one_embeddings_folder_at_a_time(studio: Studio, tmp_path: Path) -> None:
    """Two embeddings folders with copies of one embedding, and one log directory."""
    studio.train(max_steps=10)
    second = FakeHost(tmp_path / "second")
    shutil.copytree(studio.host.folders.embeddings, second.folders.embeddings)
    refused: list[str] = []
    first = studio.host

    def continue_too(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 15:
            events = studio.events
            studio.host = second
            with pytest.raises(BadInput) as caught:
                studio.train(max_steps=20)
            refused.append(str(caught.value))
            studio.host, studio.events = first, events

    folder = studio.train(continue_too).folder
    assert len(refused) == 1
    assert f"The run in {folder} is being trained by this program since" in refused[0]
    assert files.load(second.folders.embeddings / "my-style.safetensors").step == 10
    assert [path.name for path in folder.parent.iterdir()] == ["my-style"]
