"""Sessions of the embedded host: one at a time, undone however they end, in the precision that is requested."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import BadInput, UserError
from lib_ti.host.base import SessionOptions
from lib_ti.host.embedded.device import dtype_of
from lib_ti.host.embedded.host import EmbeddedHost
from lib_ti.host.embedded.model import EmbeddedModel
from lib_ti.host.model import ImageRequest
from tests.host.embedded.sessions import loss_of, state_of
from tests.networks import describe
from tests.prompts import of_images

Make = Callable[..., Embedding]

SMALL = ImageRequest("a my-style cat", steps=3, width=64, height=64, seed=7)


def test_session_leaves_everything_as_it_was(host: EmbeddedHost, embedding: Make) -> None:
    with host.models.session(SessionOptions()) as model:
        before = state_of(model)
    settings = torch.is_grad_enabled(), torch.get_default_dtype(), torch.backends.cudnn.benchmark
    random = torch.random.get_rng_state()
    for error in (None, RuntimeError("step failed"), KeyboardInterrupt()):
        with suppress(RuntimeError, KeyboardInterrupt), host.models.session(SessionOptions()) as model:
            model.set_checkpointing("all-blocks")
            assert state_of(model) != before
            loss_of(model, model.encode_prompts(of_images(["my-style"]), [embedding()])).backward()
            model.generate(SMALL, [])
            with pytest.raises(BadInput):
                model.encode_prompts(of_images(["wide"]), [Embedding("wide", {"clip_l": torch.ones(1, 2)})])
            if error:
                raise error
        with host.models.session(SessionOptions()) as model:
            assert state_of(model) == before
    assert settings == (torch.is_grad_enabled(), torch.get_default_dtype(), torch.backends.cudnn.benchmark)
    assert torch.equal(torch.random.get_rng_state(), random)


def test_model_is_acquired_once_at_a_time_and_stays_loaded(host: EmbeddedHost) -> None:
    with host.models.session(SessionOptions()) as model:
        other = host.models.session(SessionOptions())
        with pytest.raises(UserError, match="is in use"):
            other.__enter__()
    with host.models.session(SessionOptions()) as again:
        assert again is model


def test_replaced_checkpoint_is_reloaded(checkpoint: Path, tmp_path: Path) -> None:
    path = describe(Path(shutil.copy(checkpoint, tmp_path / "model.safetensors")))
    host = EmbeddedHost(path, embeddings_folder=tmp_path, device="cpu")
    with host.models.session(SessionOptions()):
        pass
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(BadInput, match="damaged"), host.models.session(SessionOptions()):
        pass


def test_bfloat16_is_near_float32(checkpoint: Path, model: EmbeddedModel, embedding: Make) -> None:
    host = EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device="cpu")
    style, same = embedding(), embedding()
    with host.models.session(SessionOptions(precision="bfloat16")) as half:
        assert not half.needs_loss_scaling
        loss = loss_of(half, half.encode_prompts(of_images(["a my-style"]), [style]))
        loss.backward()
        assert half.encode_images(torch.zeros(1, 3, 64, 64)).mean.dtype == torch.float32
        half.generate(SMALL, [style])
    reference = loss_of(model, model.encode_prompts(of_images(["a my-style"]), [same]))
    reference.backward()
    assert loss.item() == pytest.approx(reference.item(), rel=0.01)
    ours, theirs = style.vectors["clip_l"].grad, same.vectors["clip_l"].grad
    assert ours.dtype == torch.float32
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.98


def test_precision_and_device_are_checked(checkpoint: Path, host: EmbeddedHost) -> None:
    with (
        pytest.raises(BadInput, match="float16 is not for the CPU"),
        host.models.session(SessionOptions(precision="float16")),
    ):
        pass
    with pytest.raises(BadInput, match="Device 'cuda:99' cannot be used"):
        EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device="cuda:99")
    with pytest.raises(BadInput, match="Device 'toaster' cannot be used"):
        EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device="toaster")


@pytest.mark.parametrize(("capability", "chosen"), [((7, 5), torch.float16), ((8, 0), torch.bfloat16)])
def test_a_card_without_bfloat16_takes_float16(
    capability: tuple[int, int], chosen: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "GeForce RTX 2060")
    card = torch.device("cuda")
    assert dtype_of("auto", card) == chosen
    if chosen == torch.bfloat16:
        assert dtype_of("bfloat16", card) == chosen
    else:
        with pytest.raises(BadInput, match="GeForce RTX 2060 does not compute in bfloat16; use float16, or auto"):
            dtype_of("bfloat16", card)


def test_devices_that_are_not_for_training_are_refused_by_name(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)  # as on a computer that has the device
    for name in ("mps", "xpu"):
        with pytest.raises(
            BadInput, match=f"Device '{name}' is not one that this program trains on; use one of cpu, cuda"
        ):
            EmbeddedHost(checkpoint, embeddings_folder=checkpoint.parent, device=name)


def test_an_offloaded_autoencoder_is_on_the_device_only_while_it_is_used(
    host: EmbeddedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with host.models.session(SessionOptions()) as model:
        latents, image = model.encode_images(pixels), model.generate(SMALL, [])
        moves: list[str] = []
        network, move = model._autoencoder, model._autoencoder.to
        monkeypatch.setattr(network, "to", lambda device: moves.append(str(device)) or move(device))
        monkeypatch.setattr(EmbeddedModel, "device", property(lambda _: torch.device("cpu", 0)))  # unlike "cpu"
        model.offload_autoencoder(True)
        assert model.encode_images(pixels).mean.equal(latents.mean)
        assert model.generate(SMALL, []).tobytes() == image.tobytes()
        with pytest.raises(RuntimeError):
            model.decode(torch.zeros(1, 3, 8, 8))
        assert moves == ["cpu", *["cpu:0", "cpu"] * 3]
    assert moves[-1] == "cpu:0"
