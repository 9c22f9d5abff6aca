"""The benchmark of a graphics card, on the processor and the small model: that it is ready for the first card."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lib_ti.families.registry import FAMILIES
from lib_ti.host.clip.token_table import TokenTable
from tests.benchmarks import gpu, gpu_families
from tests.benchmarks.gpu_place import SIZES, Check, Place, Result, write_checkpoint


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place("cpu", SIZES["small"], write_checkpoint(tmp_path, "small"), tmp_path)


def results(part: str, place: Place) -> dict[str, Result]:
    return {one.what: one for one in gpu.run_part(gpu.PARTS[part], place, time.monotonic() + 600)}


def test_waits_and_speed_are_measured_by_precision_and_batch(place: Place) -> None:
    found = results("steps", place)
    assert list(found) == [
        f"{precision}{what}"
        for precision in ("float32", "bfloat16")
        for what in (": waits for the device in a step", ", batch 1, 64 px: speed", ", batch 4, 64 px: speed")
    ]
    for what, one in found.items():
        if what.endswith("speed"):
            assert one.numbers["steps_per_second"] > 0, one
        else:
            assert one.measured == "only on a graphics card"


def test_each_family_is_measured_by_batch_size_and_checkpointing(place: Place) -> None:
    found = results("families", place)
    rate, *lines = found.values()
    assert rate.numbers["flops_per_second"] > 0
    assert len(lines) == 3 * 3 * 3
    assert lines[0].what == "SD 1, 64 px, batch 1, checkpointing off"
    assert lines[-1].what == "SDXL, 64 px, batch 16, checkpointing all-blocks"
    for one in lines:
        assert one.numbers["images_per_second"] > 0, one


def test_ways_to_run_the_unet_are_compared(place: Place) -> None:
    found = results("optimizations", place)
    assert len(found) == 4
    for what, one in found.items():
        assert one.numbers["steps_per_second"] > 0, what


@pytest.mark.parametrize("key", ["sd1", "sd2", "sdxl"])
def test_models_of_full_size_are_made_on_the_device(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_values(table: TokenTable, encoder: str, weight: torch.Tensor) -> None:
        table._encoder, table._weight, table.word_norm = encoder, weight, 1.0

    monkeypatch.setattr(TokenTable, "__init__", without_values)
    model = gpu_families.full_model(key, "bfloat16", torch.device("meta"))
    assert model.device.type == "meta"
    assert model.info.widths.keys() == FAMILIES[key].widths.keys()


def test_the_device_is_compared_with_the_processor(place: Place) -> None:
    found = list(results("agreement", place).values())
    assert [one.kept for one in found] == [True, True], found
    assert found[0].numbers["loss"] == found[0].numbers["processor"]
    assert found[1].numbers["loss"] != found[1].numbers["processor"]


def test_runs_are_compared_bit_for_bit(place: Place) -> None:
    found = list(results("resume", place).values())
    assert [one.measured for one in found] == ["equal bits", "equal bits"]


def test_every_full_memory_is_survived(place: Place) -> None:
    found = results("accidents", place)
    assert list(found) == [f"memory full in {where}" for where in ("loading", "encoding", "a step", "a preview")]
    for one in found.values():
        assert one.kept, one


def test_memory_is_gone_through_on_the_processor_too(place: Place) -> None:
    found = results("memory", place)
    assert len(found) == 12
    assert {one.measured for one in found.values()} == {"only on a graphics card"}


def test_a_failing_line_says_why_and_the_others_follow(place: Place) -> None:
    def fails() -> Result:
        raise RuntimeError("CUDA error:\nno kernel image")

    def part(place: Place) -> Iterator[Check]:
        yield Check("first", lambda: Result("first", "1"))
        yield Check("second", fails)
        yield Check("third", lambda: Result("third", "3"))
        raise ZeroDivisionError("no more")

    found = list(gpu.run_part(part, place, time.monotonic() + 60))
    assert [one.what for one in found] == ["first", "second", "third", "part"]
    assert found[1].measured == "RuntimeError: CUDA error: no kernel image"
    assert [one.kept for one in found] == [None, False, None, False]


def test_what_there_is_no_time_for_is_listed(place: Place) -> None:
    assert {one.measured for one in gpu.run_part(gpu.PARTS["steps"], place, time.monotonic())} == {gpu.SKIPPED}


@pytest.mark.parametrize(
    ("ends", "measured"),
    [
        ("time.sleep(60)", gpu.SKIPPED),
        ("sys.exit('no more room')", "its process ended with code 1: no more room"),
    ],
)
def test_a_part_that_hangs_or_crashes_leaves_its_lines(ends: str, measured: str) -> None:
    line = 'RESULT {"what": "first", "measured": "1"}'
    program = f"import sys, time; print('noise'); print({line!r}, flush=True); {ends}"
    found = list(gpu.run_process("part", [sys.executable, "-c", program], time.monotonic() + 3))
    assert [(one.what, one.measured) for one in found] == [("first", "1"), ("part", measured)]


@pytest.mark.slow
def test_the_command_prints_a_table_and_writes_the_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "results.json"
    code = gpu.main(["agreement", "--device", "cpu", "--size", "small", "--json", str(file)])
    table = capsys.readouterr().out
    written = json.loads(file.read_text())
    assert code == 0, table
    assert written["machine"].startswith(f"processor, torch {torch.__version__}")
    for one in written["results"]:
        assert f"| {one['what']} | {one['measured']} | {one['promised']} | yes |" in table
    assert len(written["results"]) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_without_a_card_one_sentence_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"PyTorch {torch.__version__}" in said
