"""Commands load no more than they use: each runs in a process of its own, which tells at its end what it has loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.embedding.formats import reading
from lib_ti.pocket.sample_set import sample_set

TELL = "import sys; from lib_ti.cli.main import main; code = main(sys.argv[1:]); print(*sys.modules); sys.exit(code)"
COMPILER = {"torch._dynamo", "sympy", "scipy.stats"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def loaded(*arguments: str) -> set[str]:
    """The modules that are loaded when a command has ended."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TELL, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("suffix", reading.SUFFIXES)
def test_show_loads_no_torch(folder: Path, suffix: str) -> None:
    files.save(Embedding("my-style", {"clip_l": torch.ones(2, 768)}), folder / f"my-style{suffix}")
    assert not loaded("show", f"my-style{suffix}", "--json") & {"torch", "safetensors", "tokenizers", *COMPILER}


def test_create_reads_the_token_table_and_builds_no_network(folder: Path) -> None:
    found = loaded("create", "my-style", "--text", "style")
    assert "torch" in found
    assert not found & {"diffusers", "transformers", "matplotlib", *COMPILER}


def test_training_with_previews_loads_no_compiler(folder: Path) -> None:
    sample_set(folder / "images", "striped", count=2)
    assert main(["create", "my-style", "--text", "style"]) == 0
    steps = ("--max-steps", "1", "--preview-steps", "1", "--validate-every", "0")
    found = loaded("train", "my-style", "--dataset", "images", *steps)
    assert {"torch", "diffusers", "transformers"} <= found
    assert not found & COMPILER
