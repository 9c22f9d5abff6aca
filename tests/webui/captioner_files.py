"""Small models of the WebUI's captioners, which probes write inside a WebUI or a fork.

The real ones are of a gigabyte each. Here they have the same shapes, fewer layers in BLIP's case, and weights that take
little room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import transformers
from modules import deepbooru_model, paths, shared

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
