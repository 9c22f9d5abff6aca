"""From a folder of images to a keyword: every product is where the steps by hand have it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.data.beside.captions import read_caption
from lib_ti.embedding import files
from lib_ti.errors import BadInput
from lib_ti.make_it.pipeline import PHASES
from lib_ti.prep.prepared import images_in
from lib_ti.training.files.run_folder import find_runs
from tests.make_it.conftest import Workshop


def test_a_folder_of_images_becomes_a_keyword(workshop: Workshop) -> None:
    (workshop.images / "broken.png").write_bytes(b"nothing")
    shutil.copy(workshop.images / "3.png", workshop.images / "copy.png")
    made = workshop.make(what="watercolor painting")
    assert workshop.started() == [phase.name for phase in PHASES]
    prepared = images_in(workshop.prepared)
    size = workshop.host.models.size
    assert len(prepared) == 10, workshop.said("inspect")
    assert {Image.open(path).size for path in prepared} == {(size, size)}
    assert read_caption(prepared[0]).text.startswith("colour ")
    assert "broken.png" in workshop.said("inspect") and "twice: copy.png." in workshop.said("inspect")
    embedding = files.load(workshop.host.folders.embeddings / "my-style.safetensors")
    assert embedding.recipe["initialization_text"] == "watercolor painting"
    assert (embedding.count, embedding.step) == (4, made.facts["step"])
    (run,) = find_runs(workshop.folder / "runs", "my-style")
    assert made.facts["run"] == str(run.path) and made.finished
    assert Image.open(made.facts["sheet"]).size[0] > 2 * size
    assert made.facts["prompts"][0].startswith("colour ") and made.facts["prompts"][0].endswith(", by [name]")
    assert not workshop.host.models.open_sessions
    assert sorted(path.name for path in workshop.images.glob("*.txt")) == []  # the images' folder is only read


def test_without_a_captioner_it_says_what_captions_would_bring(workshop: Workshop) -> None:
    workshop.host.tools.captioners = ()
    made = workshop.make(what="fog", kind="subject")
    assert "10 images without a caption" in workshop.said("caption")
    assert "Captions that say what else an image shows" in workshop.said("caption")
    assert made.facts["template"] == "subject"
    assert made.facts["prompts"][0] == "a photo of [name]"


def test_captions_and_describing_file_names_are_used(workshop: Workshop) -> None:
    workshop.host.tools.captioners = ()
    for path in list(workshop.images.glob("*.png")):
        path.rename(path.with_name(f"{path.stem} red house {path.stem}.png"))
    assert workshop.make(what="fog").facts["template"] == "style_filewords"
    assert "their file names are used" in workshop.said("caption")


def test_a_text_to_start_from_is_suggested(workshop: Workshop) -> None:
    made = workshop.make()
    assert made.facts["initialization_text"] in ("style", "watercolor", "glossy", "striped", "fog", "lemon")
    assert "The embedding starts from" in workshop.said("suggest") or "the embedding starts from" in workshop.said(
        "suggest"
    )


def test_comparing_words_for_hours_is_given_up(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_ti.make_it.embedding.MOST_SECONDS", 0.0)
    assert workshop.make().facts["initialization_text"] == "style"
    assert "would take about" in workshop.said("suggest")


def test_files_and_zips_are_brought_in_first(workshop: Workshop, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", workshop.images)
    target = workshop.host.folders.datasets / "my-style"
    workshop.make(images=str(target), what="fog", incoming=(Path(archive),))
    assert len(images_in(target)) == 10
    assert len(images_in(target.with_name("my-style-prepared"))) == 10
    assert "10 images in" in workshop.said("bring")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keyword": ""}, "Keyword is empty"),
        ({"keyword": "cat"}, "cat"),
        ({"keyword": "a/b"}, "holds parts of a path"),
        ({"images": "nowhere"}, "Folder with your images 'nowhere' does not exist"),
        ({"kind": "thing"}, "choose one of style, subject"),
        ({"output": "{images}"}, "is the source folder"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    workshop: Workshop, changes: dict[str, str], words: str
) -> None:
    given = {name: value.format(images=workshop.images) for name, value in changes.items()}
    with pytest.raises(BadInput, match=words):
        workshop.make(**given)
    assert not workshop.prepared.exists()


def test_a_folder_without_images_names_its_subfolders(workshop: Workshop) -> None:
    shutil.move(workshop.images, workshop.folder / "inner")
    workshop.images.mkdir()
    shutil.move(workshop.folder / "inner", workshop.images / "inner")
    with pytest.raises(BadInput, match=r"no image in .*images that can be read(.|\n)*inner \(10 images\)"):
        workshop.make(what="fog")


def test_a_taken_keyword_is_refused(workshop: Workshop) -> None:
    workshop.make(what="fog")
    shutil.copytree(workshop.images, workshop.folder / "others")
    with pytest.raises(BadInput, match="'my-style' is taken by the embedding"):
        workshop.make(images=str(workshop.folder / "others"), what="fog")


def test_another_keyword_of_the_same_images_is_made_beside_the_first(workshop: Workshop) -> None:
    workshop.make(what="fog")
    workshop.make(keyword="other-style", what="fog")
    assert len(list(workshop.host.folders.embeddings.glob("*.safetensors"))) == 2
    assert len(list(workshop.prepared.glob("make_it.json.replaced-*"))) == 1
    assert len(images_in(workshop.prepared)) == 10
