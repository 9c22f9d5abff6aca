"""Runs inside the WebUI that ``instance.py`` starts, beside ``probe.py``: it lends our tools to the tests.

The captioners' real models are of a gigabyte each. Here they have the same shapes, fewer layers in BLIP's case, and
weights that take little room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import transformers
from modules import deepbooru, deepbooru_model, modelloader, paths, shared
from PIL import Image
from spandrel.architectures.ESRGAN.arch.RRDB import RRDBNet

from lib_ti.config import CaptionConfig, from_mapping
from lib_ti.errors import UserError
from lib_ti.host.embedded.image_tools import upscaling
from lib_ti.host.webui.host import WebUIHost
from lib_ti.prep.captions.captioning import caption_with_host
from tests.webui.inside import serve

HOST = WebUIHost()
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "picture", "of"]
VOCABULARY = 30522


def little_weights(shapes: Mapping[str, torch.Size], scale: float) -> dict[str, torch.Tensor]:
    """Random weights whose rows are the same numbers, each row begun one later: they take a row's room in a file."""
    rng = torch.Generator().manual_seed(1)
    made = {}
    for name, shape in shapes.items():
        first, *rest = shape or (1,)
        numbers = torch.randn(first + int(np.prod(rest)), generator=rng) * scale
        inner = [int(np.prod(rest[place + 1 :])) for place in range(len(rest))]
        made[name] = numbers.as_strided(tuple(shape), (1, *inner) if shape else ())
    return made


@contextmanager
def small_blip() -> Iterator[None]:
    """BLIP is built with few layers, and with words in the place of those that the WebUI downloads."""
    shared.interrogator.create_fake_fairscale()
    import models.blip
    import models.vit

    folder = Path(shared.cmd_opts.data_dir) / "small BLIP"
    (folder / "configs").mkdir(parents=True, exist_ok=True)
    configuration = json.loads((Path(paths.paths["BLIP"]) / "configs" / "med_config.json").read_text())
    (folder / "configs" / "med_config.json").write_text(json.dumps({**configuration, "num_hidden_layers": 2}))
    (folder / "words.txt").write_text("\n".join([*WORDS, *(f"word{n}" for n in range(VOCABULARY - len(WORDS)))]) + "\n")
    ours = transformers.BertTokenizer(str(folder / "words.txt"))
    with torch.random.fork_rng(devices=[]):
        network = models.vit.VisionTransformer(img_size=384, embed_dim=768, depth=2, num_heads=12)
    with (
        patch.object(transformers.BertTokenizer, "from_pretrained", lambda *_: ours),
        patch.object(models.blip, "create_vit", lambda *_: (network, 768)),
        patch.dict(paths.paths, {"BLIP": str(folder)}),
    ):
        yield


def make_blip() -> None:
    with small_blip():
        from models.blip import blip_decoder

        configuration = Path(paths.paths["BLIP"]) / "configs" / "med_config.json"
        made = blip_decoder(image_size=384, vit="base", med_config=str(configuration)).state_dict()
    weights = little_weights({name: tensor.shape for name, tensor in made.items()}, 0.3)
    # Positions of words are numbers, not weights.
    weights |= {name: tensor for name, tensor in made.items() if not tensor.is_floating_point()}
    folder = Path(paths.models_path) / "BLIP"
    folder.mkdir(exist_ok=True)
    file = folder / "model_base_caption_capfilt_large.pth"
    torch.save({"model": weights}, file, _use_new_zipfile_serialization=False)  # which 1.9.4 reads


def make_deepbooru(tags: list[str], seen: int) -> None:
    """A tagger that sees the first ``seen`` of its tags in every picture."""
    model = deepbooru_model.DeepDanbooruModel()
    weights = {name: torch.zeros(1).expand(tensor.shape) for name, tensor in model.state_dict().items()}
    weights["n_Conv_177.bias"] = torch.ones(1).expand(4096)
    signs = torch.full((9176, 1), -0.01)
    signs[:seen] = 0.01
    weights["n_Conv_178.weight"] = signs[..., None, None].expand(9176, 4096, 1, 1)
    folder = Path(paths.models_path) / "torch_deepdanbooru"
    folder.mkdir(exist_ok=True)
    file = folder / "model-resnet_custom_v3.pt"
    torch.save({**weights, "tags": tags}, file, _use_new_zipfile_serialization=False)  # which 1.9.4 reads


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
