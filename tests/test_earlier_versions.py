"""Files that earlier versions wrote are read as they were meant; see earlier_versions/README.md."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional

from lib_ti.cli.arguments import read_settings_file
from lib_ti.cli.main import main
from lib_ti.config import CaptionConfig, TrainConfig, from_mapping
from lib_ti.data.preparations import exclusions, remember
from lib_ti.embedding import files
from lib_ti.pocket import CHECKPOINT
from lib_ti.prep.captions.captioning import caption_with_host
from lib_ti.training.files.tables import read_table
from lib_ti.training.validation.history import read_history
from tests.fakes import FakeHost

STORED = Path(__file__).parent / "earlier_versions" / "0.1.0"
RUN = Path("textual_inversion") / "2026-11-30" / "my-style"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored files, as the current folder."""
    shutil.copytree(STORED, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arithmetic() -> str:
    """Digest of the kinds of operations that a training step consists of, gradients included.

    Processors and versions of PyTorch add in different orders, and then no two training steps are equal in every bit.
    """
    rng = torch.Generator().manual_seed(1)

    def sample(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=rng).requires_grad_(True)

    image, kernel, words, weight = sample(2, 32, 16, 16), sample(32, 32, 3, 3), sample(2, 77, 48), sample(48, 48)
    features = functional.silu(functional.group_norm(functional.conv2d(image, kernel, padding=1), 8))
    keys = functional.layer_norm(words, (48,)) @ weight
    attended = functional.scaled_dot_product_attention(features.flatten(2), features.flatten(2), features.flatten(2))
    total = attended.square().mean() + functional.gelu(keys).softmax(-1).std() + (keys * 0.1).exp().mean()
    total.backward()
    tensors = (total, *(tensor.grad for tensor in (image, kernel, words, weight)))
    digest = hashlib.sha256()
    for tensor in tensors:
        assert tensor is not None
        digest.update(tensor.detach().numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.skipif(not CHECKPOINT.exists(), reason="the small model is not there")
def test_a_stored_run_is_resumed_with_equal_results(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here / "run")
    (settings,) = RUN.glob("settings-*.json")
    folders = ["--checkpoint", str(CHECKPOINT), "--embeddings-dir", "embeddings", "--device", "cpu"]
    assert main(["train", "--config", str(settings), *folders]) == 0
    assert "resumes after step 6" in (RUN / "run.log").read_text()
    reached = files.load(Path("embeddings/my-style.safetensors"))
    expected = files.load(Path("after-12-steps.safetensors"))
    assert reached.step == expected.step == 12
    torch.testing.assert_close(reached.vectors["clip_l"], expected.vectors["clip_l"], rtol=0, atol=1e-6)
    # Several threads add in another order too, in larger operations than those of the digest.
    if torch.get_num_threads() == 1 and arithmetic() == (STORED / "run" / "arithmetic.txt").read_text().strip():
        assert reached.vectors["clip_l"].equal(expected.vectors["clip_l"])
    assert [int(row["step"]) for row in read_table(RUN / "textual_inversion_loss.csv")] == list(range(1, 13))
    checks = read_history(RUN / "evaluation.csv")
    assert [check.step for check in checks] == [0, 3, 6, 9, 12]
    assert len({check.data for check in checks}) == 1, "what was measured then and now can be compared"


def test_a_stored_settings_file_keeps_its_meaning() -> None:
    assert from_mapping(TrainConfig, read_settings_file(STORED / "settings.json")) == TrainConfig(
        name="my-style",
        dataset="my images",
        subfolders=True,
        template="subject",
        learning_rate="0.005:100, 1e-3:1000, 1e-5",
        max_steps=700,
        width=512,
        height=768,
        resize="buckets",
        batch_size=3,
        gradient_accumulation=4,
        save_image_every=7,
        save_embedding_every=70,
        png_chunks=False,
        preview_prompt="a house by [name]",
        preview_negative="blurry",
        preview_steps=30,
        preview_sampler="DDIM",
        preview_scheduler="Karras",
        preview_cfg=5.5,
        preview_seed=11,
        preview_width=256,
        preview_height=320,
        latent_sampling="random",
        shuffle_tags=True,
        tag_dropout=0.1,
        use_alpha=True,
        warmup_steps=20,
        learning_rate_decay="cosine",
        weight_decay=0.01,
        clip="norm",
        clip_value=0.5,
        validation_split=0.2,
        validate_every=25,
        seed=5,
        precision="bfloat16",
        gradient_checkpointing="all-blocks",
        log_directory="logs",
        cache_latents=False,
    )


def test_a_stored_preparation_is_unchanged_and_reproducible(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here / "prepared")
    result = Path("prepared/thing_005.png")  # with a removed part
    before = Image.open(result).tobytes()
    again = ["prepare", "found", "prepared", "--config", "preparation-settings.json"]
    settings = json.loads(Path("prepared/preparation.json").read_text())["settings"]
    Path("preparation-settings.json").write_text(json.dumps(settings))
    assert main([*again, "--dry-run", "--json"]) == 0
    planned = [event for line in capsys.readouterr().out.splitlines() if "source" in (event := json.loads(line))]
    assert [(one["source"], one["state"]) for one in planned] == [
        *[("02.png", "unchanged")] * 4,
        *[("03.png", "unchanged")] * 2,
        *[("04.png", "unchanged")] * 2,
    ]
    result.unlink()
    assert main(again) == 0
    assert Image.open(result).tobytes() == before
    remember(Path("found"), Path("prepared"))
    assert exclusions(Path("found")).names == {"01.png"}


def test_stored_captions_are_known_as_written_by_a_captioner(here: Path) -> None:
    folder = here / "prepared" / "prepared"
    config = CaptionConfig(existing="append", prefix="a photo of ")
    done = caption_with_host(
        FakeHost(here), folder, config, progress=lambda *_: None, stop=lambda: False, report=lambda _: None
    )
    assert len(done.unchanged) == 8
    assert not done.written
