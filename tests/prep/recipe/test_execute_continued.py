"""Preparations that are repeated, stopped, killed, run twice at a time, or out of space."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lib_ti.errors import BadInput, Stopped
from lib_ti.prep.manifest import read_manifest, update_edits
from lib_ti.prep.prepared import PreparedFolder
from lib_ti.prep.recipe import stream
from lib_ti.prep.recipe.pixel_budget import PixelBudget
from lib_ti.prep.recipe.plan import Plan, make_plan
from lib_ti.storage.atomic import CannotWrite
from tests.data.conftest import ImageFolder
from tests.prep.recipe.preparation import carried_out, centred, contents, prepared

# Again


def test_a_second_run_does_nothing(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.png", "b.jpg"):
        images.draw(name, (100, 80))
    prepared(images, framing="saliency")
    before = contents(output.path)
    times = {path: path.stat().st_mtime_ns for path in output.path.rglob("*.png")}
    summary = prepared(images, framing="saliency")
    assert (len(summary.made), summary.unchanged) == (0, 2)
    assert contents(output.path) == before
    assert {path: path.stat().st_mtime_ns for path in output.path.rglob("*.png")} == times


def test_a_stopped_run_is_continued(images: ImageFolder, output: PreparedFolder) -> None:
    for number in range(9):
        images.draw(f"{number}.png")
    seen: list[tuple[int, int]] = []
    with pytest.raises(Stopped, match=r"after \d of 9 images"):
        carried_out(
            make_plan(centred(images, workers=1)),
            progress=lambda done, total: seen.append((done, total)),
            stop=lambda: len(seen) > 3,
        )
    done = seen[-1][0]
    assert seen == [(number, 9) for number in range(done + 1)]
    assert 3 <= done < 9
    summary = prepared(images)
    assert (len(summary.made), summary.unchanged) == (9 - done, done)
    assert [path.name for path in sorted(output.path.glob("*.png"))] == [f"image_{n:03}.png" for n in range(1, 10)]


def _run_until_killed(plan: Plan) -> None:
    carried_out(plan, progress=lambda done, total: os._exit(9) if done == 4 else None)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_killed_while_recreating_results_continues_silently(images: ImageFolder, output: PreparedFolder) -> None:
    for number in range(9):
        images.draw(f"{number}.png", (100, 80))
    prepared(images)
    plan = make_plan(centred(images, width=128))
    process = multiprocessing.get_context("fork").Process(target=_run_until_killed, args=(plan,))
    process.start()
    process.join(20)
    summary = prepared(images, width=128)
    assert (len(summary.made), summary.notes) == (9, [])
    assert not output.removed.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_run_is_continued_under_the_same_names(images: ImageFolder, output: PreparedFolder) -> None:
    for number in range(9):
        images.draw(f"{number}.png", (100, 80), caption=f"caption {number}")
        Image.new("L", (100, 80), 9).save(images.path / f"{number}-mask.png")
    plan = make_plan(centred(images, workers=2))
    process = multiprocessing.get_context("fork").Process(target=_run_until_killed, args=(plan,))
    process.start()
    process.join(20)
    assert process.exitcode == 9
    assert len(list(output.path.glob("image_*-mask.png"))) >= 4
    (output.path / ".image_001-0123abcd.png.writing").write_bytes(b"half a pic")
    (output.path / ".image_001-89abcdef.writing.png").write_bytes(b"an earlier version's")
    output.caption("image_001.png").write_text("edited meanwhile")
    summary = prepared(images)
    assert len(summary.made) == 9
    assert not summary.notes
    assert sorted(path.name for path in output.path.glob("*.png")) == [
        f"image_{number:03}{kind}.png" for number in range(1, 10) for kind in ("-mask", "")
    ]
    assert not list(output.path.glob(".*.writing*"))
    assert not output.removed.exists()
    assert output.caption("image_001.png").read_text() == "edited meanwhile"
    assert output.caption("image_009.png").read_text() == "caption 8"


def test_changes_of_the_manifest_by_many_at_once_are_all_kept(output: PreparedFolder) -> None:
    def decide(number: int) -> None:
        update_edits(output, lambda edits: edits.with_image(f"{number}", replace(edits.of("", "x.png"), excluded=True)))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_manifest(output).edits.by_digest) == 8


# What goes wrong


def test_broken_files_stop_nothing(images: ImageFolder, output: PreparedFolder) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.png", "e.png"):
        images.draw(name, (200, 200))
    data = (images.path / "b.jpg").read_bytes()
    (images.path / "b.jpg").write_bytes(data[: len(data) // 2])
    (images.path / "d-mask.png").write_bytes(b"no picture")
    plan = make_plan(centred(images))
    images.draw("c.jpg", (200, 200), salt="changed meanwhile")
    summary = carried_out(plan)
    assert [one.source for one in summary.made] == ["a.jpg", "e.png"]
    assert {one.path.name: one.reason for one in summary.failed} == {
        "c.jpg": "the file was changed while the images were being read; start the run again to use it",
    }
    assert {one.path.name: one.reason for one in plan.skipped} == {
        "b.jpg": "the file is cut off; copy or download it again",
        "d.png": "its mask d-mask.png cannot be used: it is not an image of a known kind",
    }
    assert "1 image could not be used." in summary.describe()
    # What was changed meanwhile keeps its name; what was broken gets one once it is whole.
    images.draw("b.jpg", (200, 200))
    assert [one.name for one in prepared(images).made] == ["image_004.png", "image_002.png"]


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_made(
    images: ImageFolder, tmp_path: Path
) -> None:
    images.draw("a.png")
    plan = make_plan(centred(images))
    (tmp_path / "prepared").write_text("in the way")
    with pytest.raises(CannotWrite, match="cannot be written"):
        carried_out(plan)


def test_a_full_disk_ends_the_run_and_finished_results_are_kept(
    images: ImageFolder, output: PreparedFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        images.draw(f"{number}.png")
    written = stream.write_results.write_bytes

    def full(path: Path, data: bytes) -> None:
        if path.name == "image_003.png":
            raise CannotWrite(f"{path} cannot be written: the disk is full.")
        written(path, data)

    monkeypatch.setattr(stream.write_results, "write_bytes", full)
    with pytest.raises(CannotWrite, match="disk is full"):
        prepared(images, workers=1)
    monkeypatch.setattr(stream.write_results, "write_bytes", written)
    summary = prepared(images)
    assert (len(summary.made), summary.unchanged) == (2, 2)


def test_a_plan_is_carried_out_once(images: ImageFolder) -> None:
    images.draw("a.png")
    plan = make_plan(centred(images))
    carried_out(plan)
    with pytest.raises(BadInput, match="make a new plan"):
        carried_out(plan)


def test_two_runs_of_one_folder_do_not_mix(images: ImageFolder) -> None:
    images.draw("a.png")
    plan = make_plan(centred(images))
    refused: list[str] = []

    def meanwhile(done: int, total: int) -> None:
        if done == 0:
            with pytest.raises(BadInput) as error:
                carried_out(plan)
            refused.append(str(error.value))

    carried_out(plan, progress=meanwhile)
    assert len(refused) == 1 and "Another preparation" in refused[0]


def test_few_images_are_open_at_one_time(images: ImageFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        images.draw(f"{number}.png")
    at_once, most = [0], [0]
    lock = threading.Lock()
    opened = stream.open_layered

    def watched(*args, **options):
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.01)
        piece = opened(*args, **options)
        with lock:
            at_once[0] -= 1
        return piece

    monkeypatch.setattr(stream, "open_layered", watched)
    prepared(images, workers=3)
    assert 2 <= most[0] <= 3
    # Large ones even fewer.
    monkeypatch.setattr(stream, "MOST_PIXELS", 64 * 64 + 1)
    most[0] = 0
    prepared(images, workers=3, width=128)
    assert most[0] == 1


def test_who_needs_more_room_than_there_is_waits_until_alone() -> None:
    room = PixelBudget(10)
    events: list[str] = []

    def large() -> None:
        with room.taken(99):
            events.append("large")

    with room.taken(4):
        thread = threading.Thread(target=large)
        thread.start()
        time.sleep(0.02)
        events.append("small")
    thread.join(5)
    assert events == ["small", "large"]
    with room.taken(10):
        pass
