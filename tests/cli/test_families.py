"""The command line on checkpoints like SD 2 and SDXL: every command, exact resume, and files for each encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.files.run_state import load_state
from tests.checkpoints import KINDS, SIZE, write_checkpoint

TRAIN = ["--batch-size", "2", "--validate-every", "2", "--preview-steps", "2", "--preview-seed", "5"]
STEPS = 4


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        write_checkpoint(folder, kind)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with ten images, as the current one."""
    sample_set(tmp_path / "images", "striped", count=10)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def create(checkpoint: Path, name: str) -> None:
    assert main(["create", name, "--text", "style", "--vectors", "2", "--checkpoint", str(checkpoint)]) == 0


def train(checkpoint: Path, name: str, steps: int, *more: str) -> int:
    settings = ["--max-steps", str(steps), "--save-embedding-every", "2", "--save-image-every", "2"]
    return main(["train", name, "--dataset", "images", *TRAIN, *settings, "--checkpoint", str(checkpoint), *more])


@pytest.mark.parametrize("kind", KINDS)
def test_create_train_generate_show_convert(
    models: Path, here: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = models / f"{kind}.safetensors"
    create(checkpoint, "my-style")
    parts = "Each vector has a part for every text encoder of the model: clip_l (32 numbers) and clip_g (48 numbers)."
    assert (parts in capsys.readouterr().out) == ("sdxl" in kind)
    created = files.load(here / "embeddings/my-style.safetensors")
    assert train(checkpoint, "my-style", STEPS) == 0
    trained = files.load(here / "embeddings/my-style.safetensors")
    assert trained.step == STEPS
    assert len(trained.vectors) == len(KINDS[kind][0].encoders)
    for key, vectors in trained.vectors.items():
        assert not torch.equal(vectors, created.vectors[key])
    names = {"emb_params"} if len(trained.vectors) == 1 else {"clip_l", "clip_g"}
    assert load_file(here / "embeddings/my-style.safetensors").keys() == names
    run = next((here / "textual_inversion").glob("*/my-style"))
    assert (run / "images" / f"my-style-{STEPS}.png").stat().st_size > 0

    capsys.readouterr()
    arguments = ["--checkpoint", str(checkpoint), "--seed", "3", "--steps", "2"]
    assert main(["generate", "art by my-style", *arguments]) == 0
    assert "with my-style" in capsys.readouterr().out
    assert main(["show", "embeddings/my-style.safetensors", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["vectors"], shown["steps"], set(shown["widths"])) == (2, STEPS, set(trained.vectors))
    for target in ("my-a.pt", "my-a.bin", "my-a.png", "my-a.safetensors"):
        assert main(["convert", str(run / "image_embeddings" / f"my-style-{STEPS}.png"), target]) == 0
        converted = files.load(Path(target)).vectors
        assert all(torch.equal(vectors, converted[key]) for key, vectors in trained.vectors.items())


@pytest.mark.parametrize("kind", ["sd2-v", "sdxl"])
def test_a_resumed_run_has_equal_bits(models: Path, here: Path, kind: str) -> None:
    checkpoint = models / f"{kind}.safetensors"
    for name, parts in (("my-one", [STEPS]), ("my-two", [1, STEPS])):
        create(checkpoint, name)
        for steps in parts:
            assert train(checkpoint, name, steps, "--seed", "9") == 0
    one, two = (next((here / "textual_inversion").glob(f"*/{name}")) for name in ("my-one", "my-two"))
    first, second = (load_state(folder / "state.safetensors") for folder in (one, two))
    assert first.step == second.step == STEPS
    for part in ("vectors", "optimizer"):
        expected, found = getattr(first, part), getattr(second, part)
        assert expected.keys() == found.keys()
        assert all(torch.equal(tensor, found[key]) for key, tensor in expected.items())


def test_embeddings_of_another_family_are_refused_by_name(
    models: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create(models / "sd1.safetensors", "my-style")
    create(models / "sdxl.safetensors", "my-half")
    whole = load_file(here / "embeddings/my-half.safetensors")
    save_file({"clip_l": whole["clip_l"]}, here / "embeddings/my-half.safetensors")
    capsys.readouterr()
    assert train(models / "sdxl-v.safetensors", "my-style", STEPS) == 2
    assert "'my-style' is for an unknown family with vectors of 32 (clip_l), and model 'sdxl-v' is SDXL" in (
        capsys.readouterr().err
    )
    assert train(models / "sdxl.safetensors", "my-half", STEPS) == 2
    assert "lacks the vectors for clip_g: use the complete file" in capsys.readouterr().err
    arguments = ["--checkpoint", str(models / "sd2-v.safetensors"), "--steps", "2"]
    assert main(["generate", "my-style", *arguments]) == 0
    assert "my-style.safetensors is not used" in capsys.readouterr().out


def test_the_chosen_prediction_reaches_the_model_and_the_settings_file(
    models: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = models / "sdxl.safetensors"
    create(checkpoint, "my-style")
    assert train(checkpoint, "my-style", 2, "--prediction", "v") == 0
    run = next((here / "textual_inversion").glob("*/my-style"))
    (settings,) = run.glob("settings-*.json")
    assert json.loads(settings.read_text())["host"]["prediction"] == "v"
    assert train(checkpoint, "my-style", 3, "--prediction", "x0") == 2
    assert "Prediction 'x0' is not known" in capsys.readouterr().err


def test_images_are_generated_at_the_size_of_the_model(models: Path, here: Path) -> None:
    from PIL import Image

    checkpoint = models / "sdxl.safetensors"
    assert main(["generate", "a cat", "--checkpoint", str(checkpoint), "--steps", "2", "--seed", "1"]) == 0
    with Image.open(next((here / "generated").glob("*.png"))) as image:
        assert image.size == (SIZE, SIZE)
