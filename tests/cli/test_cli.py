"""The command line on the pocket model, as a user types it: every file by name, every exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.cli.main import main
from lib_ti.embedding import files
from lib_ti.pocket.sample_set import sample_set
from lib_ti.training.files.run_state import load_state
from lib_ti.training.files.tables import read_table

TRAIN = [
    "--dataset",
    "images",
    "--batch-size",
    "2",
    "--validate-every",
    "4",
    "--preview-steps",
    "4",
    "--preview-seed",
    "5",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with ten images, as the current one."""
    sample_set(tmp_path / "images", "striped", count=10)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def create(name: str = "my-style", *more: str) -> None:
    assert main(["create", name, "--text", "style", "--vectors", "2", *more]) == 0


def test_create_train_generate_show_convert(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create()
    assert (
        main(
            ["train", "my-style", *TRAIN, "--max-steps", "8", "--save-image-every", "4", "--save-embedding-every", "4"]
        )
        == 0
    )
    assert files.load(here / "embeddings/my-style.safetensors").step == 8
    run = next((here / "textual_inversion").glob("*/my-style"))
    for name in (
        "images/my-style-4.png",
        "image_embeddings/my-style-8.png",
        "embeddings/my-style-8.safetensors",
        "embeddings/my-style-best.safetensors",
        "textual_inversion_loss.csv",
        "evaluation.csv",
        "loss.png",
        "run.log",
        "state.safetensors",
    ):
        assert (run / name).stat().st_size > 0, name
    assert f"The run's folder is {run.absolute()}." in (run / "run.log").read_text()

    assert main(["generate", "a red circle by my-style", "--seed", "3", "--steps", "4", "--count", "2"]) == 0
    drawn = sorted((here / "generated").glob("0000*-*.png"))
    assert [path.name for path in drawn] == ["00001-3.png", "00002-4.png"]
    with Image.open(drawn[0]) as image:
        assert image.size == (64, 64)
        assert image.text["parameters"].startswith("a red circle by my-style\nSteps: 4")

    capsys.readouterr()
    assert main(["show", "embeddings/my-style.safetensors", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["vectors"], shown["steps"]) == ("my-style", 2, 8)
    assert shown["initialization text"] == "style"

    card = run / "image_embeddings/my-style-8.png"
    for target in ("my-a.pt", "my-a.bin", "my-a.png", "my-a.webp", "my-a.safetensors"):
        assert (
            main(
                ["convert", str(card), target, "--image", str(drawn[0])]
                if target == "my-a.png"
                else ["convert", str(card), target]
            )
            == 0
        )
        assert files.load(Path(target)).vectors["clip_l"].equal(files.load(card).vectors["clip_l"])
    assert main(["convert", str(card), "my-a.pt"]) == 2


def test_converting_keeps_what_it_replaces(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create()
    create("other-style")
    before = (here / "embeddings/other-style.safetensors").read_bytes()
    arguments = ["convert", "embeddings/my-style.safetensors", "embeddings/other-style.safetensors", "--overwrite"]
    assert main(arguments) == 0
    (kept,) = (here / "embeddings").glob("other-style.safetensors.replaced-*")
    assert kept.read_bytes() == before
    assert str(kept.relative_to(here)) in capsys.readouterr().out
    assert main([*arguments[:2], "none/my-a.pt", "--image", "none.png"]) == 2
    assert not (here / "none").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.safetensors.safetensors", "Use 'x'."),
        ("cat.pt", "a word that the model already knows"),
        ("CON.png", "reserved by Windows"),
        ("123.webp", "has no letters"),
        ("My - Style.pt", "prompts cannot tell 'My - Style' from it"),
        ("my-new", "has the suffix"),
        ("my-new.ckpt", "has the suffix '.ckpt'"),
    ],
)
def test_converting_refuses_the_names_that_create_refuses(
    here: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    create()
    before = sorted(here.rglob("*"))
    assert main(["convert", "embeddings/my-style.safetensors", f"embeddings/{name}"]) == 2
    assert words in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_a_name_in_use_may_change_its_format(here: Path) -> None:
    create()
    (here / "cat.safetensors").write_bytes((here / "embeddings/my-style.safetensors").read_bytes())
    assert main(["convert", "cat.safetensors", "cat.pt"]) == 0


def test_a_saved_settings_file_runs_again(here: Path) -> None:
    create()
    assert main(["train", "my-style", *TRAIN, "--max-steps", "4", "--save-image-every", "0"]) == 0
    settings = next((here / "textual_inversion").glob("*/my-style/settings-*.json"))
    first = files.load(Path("embeddings/my-style.safetensors"))
    create("my-style", "--overwrite")
    assert main(["train", "--config", str(settings)]) == 0
    second = files.load(Path("embeddings/my-style.safetensors"))
    assert second.vectors["clip_l"].equal(first.vectors["clip_l"])


def test_events_for_programs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create()
    capsys.readouterr()
    assert main(["train", "my-style", *TRAIN, "--max-steps", "2", "--save-image-every", "0", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds[-1] == "RunFinished"
    assert [event["step"] for event in events if event["event"] == "StepDone"] == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nothing", "--dataset", "images"], "There is no embedding 'nothing'"),
        (["train", "nothing", "--dataset", "nowhere", "--max-steps", "0"], "Max steps is 0, which needs a preset"),
        (["generate", "x", "--sampler", "magic"], "magic"),
        (["generate", "x", "--width", "100"], "multiple of 8"),
        (["generate", "x", "--checkpoint", "none.safetensors"], "none.safetensors"),
        (["show", "none.pt"], "none.pt"),
        (["create", "a/b"], "a/b"),
        (["create", "cat"], "a word that the model already knows"),
        (["create", "x.safetensors"], "Use 'x'."),
        (["create", "123"], "has no letters"),
        (["create", "x", "--vectors", "76"], "largest possible value is 75"),
        (["train", "--config", "none.json"], "none.json"),
    ],
)
def test_bad_input_exits_with_2_and_a_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    before = sorted(here.rglob("*"))
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert sorted(here.rglob("*")) == before


def test_help_shows_labels_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--max-steps N Max steps: The run ends at this step of the embedding; 0: after" in text
    assert "as the preset has. (default: 5000)" in text
    assert "--no-png-chunks" in text


def start(here: Path, *more: str) -> subprocess.Popen[str]:
    """A training in a process of its own, once it stands at step 3 or later."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "lib_ti", "train", "my-style", *TRAIN, "--save-image-every", "0", "--json", *more]
    process = subprocess.Popen(
        command, cwd=here, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "StepDone" and event["step"] >= 3:
            return process
    raise AssertionError(process.communicate()[1])


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_every_command_refuses_an_embedding_that_another_program_trains(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create()
    (here / "elsewhere").mkdir()
    (here / "elsewhere/my-style.safetensors").write_bytes((here / "embeddings/my-style.safetensors").read_bytes())
    process = start(here, "--max-steps", "100000")
    try:
        who = f"Embedding 'my-style' is being trained by another program (process {process.pid} on "
        for arguments in (
            ["create", "my-style", "--overwrite"],
            ["create", "my-style", "--overwrite", "--file-format", "pt"],
            ["convert", "elsewhere/my-style.safetensors", "embeddings/my-style.safetensors", "--overwrite"],
            ["convert", "elsewhere/my-style.safetensors", "embeddings/my-style.pt"],
            ["train", "my-style", *TRAIN],
        ):
            capsys.readouterr()
            began = time.monotonic()
            assert main(arguments) == 2
            assert who in capsys.readouterr().err
            assert time.monotonic() - began < 5
    finally:
        process.kill()
        process.communicate()
    assert {path.name for path in (here / "embeddings").iterdir()} >= {"my-style.safetensors", ".my-style.lock"}
    create("my-style", "--overwrite")
    assert files.load(here / "embeddings/my-style.safetensors").step == 0
    assert not (here / "embeddings/.my-style.lock").exists(), "what a killed program left is taken over"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_stops_after_the_step_and_saves(here: Path) -> None:
    create()
    process = start(here, "--max-steps", "100000")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopping after this step" in err
    finished = json.loads(out.splitlines()[-1])
    assert (finished["reason"], finished["stopped_by"]) == ("stopped", "Ctrl-C")
    assert files.load(here / "embeddings/my-style.safetensors").step == finished["step"]


def test_another_dataset_needs_confirmation_and_the_last_line_reports_the_gain(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create()
    plain = ["--save-image-every", "0", "--validate-every", "2"]
    assert main(["train", "my-style", *TRAIN, *plain, "--max-steps", "4", "--learning-rate", "1e-9"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "Nothing was gained: the validation loss was" in last
    assert "raise the Embedding learning rate" in last
    sample_set(here / "others", "striped", count=8, seed=3)
    other = [*TRAIN, *plain, "--dataset", "others", "--max-steps", "6"]
    assert main(["train", "my-style", *other]) == 2
    assert "on other images ('images') than those in 'others'" in capsys.readouterr().err
    assert main(["train", "my-style", *other, "--new-data"]) == 0
    assert [run.name for run in sorted((here / "textual_inversion").glob("*/*/"))] == ["my-style", "my-style-2"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_kill_9_leaves_whole_files_and_an_exact_resume(here: Path) -> None:
    create()
    keep = ("--save-embedding-every", "2", "--vector-norm", "fixed")
    process = start(here, "--max-steps", "100000", *keep)
    time.sleep(0.3)
    process.kill()
    process.communicate()
    run = next((here / "textual_inversion").glob("*/my-style"))
    state = load_state(run / "state.safetensors")
    for path in [*run.glob("embeddings/*"), here / "embeddings/my-style.safetensors"]:
        assert path.name.startswith(".") or files.load(path).vectors["clip_l"].isfinite().all()
    steps = state.step + 3
    arguments = [*TRAIN, "--max-steps", str(steps), "--save-image-every", "0", *keep]
    assert main(["train", "my-style", *arguments]) == 0
    rows = [int(row["step"]) for row in read_table(run / "textual_inversion_loss.csv")]
    assert rows == list(range(1, steps + 1))
    resumed = files.load(here / "embeddings/my-style.safetensors")
    create("other-style")
    assert main(["train", "other-style", *arguments]) == 0
    # The name is only where the vectors go, so that an uninterrupted run under another name must be equal.
    assert resumed.vectors["clip_l"].equal(files.load(here / "embeddings/other-style.safetensors").vectors["clip_l"])
