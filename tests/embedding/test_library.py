"""Which embeddings a folder has, as the WebUI reads it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from lib_ti.embedding import files, library
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput
from tests.fakes import WIDTH, FakeModel


def write(folder: Path, *names: str) -> list[Path]:
    """An embedding under each name, with vectors of its own."""
    paths = [folder / name for name in names]
    for number, path in enumerate(paths, 1):
        files.save(Embedding(path.stem, {"clip_l": torch.full((1, WIDTH), float(number))}), path)
    return paths


def used_by_the_webui(folder: Path, name: str) -> str:
    """The rule of its ``load_from_dir`` and ``register_embedding_by_name``: of one stem, what os.walk has last."""
    walked = [os.path.join(root, file) for root, _, names in os.walk(folder, followlinks=True) for file in names]
    return [path for path in walked if Path(path).stem == name][-1]


def test_of_files_with_one_stem_the_used_one_is_named(tmp_path: Path) -> None:
    paths = write(tmp_path, "x.safetensors", "old/x.pt", "old/older/x.safetensors", "y.pt")[:3]
    used = used_by_the_webui(tmp_path, "x")
    ignored = [str(path) for path in sorted(paths) if str(path) != used]
    with pytest.raises(BadInput) as caught:
        library.find(tmp_path, "x")
    assert f"There are 3 embeddings called 'x': the WebUI uses {used} in prompts, and not " in str(caught.value)
    assert ", ".join(ignored) in str(caught.value)


def test_images_use_the_same_embedding_as_the_webui_and_report_it(tmp_path: Path) -> None:
    write(tmp_path, "x.safetensors", "old/x.pt")
    loaded, reasons = library.load_folder(tmp_path, FakeModel().info)
    used = Path(used_by_the_webui(tmp_path, "x"))
    assert [one.vectors["clip_l"][0, 0] for one in loaded] == [files.load(used).vectors["clip_l"][0, 0]]
    assert len(reasons) == 1 and f"{used} has the same name in prompts" in reasons[0]


def test_a_damaged_file_does_not_stand_in_the_way(tmp_path: Path) -> None:
    write(tmp_path, "x.safetensors")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "x.pt").write_bytes(b"damaged")
    loaded, reasons = library.load_folder(tmp_path, FakeModel().info)
    assert [one.name for one in loaded] == ["x"]
    assert len(reasons) == 1 and reasons[0].startswith("x.pt is not used")


@pytest.mark.parametrize("other", ["My-Style", "my - style"])
def test_of_names_that_read_alike_the_first_is_used(tmp_path: Path, other: str) -> None:
    write(tmp_path, "my-style.pt", f"sub/{other}.pt")
    with pytest.raises(BadInput, match="names that prompts cannot tell apart") as caught:
        library.find(tmp_path, "my-style")
    assert f"the WebUI uses {tmp_path / 'my-style.pt'} in prompts" in str(caught.value)


def test_linked_folders_are_read_and_circles_end(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", "x.pt")
    (tmp_path / "embeddings").mkdir()
    try:
        (tmp_path / "embeddings" / "more").symlink_to(tmp_path / "elsewhere")
        (tmp_path / "embeddings" / "circle").symlink_to(tmp_path / "embeddings")
    except OSError:
        pytest.skip("links cannot be made here")
    assert library.find(tmp_path / "embeddings", "x") == tmp_path / "embeddings" / "more" / "x.pt"


def test_replaced_and_unfinished_files_are_not_embeddings(tmp_path: Path) -> None:
    write(tmp_path, "x.pt")
    for name in ("x.pt.replaced-2026-11-30-101500", ".x-0123abcd.pt.writing", ".x.lock", "x.preview.png"):
        (tmp_path / name).write_bytes((tmp_path / "x.pt").read_bytes())
    assert library.list_names(tmp_path) == ["x"]
    assert library.find(tmp_path, "x") == tmp_path / "x.pt"
