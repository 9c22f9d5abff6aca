"""The benchmark of cut embeddings: it trains and measures each number of vectors, and sums up correctly."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.pocket import CHECKPOINT
from tests.benchmarks.recovery.concepts import CONCEPTS
from tests.benchmarks.recovery.place import Place
from tests.benchmarks.vectors import KEPT, WAYS, Cuts, lost_gap, measure, table


@pytest.mark.parametrize("way", ["nested", "batch"])
def test_each_number_of_vectors_is_measured(tmp_path: Path, way: str) -> None:
    host = EmbeddedHost(CHECKPOINT, embeddings_folder=tmp_path / "embeddings")
    with host.models.session(SessionOptions()) as model:
        gaps, seconds = measure(Place(model, tmp_path, unseen=4), CONCEPTS["striped"], WAYS[way], seed=0, steps=1)
    assert tuple(gaps) == KEPT
    assert len(set(gaps.values())) > 1 and seconds > 0


def test_the_table_has_what_cuts_lose() -> None:
    found = [
        Cuts("nested", "sd1", concept, 0, {count: whole - 0.01 * (8 - count) for count in KEPT}, 0.1)
        for concept, whole in (("striped", 1.0), ("star", 0.9))
    ]
    assert lost_gap(found, "nested", 4).value == pytest.approx(0.04)
    shown = table(found)
    assert "| with nested dropout | 2 | 0.95 (0.90 to 1.00) | 0.93 (0.88 to 0.98) |" in shown and "| 100 |" in shown
    assert "preset style" not in shown
