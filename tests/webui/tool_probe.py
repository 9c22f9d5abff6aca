"""Runs inside the WebUI that ``instance.py`` starts, beside ``probe.py``: the tests call our tools through it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import transformers
from modules import deepbooru, modelloader, paths, shared
from PIL import Image
from spandrel.architectures.ESRGAN.arch.RRDB import RRDBNet

from lib_ti.config import CaptionConfig, from_mapping
from lib_ti.errors import UserError
from lib_ti.host.embedded.image_tools import upscaling
from lib_ti.host.webui.host import WebUIHost
from lib_ti.prep.captions.captioning import caption_with_host
from tests.webui.captioner_files import make_blip, make_deepbooru, small_blip
from tests.webui.inside import serve

HOST = WebUIHost()


def make_upscalers() -> list[str]:
    """A small upscaler of random weights and a damaged one, in the WebUI's list; gives our names."""
    folder = Path(paths.models_path) / "ESRGAN"
    folder.mkdir(exist_ok=True)
    torch.manual_seed(1)
    model = RRDBNet(num_filters=8, num_blocks=1, scale=2).state_dict()
    torch.save(model, folder / "zqsmall.pth", _use_new_zipfile_serialization=False)  # which 1.9.4 reads
    (folder / "zqbroken.pth").write_bytes(b"no weights")
    modelloader.load_upscalers()
    return list(HOST.tools.upscalers)


def tell_all(name: str, pictures: list[str], options: dict[str, Any]) -> dict[str, Any]:
    """What a captioner says together, and what the WebUI itself says of each picture."""
    opened = [Image.open(path).convert("RGB") for path in pictures]
    told: list[str] = []
    with small_blip(), patch.dict(shared.opts.data, options), HOST.tools.captioner(name, told.append) as captioner:
        said, depends = captioner.caption(opened), captioner.options
        if name == "deepbooru":
            theirs = [deepbooru.model.tag_multi(picture) for picture in opened]
        elif options.get("interrogate_clip_num_beams", 1) == 1:
            with patch.object(shared.interrogator, "dtype", torch.float32):
                theirs = [shared.interrogator.generate_caption(picture) for picture in opened]
        else:
            theirs = [captioner.caption([picture])[0] for picture in opened]
    return {"said": said, "theirs": theirs, "told": told, "options": depends}


def refused(tool: str, name: str = "", offline: bool = False) -> str:
    """What a tool says that cannot be lent; when ``offline``, BLIP's words are not to be had either."""
    lend = {"captioner": HOST.tools.captioner, "upscaler": HOST.tools.upscaler}[tool]
    missing = OSError("Can't load tokenizer. If you were trying to load it from 'https://huggingface.co/models', …")
    words = patch.object(transformers.BertTokenizer, "from_pretrained", side_effect=missing)
    try:
        with small_blip(), words if offline else nullcontext(), lend(name, lambda _: None):
            return ""
    except UserError as error:
        return str(error)


def forget_captioners() -> None:
    """As after a start."""
    shared.interrogator.blip_model = deepbooru.model.model = None


def caption_folder(folder: str, **settings: Any) -> dict[str, Any]:
    """As the tab does it; ``problem`` is the error's kind and text."""
    seen: list[int] = []
    try:
        done = caption_with_host(
            HOST,
            Path(folder),
            from_mapping(CaptionConfig, settings),
            report=lambda _: None,
            progress=lambda count, _: seen.append(count),
            stop=lambda: False,
        )
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return {"problem": f"{type(error).__name__}: {error}", "progress": seen}
    return {"problem": "", "written": done.written, "unchanged": done.unchanged, "progress": seen}


def enlarge(name: str, picture: str, factor: float, result: str, interrupted: bool = False) -> str:
    """Enlarge a picture file to another; gives what is wrong."""
    try:
        with HOST.tools.upscaler(name, lambda _: None) as upscaler:
            shared.state.interrupted = interrupted
            upscaler.upscale(Image.open(picture).convert("RGB"), factor).save(result)
    except UserError as error:
        return f"{type(error).__name__}: {error}"
    return ""


def enlarge_embedded(name: str, picture: str, factor: float, result: str) -> None:
    """The same by the embedded host's code, with the real package."""
    files = upscaling.model_files(Path(paths.models_path) / "ESRGAN")
    with torch.random.fork_rng(devices=[]):
        upscaling.load(files[name], torch.device("cpu")).upscale(Image.open(picture).convert("RGB"), factor).save(
            result
        )


def refused_embedded(name: str) -> str:
    files = upscaling.model_files(Path(paths.models_path) / "ESRGAN")
    try:
        upscaling.load(files[name], torch.device("cpu"))
    except UserError as error:
        return str(error)
    return ""


def fill(
    picture: str,
    mask: str,
    result: str,
    seeds: list[int],
    prompt: str = "",
    options: dict[str, Any] | None = None,
    interrupted: bool = False,
    fail: bool = False,
) -> dict[str, Any]:
    """Fill a part of a picture file by each seed, into files ``<result>-<seed>.png``."""
    told: list[str] = []
    opened = Image.open(picture).convert("RGB"), Image.open(mask).convert("L")
    try:
        with patch.dict(shared.opts.data, options or {}), HOST.tools.inpainter(told.append) as inpainter:
            for seed in seeds:
                shared.state.interrupted = interrupted
                inpainter.fill(*opened, prompt=prompt, seed=seed).save(f"{result}-{seed}.png")
            if fail:
                raise RuntimeError("a defect")
    except (UserError, RuntimeError) as error:
        return {"problem": f"{type(error).__name__}: {error}", "told": told}
    return {"problem": "", "told": told}


serve("tools", (
    make_blip, make_deepbooru, make_upscalers, tell_all, refused, forget_captioners, caption_folder, enlarge,
    enlarge_embedded, refused_embedded, fill,
))  # fmt: skip
