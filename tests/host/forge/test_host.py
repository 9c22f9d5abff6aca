"""ForkHost in Forge: its turn, what is selected, memory, embeddings; with a stand-in for Forge and a small model."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from lib_ti.embedding import files
from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, Busy
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER
from lib_ti.host.model import ImageRequest
from tests.host.embedded.sessions import loss_of
from tests.prompts import of_images

FAKES = (Path(__file__).with_name("fake_fork"), Path(__file__).parents[1] / "webui" / "fake_webui")
OURS = ("lib_ti.host.forge", "lib_ti.host.webui")
Make = Callable[..., Embedding]


@pytest.fixture
def fork(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module lib_ti.host.forge.host, loaded on the stand-in."""
    before = set(sys.modules)
    for folder in FAKES:
        monkeypatch.syspath_prepend(str(folder))
    from lib_ti.host.forge import host as module

    shared = sys.modules["modules.shared"]
    shared.opts.CLIP_stop_at_last_layers, shared.opts.forge_additional_modules = 1, []
    shared.opts.sd_model_checkpoint = "chosen"
    yield module
    for name in set(sys.modules) - before:
        package, _, last = name.rpartition(".")
        if package in OURS:
            vars(sys.modules[package]).pop(last, None)
    for name in set(sys.modules) - before:
        if name.startswith((*(f"{ours}." for ours in OURS), "modules", "backend")):
            del sys.modules[name]


@pytest.fixture
def host(fork: Any, checkpoint: Path, tmp_path: Path) -> Any:
    """A host with the small model selected."""
    select(checkpoint)
    sys.modules["modules.shared"].cmd_opts.embeddings_dir = str(tmp_path / "embeddings")
    return fork.ForkHost()


def select(path: Path) -> None:
    """As choosing a checkpoint at the top left."""
    found = SimpleNamespace(filename=str(path), name=path.name, title=path.name)
    sys.modules["modules.sd_models"].checkpoint_aliases["chosen"] = found


def set_option(name: str, value: Any) -> None:
    setattr(sys.modules["modules.shared"].opts, name, value)


def unloaded() -> list[str]:
    return list(sys.modules["backend.memory_management"].unloaded)


def free() -> bool:
    queue = sys.modules["modules.call_queue"].queue_lock
    if not queue.acquire(blocking=False):
        return False
    queue.release()
    return True


def refusal(host: Any) -> str:
    with pytest.raises(BadInput) as refused, host.models.session(SessionOptions()):
        pass
    assert unloaded() == []
    assert free()
    return str(refused.value)


# A session


def test_the_forks_models_leave_the_device_in_our_turn(host: Any, embedding: Make) -> None:
    with host.models.session(SessionOptions()) as model:
        assert not free()
        assert unloaded() == ["textual-inversion"]
        mine = embedding()
        loss_of(model, model.encode_prompts(of_images(["my-style"]), [mine])).backward()
        assert mine.vectors["clip_l"].grad is not None
    assert free()


@pytest.mark.parametrize("error", [None, RuntimeError("step failed"), KeyboardInterrupt()])
def test_memory_is_given_back_before_the_turn_whoever_holds_the_model(host: Any, error: BaseException | None) -> None:
    held: list[Any] = []
    devices: list[set[str]] = []
    queue = sys.modules["modules.call_queue"].queue_lock
    release = queue.release

    def watch() -> None:
        networks = held[0]._networks.all
        tables = [encoder.table._weight for encoder in held[0]._text._encoders]
        found = [*(parameter for network in networks for parameter in network.parameters()), *tables]
        devices.append({tensor.device.type for tensor in found})
        release()

    queue.release = watch
    try:
        with host.models.session(SessionOptions()) as model:
            held.append(model)
            if error:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert devices == [{"meta"}]
    with host.models.session(SessionOptions()) as model:  # it is loaded again
        assert model.weight_bytes > 0
        model.generate(ImageRequest("a cat", steps=1, width=64, height=64), [])


def test_what_an_error_left_in_its_functions_is_forgotten(host: Any) -> None:
    class Activations:
        pass

    def step() -> None:
        kept = Activations()
        raise RuntimeError(f"out of memory beside {type(kept).__name__}")

    with pytest.raises(RuntimeError) as failed, host.models.session(SessionOptions()):
        step()
    trace, variables = failed.value.__traceback__, {}
    while trace:
        if trace.tb_frame.f_code.co_name == "step":
            variables = trace.tb_frame.f_locals
        trace = trace.tb_next
    assert "kept" not in variables


def test_what_is_selected_meanwhile_counts_in_the_next_session(host: Any, checkpoint: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(checkpoint, tmp_path / "other.safetensors"))
    shutil.copy(checkpoint.with_suffix(".yaml"), other.with_suffix(".yaml"))
    with host.models.session(SessionOptions()) as model:
        select(other)
        assert model.info.name == "small"
        model.generate(ImageRequest("a cat", steps=1, width=64, height=64), [])
    with host.models.session(SessionOptions()) as model:
        assert model.info.name == "other"


def test_clip_skip_and_vae_are_those_of_the_fork_and_reported(
    host: Any, embedding: Make, weights: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    def prompt_and_latent() -> tuple[torch.Tensor, torch.Tensor, list[str], dict[str, str]]:
        reported: list[str] = []
        with host.models.session(SessionOptions(report=reported.append)) as model:
            encoded = model.encode_prompts(of_images(["a cat"]), []).crossattn
            return encoded, model.encode_images(torch.zeros(1, 3, 64, 64)).mean, reported, host.models.arguments

    encoded, latent, reported, _ = prompt_and_latent()
    assert not any("Clip skip" in one or "VAE" in one for one in reported)
    bare = {name.removeprefix(AUTOENCODER): one for name, one in weights.items() if name.startswith(AUTOENCODER)}
    vae = tmp_path / "my.vae.safetensors"
    save_file({name: tensor * 0.5 for name, tensor in bare.items()}, vae)
    set_option("forge_additional_modules", [str(vae)])
    set_option("CLIP_stop_at_last_layers", 2)
    skipped, other, reported, arguments = prompt_and_latent()
    assert not torch.equal(skipped, encoded)
    assert not torch.equal(other, latent)
    assert any("Clip skip is 2" in one for one in reported)
    assert any("The VAE is my.vae.safetensors" in one for one in reported)
    assert (arguments["vae"], arguments["clip_skip"]) == (str(vae), "2")


def test_a_lora_of_the_settings_is_off_and_said(host: Any) -> None:
    set_option("sd_lora", "detail")
    reported: list[str] = []
    with host.models.session(SessionOptions(report=reported.append)):
        pass
    assert "The LoRA detail, which the settings add to every image, is off during training." in reported


# Without the model


def test_creating_and_checking_neither_wait_nor_unload(host: Any) -> None:
    queue = sys.modules["modules.call_queue"].queue_lock
    queue.acquire()
    start = host.models.initial_vectors("striped cat", 3)
    assert start.vectors["clip_l"].shape == (3, 64)
    with host.models.session(SessionOptions(describe_only=True)) as described:
        assert described.count_tokens("a cat", []) == 2
        info = described.info
        assert torch.equal(described.initial_vectors("striped cat", 3)["clip_l"], start.vectors["clip_l"])
        with pytest.raises(RuntimeError, match="description only"):
            described.encode_images(torch.zeros(1, 3, 64, 64))
    assert unloaded() == []
    with pytest.raises(Busy), host.models.session(SessionOptions(wait=False)):
        pass
    queue.release()
    with host.models.session(SessionOptions()) as model:
        assert (model.info.hash, model.info.widths, model.info.size) == (info.hash, info.widths, info.size)
        assert model.info.word_norm == info.word_norm


# What is not trained


def test_no_checkpoint_is_said(host: Any) -> None:
    sys.modules["modules.sd_models"].checkpoint_aliases.clear()
    assert "There is no checkpoint" in refusal(host)
    assert host.models.size == 512
    assert host.models.arguments == {}


def test_text_encoders_of_their_own_are_refused_by_name(host: Any, tmp_path: Path) -> None:
    path = tmp_path / "clip_l.safetensors"
    save_file({"text_model.final_layer_norm.weight": torch.ones(4)}, path)
    set_option("forge_additional_modules", [str(path)])
    assert "is in a file of its own (clip_l.safetensors)" in refusal(host)


@pytest.mark.parametrize(
    ("name", "channels", "said"),
    [
        ("flux.gguf", {}, "flux.gguf has quantized weights (GGUF): gradients need"),
        ("flux.safetensors", {"double_blocks.0.x": 1}, "is a Flux checkpoint"),
        (
            "nf4.safetensors",
            {"model.diffusion_model.input_blocks.0.0.weight.quant_state.bitsandbytes__nf4": 1},
            "has quantized weights (NF4)",
        ),
        (
            "fp8.safetensors",
            {"model.diffusion_model.input_blocks.0.0.weight": 4, "scaled_fp8": 1},
            "has quantized weights (scaled FP8)",
        ),
        ("unet.safetensors", {"model.diffusion_model.input_blocks.0.0.weight": 4}, "has no text encoder"),
        ("unet2.safetensors", {"input_blocks.0.0.weight": 4}, "is a UNet alone"),
    ],
)
def test_forms_of_files_are_refused_by_name(
    host: Any, tmp_path: Path, name: str, channels: dict[str, int], said: str
) -> None:
    path = tmp_path / name
    save_file({key: torch.ones(4, count) for key, count in channels.items()}, path)
    select(path)
    assert said in refusal(host)


# Embeddings


class _Database:
    def __init__(self, fails: bool = False) -> None:
        self.loaded: list[tuple[str, str]] = []
        self._fails = fails

    def load_from_file(self, path: str, name: str) -> None:
        if self._fails:
            raise TypeError("'NoneType' object is not iterable")
        self.loaded.append((path, name))


def engines(**databases: Any) -> None:
    """Have a model loaded with these text engines."""
    engine = {name: SimpleNamespace(embeddings=database) for name, database in databases.items()}
    sys.modules["modules.sd_models"].model_data.sd_model = SimpleNamespace(**engine, is_sdxl=True)


def test_a_saved_embedding_reaches_every_text_engine(host: Any) -> None:
    path = Path("a/b.safetensors")
    assert host.models.embedding_saved(path) == ""  # nothing is loaded
    first, second = _Database(), _Database()
    engines(text_processing_engine_l=first, text_processing_engine_g=second, other=_Database(fails=True))
    assert host.models.embedding_saved(path) == ""
    assert first.loaded == second.loaded == [(str(path), "b.safetensors")]
    assert sys.modules["modules.processing"].StableDiffusionProcessing.cached_uc == [None] * 3


def test_a_fork_that_fails_to_load_it_ends_nothing(host: Any, embedding: Make, tmp_path: Path) -> None:
    engines(text_processing_engine=_Database(fails=True))
    path = tmp_path / "b.safetensors"
    files.save(embedding("b"), path)
    assert "b.safetensors is saved, but Forge did not load it (TypeError" in host.models.embedding_saved(path)
