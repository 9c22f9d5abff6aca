"""The recovery benchmark: it trains, measures, continues where it was interrupted, and sums up correctly."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from tests.benchmarks.recovery import command, records, summary
from tests.benchmarks.recovery.concepts import CONCEPTS
from tests.benchmarks.recovery.measure import Run, measure
from tests.benchmarks.recovery.monitor import STANDARD, due_steps
from tests.benchmarks.recovery.place import Place
from tests.benchmarks.recovery.plot import plot
from tests.benchmarks.recovery.records import Generated, Record
from tests.benchmarks.recovery.table import table
from tests.benchmarks.recovery.variants import VARIANTS, WEBUI


def record(
    variant: str = WEBUI, *, gaps: Sequence[float], steps: Sequence[int], batch: int = 1, concept: str = "striped"
) -> Record:
    return Record(
        family="sd1",
        variant=variant,
        concept=concept,
        images=16,
        seed=0,
        kind="style",
        batch=batch,
        settings={},
        commit="",
        neutral=1.0,
        true=0.0,
        steps=list(steps),
        losses=[1 - gap for gap in gaps],
        norms=[1.0] * len(steps),
        seconds=[0.1 * step for step in steps],
        generated=Generated(16, 1.0, 1.0, 0.5),
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    host = EmbeddedHost(CHECKPOINT, embeddings_folder=tmp_path / "embeddings")
    with host.models.session(SessionOptions()) as model:
        return Place(model, tmp_path, unseen=8)


def test_a_run_is_measured_kept_and_not_measured_again(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(VARIANTS["style, up blocks"], CONCEPTS["striped"], images=4, seed=0, steps=3, samples=True, generated=4)
    found, checks = measure(place, run, "sd1")
    assert found.steps == [0, 3]
    assert found.gaps[0] == pytest.approx(0, abs=1e-3) and found.gaps[1] != 0
    assert found.norms == pytest.approx([1, 1]), "the norm is fixed"
    assert found.generated.count == 4
    assert [len(check.validation) for check in checks] == [32, 32]
    path = tmp_path / "recovery.jsonl"
    records.append(path, found, checks)
    assert records.read(path) == [found]
    monkeypatch.setattr(command, "measure", None)  # fails when called
    words = "--rows|style, up blocks|--concepts|striped|--seeds|0|--images|4|--results"
    assert command.main([*words.split("|"), str(path)]) == 0
    assert "1 runs, 1 of them" in capsys.readouterr().out


def test_record_that_was_cut_off_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "recovery.jsonl"
    for concept in ("striped", "star"):
        records.append(path, record(concept=concept, gaps=[0, 1], steps=[0, 10]), [])
    path.write_text(path.read_text()[:-40])
    assert [one.concept for one in records.read(path)] == ["striped"]


def test_checks_include_the_standard_steps_and_the_last_one() -> None:
    for steps in (3, 60, 100, 400, 1000):
        due = due_steps(steps)
        assert {*due} >= {0, steps, *(step for step in STANDARD if step <= steps)}
        assert due == sorted(due) and due[-1] == steps


def test_first_step_at_the_goal_is_interpolated() -> None:
    one = record(gaps=[0, 0.4, 0.9, 0.7, 1], steps=[0, 10, 20, 30, 40], batch=4)
    assert summary.reached(one, summary.steps_of(one)) == pytest.approx(18)
    assert summary.cost(one, summary.images_of) == pytest.approx(72)
    assert summary.cost(one, summary.seconds_of) == pytest.approx(1.8)
    assert summary.reached(replace(one, losses=[1.0] * 5), one.steps) is None


def test_ratio_is_paired_and_never_flatters_a_run_that_failed() -> None:
    base = [
        record(gaps=[0, 0.8], steps=[0, 100], concept="striped"),
        record(gaps=[0, 0.1], steps=[0, 400], concept="star"),
    ]
    ours = [
        record("style", gaps=[0, 0.8], steps=[0, 10], batch=4, concept="striped"),
        record("style", gaps=[0, 0.3], steps=[0, 100], batch=4, concept="star"),
        record("style", gaps=[0, 0.8], steps=[0, 10], batch=4, concept="ring"),
    ]
    found = summary.ratio(ours, base, summary.images_of)
    assert found is not None
    estimate, pairs = found
    assert pairs == 2, "ring has no partner"
    assert estimate.value == pytest.approx((0.4 * 1.5) ** 0.5)
    assert estimate.low == pytest.approx(0.4) and estimate.high == pytest.approx(1.5)


def test_table_and_plot_show_every_row(tmp_path: Path) -> None:
    rows = [
        record(variant, gaps=[0, 0.5, 1], steps=[0, 25, 50], concept=concept)
        for variant, concept in itertools.product((WEBUI, "style"), ("striped", "framed"))
    ]
    shown = table(rows)
    assert "| webui | 2 |" in shown and "| style | 2 |" in shown
    assert "40 (40–40)" in shown, "images to 0.8"
    plot(rows, tmp_path / "plot.png", fewest=2)
    assert (tmp_path / "plot.png").stat().st_size > 1000
