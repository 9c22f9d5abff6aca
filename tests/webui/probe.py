"""Runs inside the WebUI that ``instance.py`` starts: an extension that lends a few of our own calls to the tests.

It is linked into the extensions folder of that WebUI's temporary data folder and is never loaded by any other.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import inspect
import itertools
import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from modules import call_queue, devices, processing, sd_hijack, sd_models, sd_unet, shared

from lib_ti.background.runs import Runs
from lib_ti.config import CreateConfig, TrainConfig, from_mapping
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import UserError
from lib_ti.host.base import SessionOptions
from lib_ti.host.model import Checkpointing, Conditions, ImageRequest
from lib_ti.host.webui.host import WebUIHost
from lib_ti.host.webui.model import WebUIModel
from lib_ti.signals import Control, Event, as_json
from lib_ti.training import create as creation
from lib_ti.training.run import train as train_embedding
from tests.webui.inside import busy, reload_ui, resident, serve, stop, txt2img_fields, watched

HOST = WebUIHost()
PLACES = {"model": lambda: shared.sd_model, "devices": lambda: devices, "arguments": lambda: shared.cmd_opts}


def digest(*values: Any) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()


def state() -> dict[str, Any]:
    """All that a session changes and has to put back."""
    gc.collect()
    model = shared.sd_model
    database = sd_hijack.model_hijack.embedding_db
    base = processing.StableDiffusionProcessing
    return {
        "flags": digest([parameter.requires_grad for parameter in model.parameters()]),
        "any_flag": any(parameter.requires_grad for parameter in model.parameters()),
        "gradients": sum(parameter.grad is not None for parameter in model.parameters()),
        "weights": digest([(p.dtype, p.device, p.detach().double().sum().item()) for p in model.parameters()]),
        "forwards": sum("forward" in vars(module) for module in model.modules()),
        "hooks": sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in model.modules()),
        "training": any(module.training for module in model.model.modules()),
        "attention": sd_hijack.current_optimizer.name if sd_hijack.current_optimizer else "",
        "random": digest(
            torch.get_rng_state().tolist(),
            random.getstate(),
            [np.asarray(part).tolist() for part in np.random.get_state()],  # noqa: NPY002 - the global one is meant
        ),
        "embeddings": sorted((name, id(item)) for name, item in database.word_embeddings.items()),
        "fixes": sd_hijack.model_hijack.fixes is None,
        "remembered": [cache[0] is not None for cache in (base.cached_c, base.cached_uc)],
        "hypernetworks": len(shared.loaded_hypernetworks),
        "unet": sd_unet.current_unet is None,
        "job": {
            name: getattr(shared.state, name)
            for name in ("job", "job_count", "skipped", "interrupted", "stopping_generation", "textinfo")
        },
        "options": {key: repr(value) for key, value in shared.opts.data.items()},
        "checkpoint": model.sd_checkpoint_info.title,
        "locked": call_queue.queue_lock._lock.locked(),
        "history": digest(_read(Path(shared.cmd_opts.data_dir) / "params.txt")),
    }


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def held() -> int:
    """Bytes of all tensors alive."""
    gc.collect()
    found = {}
    for item in gc.get_objects():
        if isinstance(item, torch.Tensor):
            storage = item.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
    return sum(found.values())


@contextmanager
def patched(changes: list[list[Any]]) -> Iterator[None]:
    with ExitStack() as undo:
        for place, name, value in changes:
            undo.enter_context(patch.object(PLACES[place](), name, value, create=True))
        yield


def create(**settings: Any) -> str:
    return str(creation.create(HOST, from_mapping(CreateConfig, settings)).path)


def train(fail_at: int | None = None, wait: float = 0.0, full: str = "", **settings: Any) -> dict[str, Any]:
    """Events of a run, each with its thread's processor seconds until then, and how it ended.

    ``fail_at`` is a step after which whoever watches the run raises; ``wait`` is how long they take for each event.
    ``full`` is what finds the memory full, one of :data:`FULL`.
    """
    events: list[dict[str, Any]] = []

    def listen(event: Event) -> None:
        events.append({**as_json(event), "at": time.thread_time()})
        if fail_at is not None and getattr(event, "step", 0) == fail_at:
            raise RuntimeError("a defect")
        time.sleep(wait)

    problem = ""
    try:
        with out_of_memory(full):
            train_embedding(HOST, from_mapping(TrainConfig, settings), listen, Control())
    except Exception as error:  # noqa: BLE001 - the test looks at it
        problem = f"{type(error).__name__}: {error}"
    return {"events": events, "problem": problem}


FULL = {
    "encoding": (WebUIModel, "encode_images", 0),
    "step": (WebUIModel, "predict", 5),
    "preview": (processing, "process_images", 0),
}
"""Functions that find the memory full, from how many calls on."""


@contextmanager
def out_of_memory(where: str) -> Iterator[None]:
    """One function raises what a graphics card's memory raises when it is full."""
    if not where:
        yield
        return
    owner, name, good = FULL[where]
    function, calls = getattr(owner, name), itertools.count()

    def full(*arguments: Any, **named: Any) -> Any:
        if next(calls) >= good:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return function(*arguments, **named)

    with patch.object(owner, name, full):
        yield


def refusal(changes: list[list[Any]], precision: str = "auto") -> str:
    """What the session says when something about the WebUI is different."""
    try:
        with patched(changes), HOST.models.session(SessionOptions(precision=precision)):  # type: ignore[arg-type]
            return ""
    except UserError as error:
        return str(error)


def compute(
    prompts: list[str],
    latents: list[Any],
    timesteps: list[int],
    vectors: list[Any],
    checkpointing: Checkpointing = "off",
) -> dict[str, Any]:
    """What the lent model makes of the same inputs as another host's."""
    leaf = torch.tensor(vectors).requires_grad_()
    embedding = Embedding("zqtest-same", {"clip_l": leaf})
    with HOST.models.session(SessionOptions()) as model:
        model.set_checkpointing(checkpointing)
        conditioning = model.encode_prompts(Conditions.whole(prompts, width=64, height=64), [embedding])
        predicted = model.predict(torch.tensor(latents), torch.tensor(timesteps), conditioning)
        predicted.square().mean().backward()
        pixels = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
        encoded = model.encode_images(pixels)
        inside = {key: state()[key] for key in ("any_flag", "gradients", "forwards", "attention")}
        return {
            "conditioning": conditioning.crossattn.tolist(),
            "predicted": predicted.tolist(),
            "gradient": leaf.grad.tolist(),  # type: ignore[union-attr]  # it was just computed
            "mean": encoded.mean.tolist(),
            "std": encoded.std.tolist(),
            "alphas_cumprod": model.alphas_cumprod.tolist(),
            "starting": model.initial_vectors("a big red circle", 6)["clip_l"].tolist(),
            "tokens": [model.count_tokens(prompt, [embedding]) for prompt in prompts],
            "found": [model.find_embeddings(prompt, [embedding]) for prompt in prompts],
            "inside": inside,
        }


def refused_pictures(requests: list[dict[str, Any]]) -> list[str]:
    said = []
    with HOST.models.session(SessionOptions()) as model:
        for request in requests:
            try:
                model.generate(ImageRequest(**request), [])
            except UserError as error:
                said.append(str(error))
    return said


def their_training(
    name: str, pictures: str, template: str, folder: str, steps: int, batch: int, rate: str = "0.005", side: int = 64
) -> float:
    """The WebUI's own training of an embedding on the loaded model, without previews; see :func:`step_seconds`."""
    from modules.textual_inversion import textual_inversion

    file = Path(template)
    textual_inversion.textual_inversion_templates[file.name] = textual_inversion.TextualInversionTemplate(
        file.name, template
    )
    sd_hijack.model_hijack.embedding_db.load_textual_inversion_embeddings(force_reload=True)
    taken: list[float] = []
    count = torch.optim.AdamW.step

    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        taken.append(time.thread_time())
        return count(self, *args, **kwargs)

    with call_queue.queue_lock, patch.object(torch.optim.AdamW, "step", timed):
        shared.state.begin(job="theirs")
        textual_inversion.train_embedding(
            "task(theirs)", name, rate, batch, 1, pictures, folder, side, side, False, steps, "disabled", "0.1", False,
            0, "once", False, 0, 100000, file.name, False, False, "", "", 20, "Euler a", 7, 1, side, side,
        )  # fmt: skip
        shared.state.end()
    return step_seconds(taken)


def step_seconds(taken: list[float]) -> float:
    """Processor seconds of a step, of the thread that trains: the median between steps from the second on."""
    return float(np.median(np.diff(taken[1:])))


def forget_peak() -> None:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")


def switch_model(title: str) -> None:
    """What choosing a checkpoint at the top left does, from a thread of its own."""
    threading.Thread(target=lambda: shared.opts.set("sd_model_checkpoint", title)).start()


def refresh() -> None:
    """What the Refresh button of the WebUI's list of embeddings does, which waits for no queue."""
    from modules.ui_extra_networks_textual_inversion import ExtraNetworksPageTextualInversion

    ExtraNetworksPageTextualInversion().refresh()


def _named(name: str) -> Any:
    """The object of a dotted name that begins with a module."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ImportError(name)


def parameters(names: list[str]) -> dict[str, list[str]]:
    return {name: list(inspect.signature(_named(name)).parameters) for name in names}


def missing(names: list[str]) -> list[str]:
    absent = []
    for name in names:
        try:
            _named(name)
        except (ImportError, AttributeError):
            absent.append(name)
    return absent


def listed_templates() -> list[str]:
    """What the WebUI's own Train tab offers as prompt templates."""
    from modules.textual_inversion import textual_inversion

    return sorted(textual_inversion.list_textual_inversion_templates())


def begin(**settings: Any) -> None:
    """As the tab begins a run."""
    Runs().start(HOST, from_mapping(TrainConfig, settings))


def loaded() -> str:
    model = sd_models.model_data.sd_model
    return str(model.sd_checkpoint_info.title) if model else ""


serve("call", (
    state, held, create, train, refusal, compute, refused_pictures, busy, their_training, forget_peak,
    resident, switch_model,
    loaded, refresh, parameters, missing, txt2img_fields, listed_templates, begin, watched, stop, reload_ui,
))  # fmt: skip
