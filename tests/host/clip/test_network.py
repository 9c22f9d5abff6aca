"""CLIP's text network run part by part gives what its own forward gives, bit for bit."""

from __future__ import annotations

import copy

import pytest
import torch

from lib_ti.host.clip.chunks import lay_out
from lib_ti.host.clip.network import hidden_states
from lib_ti.host.embedded.networks import Networks

PROMPTS = ["a big red circle", "", "art, " * 40]


@pytest.mark.parametrize("clip_skip", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_hidden_states_are_those_of_the_network_itself(networks: Networks, dtype: torch.dtype, clip_skip: int) -> None:
    ids = torch.tensor([chunk.ids for prompt in PROMPTS for chunk in lay_out(prompt, ())])
    network = copy.deepcopy(networks.text_encoders["clip_l"]).to(dtype)
    with torch.no_grad():
        output = network(input_ids=ids, output_hidden_states=True)
        expected = output.last_hidden_state
        if clip_skip > 1:
            expected = network.text_model.final_layer_norm(output.hidden_states[-clip_skip])
        found = hidden_states(network.text_model, ids, clip_skip)
    assert torch.equal(found, expected)
    assert found.dtype == dtype
