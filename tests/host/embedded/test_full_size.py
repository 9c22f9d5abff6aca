"""SD 2.1 and SDXL of full size, without values: every weight of the file finds its place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from lib_ti.families.registry import FAMILIES
from lib_ti.host.embedded.architecture import architecture
from lib_ti.host.embedded.files.checkpoint import Checkpoint
from lib_ti.host.embedded.files.ldm_names import AUTOENCODER, UNET, Source, text_source
from lib_ti.host.embedded.files.recognition import Header, family_of
from lib_ti.host.embedded.networks import autoencoder_names, build, unet_names

PARAMETERS = {"sd2": (865_910_724, 83_653_863), "sdxl": (2_567_463_684, 83_653_863)}
"""Of UNet and autoencoder, as published."""
UNUSED = {
    "sd2": ("logit_scale", "text_projection", ".resblocks.23."),
    "sdxl": ("logit_scale", ".layers.11.", "embedders.0.transformer.text_model.final_layer_norm."),
}
"""Parts of names of weights that conditioning does not need."""


def shapes_of(key: str) -> dict[str, tuple[int, ...]]:
    text = gzip.decompress((Path(__file__).parent / "full_size" / f"{key}.txt.gz").read_bytes()).decode()
    rows = (line.split() for line in text.splitlines())
    return {name: tuple(map(int, sizes)) for name, *sizes in rows}


@pytest.mark.parametrize("key", PARAMETERS)
def test_every_weight_of_the_file_has_its_place(key: str) -> None:
    shapes = shapes_of(key)
    header = Header(shapes)
    family = family_of(header, f"{key}.safetensors")
    assert family is FAMILIES[key]
    weights = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    checkpoint = Checkpoint(Path(f"/nowhere/{key}.safetensors"), family, header, weights)
    made = architecture(checkpoint)
    networks = build(checkpoint, made)  # raises what is missing or of another shape
    counts = [sum(one.numel() for one in network.parameters()) for network in (networks.unet, networks.autoencoder)]
    assert tuple(counts) == PARAMETERS[key]
    assert made.size == {"sd2": 768, "sdxl": 1024}[key]
    assert {encoder.key: made.text_encoders[encoder.key]["hidden_size"] for encoder in family.encoders} == family.widths

    used = {UNET + unet_names(networks.unet)(name) for name in networks.unet.state_dict()}
    used |= {AUTOENCODER + autoencoder_names(networks.autoencoder)(name) for name in networks.autoencoder.state_dict()}
    for encoder in family.encoders:
        source = text_source(encoder.naming)
        places: list[Source] = [source(name) for name in networks.text_encoders[encoder.key].state_dict()]
        used |= {encoder.weights + place.name for place in places}
    unused = {name for name in shapes.keys() - used if not name.endswith(("position_ids", "attn_mask"))}
    assert {name for name in unused if not any(part in name for part in UNUSED[key])} == set()


def test_the_full_sizes_are_those_that_were_published() -> None:
    sdxl, sd2 = shapes_of("sdxl"), shapes_of("sd2")
    assert (len(sd2), len(sdxl)) == (1228, 2515)
    assert sdxl[f"{UNET}label_emb.0.0.weight"] == (1280, 2816)
    assert sdxl["conditioner.embedders.1.model.text_projection"] == (1280, 1280)
