"""WebUIHost in the WebUI: its turn, its progress, its Interrupt, its folders; with a stand-in for the WebUI."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from lib_ti.errors import Busy, Stopped
from lib_ti.host.base import SessionOptions
from lib_ti.signals import RunStarted, StepDone

FAKE = Path(__file__).with_name("fake_webui")
OURS = "lib_ti.host.webui"


@pytest.fixture
def webui(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module lib_ti.host.webui.host, loaded on the stand-in."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FAKE))
    from lib_ti.host.webui import host as module

    yield module
    for name in set(sys.modules) - before:
        if not hasattr(sys.modules[name], "__file__"):
            continue  # put there by a test, which takes it away again
        package, _, last = name.rpartition(".")
        if package == OURS:
            vars(sys.modules[OURS]).pop(last, None)
        if name.startswith((f"{OURS}.", "modules")):
            del sys.modules[name]


@pytest.fixture
def shared(webui: Any) -> Any:
    return sys.modules["modules.shared"]


@pytest.fixture
def acquired(webui: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Acquire nothing instead of a model: a list of what was done in whose turn."""
    done: list[str] = []

    class Acquired:
        def __enter__(self) -> SimpleNamespace:
            done.append(sys.modules["modules.shared"].state.job)
            return SimpleNamespace(info=None)

        def __exit__(self, *_: object) -> None:
            done.append("undone")

    session = ModuleType("lib_ti.host.webui.session")
    session.acquire_model = lambda options: Acquired()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, session.__name__, session)
    return done


def queue() -> Any:
    return sys.modules["modules.call_queue"].queue_lock


def free() -> bool:
    if not queue().acquire(blocking=False):
        return False
    queue().release()
    return True


def test_a_session_is_a_job_that_ends_however_it_ends(webui: Any, shared: Any, acquired: list[str]) -> None:
    def work() -> None:
        assert not free()
        shared.state.interrupted = True
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), webui.WebUIHost().models.session(SessionOptions()):
        work()
    assert acquired == ["textual-inversion", "undone"]
    assert free()
    assert (shared.state.job, shared.state.interrupted, shared.state.textinfo) == ("", False, None)


def test_a_session_waits_for_its_turn_and_reports_it(webui: Any, acquired: list[str]) -> None:
    message: list[str] = []
    queue().acquire()
    threading.Timer(0.1, queue().release).start()
    with webui.WebUIHost().models.session(SessionOptions(report=message.append)):
        pass
    assert message == ["Waiting until the WebUI has finished what it is doing."]
    assert free()


def test_who_does_not_wait_hears_at_once_that_the_model_is_in_use(webui: Any, acquired: list[str]) -> None:
    queue().acquire()
    with (
        pytest.raises(Busy, match="using the model"),
        webui.WebUIHost().models.session(SessionOptions(wait=False)),
    ):
        pass
    assert acquired == []
    queue().release()
    assert free()


def test_who_no_longer_wants_its_turn_passes_it_on(webui: Any, acquired: list[str]) -> None:
    queue().acquire()
    with (
        pytest.raises(Stopped, match="waiting for its turn"),
        webui.WebUIHost().models.session(SessionOptions(stop=lambda: True)),
    ):
        pass
    assert acquired == []
    queue().release()
    end = time.monotonic() + 5
    while not free() and time.monotonic() < end:
        time.sleep(0.01)
    assert free()


def test_progress_is_that_of_this_run(webui: Any, shared: Any) -> None:
    host = webui.WebUIHost()
    host.models.watch(
        RunStarted("x", Path(), first_step=500, max_steps=600, images=9, validation_images=1, resumed=True)
    )
    host.models.watch(StepDone(525, 600, loss=0.2, smoothed=0.1, learning_rate=0.005, seconds=1.0))
    assert (shared.state.job, shared.state.job_no, shared.state.job_count) == ("textual-inversion", 25, 100)
    assert shared.state.textinfo == "Textual Inversion: step 525 of 600, loss 0.1000"


@pytest.mark.parametrize("flag", ["interrupted", "skipped", "stopping_generation"])
def test_every_interrupt_of_the_webui_counts(webui: Any, shared: Any, flag: str) -> None:
    host = webui.WebUIHost()
    assert not host.models.interrupted()
    setattr(shared.state, flag, True)
    assert host.models.interrupted()


def test_reload_ui_does_not_interrupt_a_run(webui: Any, shared: Any) -> None:
    shared.state.interrupted = True
    shared.demo = SimpleNamespace(is_running=True, server=SimpleNamespace(should_exit=True))
    assert not webui.WebUIHost().models.interrupted()
    assert not shared.state.interrupted


def test_what_the_tab_takes_over(webui: Any) -> None:
    from lib_ti.host.webui.base.tab import surroundings

    found = surroundings()
    assert set(found["txt2img"]) == {"prompt", "seed"}
    assert found["samplers"] == ("Euler a", "Heun")
    assert found["schedulers"] == ("Automatic", "Karras")
    assert found["defaults"] == {"log_directory": "textual_inversion", "file_format": "safetensors", "seconds": 2}


def test_the_size_is_that_of_the_loaded_model(webui: Any) -> None:
    host = webui.WebUIHost()
    assert host.models.size == 512
    sys.modules["modules.sd_models"].model_data.sd_model = SimpleNamespace(image_size=8)
    assert host.models.size == 64


def test_the_size_is_that_of_the_selected_file_until_its_model_is_loaded(webui: Any, shared: Any) -> None:
    names = {}
    for name, resolution in (("first", "640x640"), ("chosen", "768x768")):
        checkpoint = SimpleNamespace(
            filename=f"{name}.safetensors", metadata={"modelspec.resolution": resolution}, title=name
        )
        names[name] = checkpoint
    models = sys.modules["modules.sd_models"]
    models.checkpoints_list, models.checkpoint_aliases = names, {"chosen.safetensors": names["chosen"]}
    host = webui.WebUIHost()
    assert host.models.size == 768
    shared.opts.data["sd_model_checkpoint"] = "removed.safetensors"
    assert host.models.size == 640  # the WebUI takes the first one then


def test_captions_are_counted_before_a_model_is_loaded(webui: Any) -> None:
    assert webui.WebUIHost().tools.token_spans("a big cat") == ((0, 1), (2, 5), (6, 9))


def test_folders_are_limited_where_the_webui_hides_them(webui: Any, shared: Any) -> None:
    host = webui.WebUIHost()
    assert host.folders.allowed is None
    shared.cmd_opts.hide_ui_dir_config = True
    shared.opts.ti_folders = " /pictures , more"
    assert host.folders.allowed == [Path("textual_inversion"), Path("data/datasets"), Path("/pictures"), Path("more")]


def test_a_saved_embedding_is_loaded_alone_and_only_with_a_model(webui: Any) -> None:
    host = webui.WebUIHost()
    assert host.models.embedding_saved(Path("a/b.safetensors")) == ""
    database = sys.modules["modules.sd_hijack"].model_hijack.embedding_db
    assert database.loaded == []
    sys.modules["modules.sd_models"].model_data.sd_model = object()
    assert host.models.embedding_saved(Path("a/b.safetensors")) == ""
    assert database.loaded == [(str(Path("a/b.safetensors")), "b.safetensors")]
    processing = sys.modules["modules.processing"]
    assert processing.StableDiffusionProcessing.cached_c == [None] * 3
    assert processing.StableDiffusionProcessingTxt2Img.cached_hr_uc == [None] * 3
    message = host.models.embedding_saved(Path("a/broken.safetensors"))
    assert message.startswith("broken.safetensors is saved, but the WebUI did not load it (RuntimeError: data issue)")


def test_vae_and_clip_skip_are_in_the_runs_settings_file_where_they_were_chosen(webui: Any, shared: Any) -> None:
    models = webui.WebUIHost().models
    assert models.arguments == {"checkpoint": "chosen.safetensors"}
    shared.opts.CLIP_stop_at_last_layers = 2
    sys.modules["modules.sd_vae"].loaded_vae_file = "/models/VAE/my.vae.pt"  # type: ignore[attr-defined]
    assert models.arguments == {"checkpoint": "chosen.safetensors", "vae": "/models/VAE/my.vae.pt", "clip_skip": "2"}
