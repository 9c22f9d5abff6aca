"""Fewer vectors in Results: the comparison as a task, what its page shows, and the cut."""

from __future__ import annotations

import threading

import pytest

from lib_ti.background.kinds import RUN, VECTORS
from lib_ti.background.tasks import BackgroundTasks
from lib_ti.embedding import files
from lib_ti.errors import BadInput, Busy
from lib_ti.ui.results.service import ResultsService
from lib_ti.ui.results.state import RunResults
from lib_ti.ui.results.vectors import service, view
from tests.fakes import FakeHost


def test_the_comparison_is_a_task_and_its_page_shows_table_conclusion_and_images(
    run: RunResults, trained_host: FakeHost
) -> None:
    tasks = BackgroundTasks()
    service.start(tasks, run, "20", trained_host)
    assert tasks.wait(60)
    now = tasks.status(VECTORS)
    assert (now.state, now.title) == ("done", "Comparing the numbers of vectors of my-style")
    found = tasks.result(VECTORS)
    assert (found.run, found.step, found.losses.count) == (run.folder.path, 20, 3)
    shown = view.comparison(found)
    assert "<td>1</td>" in shown and "<td>3</td>" in shown and "<td>none</td>" in shown
    assert found.losses.conclusion().split(";")[0] in shown and "<img" in shown


def test_it_can_be_stopped_and_is_refused_during_a_run(run: RunResults, trained_host: FakeHost) -> None:
    tasks, end = BackgroundTasks(), threading.Event()
    predict = trained_host.model.predict

    def stopping(*arguments: object) -> object:
        tasks.control(VECTORS).stop()
        return predict(*arguments)  # type: ignore[arg-type]

    trained_host.model.predict = stopping  # type: ignore[method-assign,assignment]
    service.start(tasks, run, "20", trained_host)
    assert tasks.wait(60)
    assert tasks.status(VECTORS).state == "stopped"
    assert not list(run.folder.path.glob("vectors*"))
    tasks.start(RUN, "Training my-style", lambda task: end.wait(20))
    with pytest.raises(Busy, match="Training my-style is in progress"):
        service.start(tasks, run, "20", trained_host)
    end.set()
    assert tasks.wait(20)
    with pytest.raises(BadInput, match="no checkpoint of step 7"):
        service.start(tasks, run, "7", trained_host)


def test_kept_vectors_replace_the_embedding_which_is_kept_aside(run: RunResults, trained_host: FakeHost) -> None:
    results = ResultsService(trained_host, BackgroundTasks())
    said, kept, warning = results.keep_vectors(run, "10", 2)
    path = trained_host.folders.embeddings / "my-style.safetensors"
    assert said == f"{path} now has 2 vectors, the first of 3 after step 10."
    (aside,) = trained_host.folders.embeddings.glob("*.replaced-*")
    assert str(aside) in kept and warning == ""
    whole = files.load(run.checkpoints()["10"]).vectors["clip_l"]
    assert files.load(path).vectors["clip_l"].equal(whole[:2])
    with pytest.raises(BadInput, match="give a number from 1 to 2"):
        results.keep_vectors(run, "10", 0)
