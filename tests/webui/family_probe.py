"""Runs inside the WebUI that ``families.py`` starts, beside ``probe.py``: our session on a model of any family.

It also makes open_clip know the architecture of the small checkpoints, before the WebUI loads one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import open_clip
import torch
from modules import devices, prompt_parser, sd_hijack, sd_models, shared

from lib_ti.embedding.embedding import Embedding
from lib_ti.errors import UserError
from lib_ti.host.base import SessionOptions
from lib_ti.host.model import Checkpointing, Conditions, Framing, ImageRequest
from lib_ti.host.webui.host import WebUIHost
from lib_ti.host.webui.loaded.conditioning import unet_conditioning
from lib_ti.host.webui.loaded.kind import text_wrappers
from lib_ti.host.webui.loaded.prompts import as_plain_text
from lib_ti.host.webui.model import WebUIModel
from tests.webui.inside import serve

open_clip.add_model_config(Path(shared.cmd_opts.data_dir) / "open_clip")
HOST = WebUIHost()
NAME = "zqtest-same"


def session(**options: Any) -> Any:
    return HOST.models.session(SessionOptions(**options))


def leaves(model: WebUIModel, count: int = 3, scale: float = 0.05) -> Embedding:
    """An embedding of vectors that can be trained, the same for the same widths."""
    sample = torch.Generator().manual_seed(5)
    vectors = {key: torch.randn(count, width, generator=sample) * scale for key, width in model.info.widths.items()}
    return Embedding(NAME, {key: one.requires_grad_() for key, one in vectors.items()})


def info() -> dict[str, Any]:
    with session() as model:
        found = model.info
        return {
            "family": found.family,
            "prediction": found.prediction,
            "size": found.size,
            "before": HOST.models.size,
            "widths": dict(found.widths),
            "alphas_cumprod": model.alphas_cumprod.tolist(),
        }


def same_conditioning(prompts: list[str], size: tuple[int, int]) -> dict[str, Any]:
    """Compare what our session conditions the UNet on with the WebUI's own, for an image of that size."""
    width, height = size
    plain = [as_plain_text(prompt, shared.opts.emphasis) for prompt in prompts]
    texts = prompt_parser.SdConditioning(plain, width=width, height=height)
    with session() as model, torch.no_grad():
        embedding = leaves(model)
        encoded = model.encode_prompts(Conditions.whole(prompts, width=width, height=height), [embedding])
        ours = unet_conditioning(shared.sd_model, encoded, devices.dtype_unet)
        with registered(model, embedding), devices.autocast():
            theirs = shared.sd_model.get_learned_conditioning(texts)
    if not isinstance(theirs, Mapping):
        ours, theirs = {"crossattn": ours["c_crossattn"][0]}, {"crossattn": theirs}
    return {
        "contexts": ours["crossattn"].shape[1] // 77,
        "difference": {
            key: (ours[key] - theirs[key].to(devices.dtype_unet)).abs().max().item() for key in {*ours, *theirs}
        },
    }


@contextmanager
def registered(model: WebUIModel, embedding: Embedding) -> Iterator[None]:
    """An embedding in the WebUI's own database."""
    database = sd_hijack.model_hijack.embedding_db
    try:
        database.register_embedding(model._prompts.as_host_embedding(embedding), shared.sd_model)
        yield
    finally:
        database.register_embedding_by_name(None, shared.sd_model, embedding.name)


def compute(
    prompts: list[str],
    latents: list[Any],
    timesteps: list[int],
    framings: Sequence[Sequence[Sequence[int]]],
    checkpointing: Checkpointing = "off",
) -> dict[str, Any]:
    """What our session makes of the same inputs as another host's."""
    with session() as model:
        model.set_checkpointing(checkpointing)
        embedding = leaves(model)
        shown = [Framing(*(tuple(pair) for pair in one)) for one in framings]  # type: ignore[arg-type]
        conditioning = model.encode_prompts(Conditions(prompts, shown), [embedding])
        predicted = model.predict(torch.tensor(latents), torch.tensor(timesteps), conditioning)
        loss = predicted.square().mean()
        loss.backward()
        encoded = model.encode_images(torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64))
        return {
            "crossattn": conditioning.crossattn.tolist(),
            "pooled": None if conditioning.pooled is None else conditioning.pooled.tolist(),
            "predicted": predicted.tolist(),
            "loss": loss.item(),
            "gradients": {key: one.grad.tolist() for key, one in embedding.vectors.items()},  # type: ignore[union-attr]
            "others": sum(parameter.grad is not None for parameter in shared.sd_model.parameters()),
            "mean": encoded.mean.tolist(),
            "std": encoded.std.tolist(),
            "initial": {key: one.tolist() for key, one in model.initial_vectors("a big red circle", 6).items()},
            "tokens": [model.count_tokens(prompt, [embedding]) for prompt in prompts],
        }


def generated(prompt: str, without: list[str] | None = None, **request: Any) -> list[Any]:
    """An image with an embedding of ours, zeros in place of its vectors for the encoders ``without``."""
    with session() as model, torch.no_grad():
        embedding = leaves(model, scale=0.5)
        for key in without or []:
            embedding.vectors[key].zero_()
        image = model.generate(ImageRequest(prompt.replace("[name]", NAME), **request), [embedding])
        return np.asarray(image).tolist()  # type: ignore[no-any-return]


def loaded_vectors(name: str) -> dict[str, Any]:
    """Vectors of an embedding in the WebUI's database, by encoder; under "" where it holds those of one encoder."""
    vec = sd_hijack.model_hijack.embedding_db.word_embeddings[name].vec
    return {key: one.tolist() for key, one in (vec if isinstance(vec, dict) else {"": vec}).items()}


def hijacks() -> bool:
    """Whether all prompt encoders have the WebUI's own hijack."""
    return all(wrapper.hijack is sd_hijack.model_hijack for wrapper in text_wrappers(shared.sd_model))


def frozen_backward() -> str:
    """What a backward pass through the frozen UNet says, outside of a session of ours."""
    unet = shared.sd_model.model.diffusion_model
    flags = [parameter.requires_grad for parameter in unet.parameters()]
    texts = prompt_parser.SdConditioning(["a circle"], width=64, height=64)
    try:
        unet.requires_grad_(False)
        with torch.no_grad():
            found = shared.sd_model.get_learned_conditioning(texts)
        given = dict(found) if isinstance(found, Mapping) else {"c_crossattn": [found.requires_grad_()]}
        if "crossattn" in given:
            given["crossattn"].requires_grad_()
        predicted = shared.sd_model.apply_model(torch.ones(1, 4, 8, 8), torch.tensor([5]), given)
        predicted.square().sum().backward()
    except RuntimeError as error:
        return str(error)
    finally:
        for parameter, flag in zip(unet.parameters(), flags, strict=True):
            parameter.requires_grad_(flag)
    return ""


@contextmanager
def changed(changes: list[list[Any]]) -> Iterator[None]:
    """The loaded model, the options or the command line with other values."""
    model = shared.sd_model
    places = {"model": model, "arguments": shared.cmd_opts, "checkpoint": model.sd_checkpoint_info}
    with ExitStack() as undo:
        for place, name, value in changes:
            if place == "embedders":
                kept = torch.nn.ModuleList(model.conditioner.embedders[index] for index in value)
                undo.enter_context(patch.object(model.conditioner, name, kept))
            elif place == "options":
                undo.enter_context(patch.dict(shared.opts.data, {name: value}))
            else:
                undo.enter_context(patch.object(places[place], name, value, create=True))
        yield


def refusal(changes: list[list[Any]]) -> str:
    """What the session says when the model or the options are different."""
    with changed(changes):
        try:
            with session():
                return ""
        except UserError as error:
            return str(error)


def size(changes: list[list[Any]]) -> int:
    """The images' side when the model is different."""
    with changed(changes):
        return HOST.models.size


def size_before_loading() -> int:
    """The images' side while the WebUI has not loaded a model yet."""
    with patch.object(sd_models.model_data, "sd_model", None):
        return HOST.models.size


serve("family", (
    info, same_conditioning, compute, generated, loaded_vectors, hijacks, frozen_backward, refusal, size,
    size_before_loading,
))  # fmt: skip
